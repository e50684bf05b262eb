/**
 * The gradient of a scan: a scan that runs the other way, so it can be differentiated again.
 *
 * 1. The body is differentiated once. What its gradient reads of the forward run is saved: the carries at the start of a step and values that are
 *    dear to compute again (contractions, transcendental functions, …) become extra ys of an augmented forward scan; cheap values are computed again.
 *    The augmented scan has the inputs, parameters (the very same nodes), length and direction of the original, and its results are the original's
 *    followed by the extra ones: `part i` of the original may be replaced by `part i` of the augmented, so that the loop runs once (scan-merge.ts).
 * 2. Gradients of constants that are contractions in each step (a weight matrix) are not added up step by step: the operands leave the reverse scan as ys
 *    and are contracted once, with time as one more contracted letter. Other constants' gradients are added up in carries.
 */
import { bytesOf, isFloating } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { type Shape, sizeOf, type TensorType } from '../core/shape.ts';
import type { AttributesOf, Body } from '../graph/attributes.ts';
import { byAge, isOp, type Node, topologicalOrder } from '../graph/node.ts';
import { substitute } from '../graph/substitute.ts';
import { add, bodyParameter, contract, conv, part, permute, reshape, scan, scatterAdd, sum, zerosLike } from './build.ts';
import type { Differentiate, PartsGradientRule } from './op.ts';
import { make, opOf } from './registry.ts';

/** Elementwise functions that cost more to compute again than to load. */
const transcendental: ReadonlySet<string> = new Set(['exp', 'log', 'log1p', 'expm1', 'sin', 'cos', 'tan', 'tanh', 'sigmoid', 'erf', 'pow']);
const isDear = (node: Node): boolean => !['leaf', 'elementwise', 'movement'].includes(opOf(node).kind) || transcendental.has(node.op);
const bytes = (nodes: Iterable<Node>): number => [...nodes].reduce((total, { shape, dtype }) => total + sizeOf(shape) * bytesOf(dtype), 0);
const union = (sets: readonly ReadonlySet<Node>[]): Set<Node> => new Set(sets.flatMap((set) => [...set]));

/** The nodes of the forward body that must be saved so that `gradients` can be computed from them, the constants and the slices of xs. */
function valuesToSave(body: Body, gradients: readonly Node[]): Node[] {
  const isCarry = (node: Node): boolean => {
    const i = body.parameters.indexOf(node);
    return i >= body.constants && i < body.constants + body.carries;
  };
  const varying = new Set(body.parameters.slice(body.constants));
  // For each forward node: what to save so that it is at hand in the reverse step.
  const sources = new Map<Node, ReadonlySet<Node>>();
  const below = (node: Node): Set<Node> => union(node.inputs.map((input) => sources.get(input) ?? new Set()));
  for (const node of topologicalOrder([...body.results, ...body.parameters])) {
    if (node.inputs.some((input) => varying.has(input))) varying.add(node);
    const again = below(node);
    const severalResults = opOf(node).inferParts !== undefined;
    const save = varying.has(node) && !severalResults && (node.op === 'leaf' ? isCarry(node) : isDear(node) || bytes(again) > bytes([node]));
    sources.set(node, save ? new Set([node]) : again);
  }
  const reached = topologicalOrder(gradients, (node) => sources.has(node)).filter((node) => sources.has(node));
  const saved = union(reached.map((node) => sources.get(node) ?? new Set()));
  // A cheap value all of whose sources are saved anyway need not be.
  for (const node of [...saved].sort(byAge).reverse()) {
    if (node.op !== 'leaf' && !isDear(node) && [...below(node)].every((source) => saved.has(source))) saved.delete(node);
  }
  return [...saved].sort(byAge);
}

interface BodyGradient {
  /** The gradient of each parameter, null where none flows or none is asked for. */
  readonly dParameters: readonly (Node | null)[];
  /** Leaves that stand for the gradients of the results. */
  readonly dResults: readonly (Node | null)[];
}

/** Differentiates the body. A carry has a gradient if its final value has one or if any step sends one back through it. */
function differentiateBody(body: Body, dParts: readonly (Node | null)[], needed: readonly boolean[], differentiate: Differentiate): BodyGradient {
  const { parameters, results, constants, carries } = body;
  const dResults = results.map((result, i) => (dParts[i] && isFloating(result.dtype) ? bodyParameter(result) : null));
  const asked = parameters.flatMap((parameter, i) => (isFloating(parameter.dtype) && (needed[i] || (i >= constants && i < constants + carries)) ? [i] : []));
  const wanted = asked.map((i) => parameters[i]);
  for (;;) {
    const gradients = differentiate(results, dResults, wanted);
    const dParameters = parameters.map((_, i) => (asked.includes(i) ? (gradients[asked.indexOf(i)] ?? null) : null));
    const awakened = results.slice(0, carries).flatMap((_, i) => (dResults[i] === null && dParameters[constants + i] !== null ? [i] : []));
    if (awakened.length === 0) return { dParameters, dResults };
    for (const i of awakened) dResults[i] = bodyParameter(results[i]);
  }
}

/** A letter that no label uses. */
function freeLetter({ a, b, out }: AttributesOf['contract']): string {
  const used = a + b + out;
  return [...'tabcdefghijklmnopqrsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].find((letter) => !used.includes(letter)) ?? fail('internal', 'scan', 'no label is left');
}

/** Linear maps of one operand: they may follow the sum over time instead of being done in each step. */
const isLinear = (node: Node): boolean => ['neg', 'reshape', 'permute', 'broadcast'].includes(node.op) || (isOp(node, 'pad') && node.attributes.value === 0);

const isKernelGradient = (node: Node): boolean => isOp(node, 'conv') && node.attributes.role === 'kernel';
/** Whether a part of this sum is better gathered over all steps at once than added up in each. */
const hasProduct = (node: Node): boolean =>
  node.op === 'add' || isLinear(node) ? node.inputs.some(hasProduct) : ['contract', 'scatterAdd', 'sum'].includes(node.op) || isKernelGradient(node);

/** How the wanted gradients are made of what the reverse scan puts out. It is built last: until then a leaf stands for each of its results. */
interface Harvest {
  /** Values of each step that leave as ys, with the leaves for all of them, stacked along a new first axis. */
  readonly ys: Map<Node, Node>;
  /** Values of each step that are added up in carries, with the leaves for their sums. */
  readonly totals: Map<Node, Node>;
  /** All steps' values of a body node, stacked along a new first axis. */
  stacked(node: Node): Node;
  /** The sum over all steps of a body node. */
  total(node: Node): Node;
  /** To be called once when all are asked for: what stands behind leaves whose making depended on what else is asked for. */
  settle(): Map<Node, Node>;
}

function harvestOf(length: number, atHand: ReadonlyMap<Node, Node>, outside: ReadonlyMap<Node, Node>): Harvest {
  const ys = new Map<Node, Node>();
  const totals = new Map<Node, Node>();
  const undecided = new Map<Node, () => Node>();
  const decideLater = (type: TensorType, decide: () => Node): Node => {
    const leaf = bodyParameter(type);
    undecided.set(leaf, decide);
    return leaf;
  };
  const leafFor = (node: Node, list: Map<Node, Node>, shape: Shape): Node => {
    const leaf = list.get(node) ?? bodyParameter({ shape, dtype: node.dtype });
    list.set(node, leaf);
    return leaf;
  };
  const isStacked = (node: Node): boolean => atHand.has(node) || ys.has(node);
  /** The same in all steps: made of the scan's constants only. */
  const isFixed = (node: Node): boolean => topologicalOrder([node]).every((n) => n.op !== 'leaf' || outside.has(n));

  const stacked = (node: Node): Node => {
    const [x] = node.inputs;
    if (isOp(node, 'reshape') && isStacked(x)) return reshape(stacked(x), [length, ...node.shape]);
    if (isOp(node, 'permute') && isStacked(x)) return permute(stacked(x), [0, ...node.attributes.axes.map((axis) => axis + 1)]);
    return atHand.get(node) ?? leafFor(node, ys, [length, ...node.shape]);
  };
  const accumulated = (node: Node): Node => leafFor(node, totals, node.shape);
  const total = (node: Node): Node => {
    if (isOp(node, 'add') && node.inputs.some(hasProduct)) {
      const [a, b] = node.inputs.map(total);
      return add(a, b);
    }
    if (isLinear(node)) return make(node.op, node.inputs.map(total), node.attributes);
    if (isOp(node, 'sum')) {
      // The operand leaves anyway if a contraction needs it (a bias beside its weights).
      const [operand] = node.inputs;
      const axes = [0, ...node.attributes.axes.map((axis) => axis + 1)];
      return decideLater(node, () => (isStacked(operand) ? sum(stacked(operand), axes) : accumulated(node)));
    }
    if (isOp(node, 'contract') && !node.inputs.some(isFixed)) {
      const { a, b, out } = node.attributes;
      const t = freeLetter(node.attributes);
      const [x, y] = node.inputs.map(stacked);
      return contract(x, y, { a: t + a, b: t + b, out });
    }
    if (isOp(node, 'conv') && isKernelGradient(node)) {
      // As with a contraction: the steps are one larger batch.
      const geometry = node.attributes;
      const [inputShape, outputShape] = [geometry.inputShape, geometry.outputShape].map(([batch, ...rest]) => [batch * length, ...rest]);
      const [x, dy] = node.inputs.map(stacked);
      return conv(reshape(x, inputShape), reshape(dy, outputShape), { ...geometry, inputShape, outputShape });
    }
    if (isOp(node, 'scatterAdd') && node.attributes.axis === 0) {
      // The gradient of a table that is looked up in each step.
      const [indices, updates] = node.inputs.map(stacked);
      return scatterAdd(indices, updates, 0, node.attributes.size);
    }
    return accumulated(node);
  };
  /** A product with a constant matrix (dLoss/dx of a linear map) is done outside, for all steps at once, if its other operand is outside already. */
  const stackedProduct = (node: Node): Node => {
    const fixed = isOp(node, 'contract') && !atHand.has(node) ? node.inputs.findIndex(isFixed) : -1;
    const moving = node.inputs[1 - fixed];
    if (!isOp(node, 'contract') || fixed < 0 || isFixed(moving)) return stacked(node);
    const { a, b, out } = node.attributes;
    const t = freeLetter(node.attributes);
    return decideLater({ shape: [length, ...node.shape], dtype: node.dtype }, () => {
      if (!isStacked(moving)) return stacked(node);
      const [same] = substitute([node.inputs[fixed]], outside);
      if (fixed === 0) return contract(same, stacked(moving), { a, b: t + b, out: t + out });
      return contract(stacked(moving), same, { a: t + a, b, out: t + out });
    });
  };
  const settle = () => new Map([...undecided].map(([leaf, decide]) => [leaf, decide()]));
  return { ys, totals, stacked: stackedProduct, total, settle };
}

export const gradientOfScan: PartsGradientRule<'scan'> = (node, dParts, needed, differentiate) => {
  const { body, length, reverse } = node.attributes;
  const { parameters, results, constants, carries } = body;
  const firstX = constants + carries;
  const { dParameters, dResults } = differentiateBody(body, dParts, needed, differentiate);

  // The forward scan with what the reverse one reads of it.
  const flowing = dParameters.filter((g) => g !== null);
  const saved = valuesToSave(body, flowing);
  const isY = (value: Node): boolean => results.indexOf(value, carries) >= 0;
  const allResults = [...results, ...saved.filter((value) => !isY(value))];
  const augmented = allResults.length === results.length ? node : scan(node.inputs, { body: { ...body, results: allResults }, length, reverse });
  const leaves = new Map(saved.map((value) => [value, bodyParameter(value)]));
  const rebuilt = substitute(flowing, leaves);
  const perStep = dParameters.map((g) => (g === null ? null : rebuilt[flowing.indexOf(g)]));

  // What each kind of leaf of the reverse body is outside, over all steps.
  const atHand = new Map<Node, Node>();
  for (const [value, leaf] of leaves) atHand.set(leaf, part(augmented, allResults.indexOf(value, carries)));
  for (const [i, parameter] of parameters.entries()) if (i >= firstX) atHand.set(parameter, node.inputs[i]);
  for (const [i, leaf] of dResults.entries()) {
    const d = dParts[i];
    if (i >= carries && leaf && d) atHand.set(leaf, d);
  }
  const outside = new Map(parameters.slice(0, constants).map((parameter, i) => [parameter, node.inputs[i]]));

  const harvest = harvestOf(length, atHand, outside);
  const gathered = perStep.map((g, i) => (g === null || (i >= constants && i < firstX) ? null : i < constants ? harvest.total(g) : harvest.stacked(g)));
  const decisions = harvest.settle();

  // The reverse scan: carries are the gradients of the forward carries, then sums.
  const active = dResults.flatMap((d, i) => (i < carries && d ? [i] : []));
  const totals = [...harvest.totals.keys()];
  const sums = totals.map(bodyParameter);
  const stepCarries = active.map((i) => perStep[constants + i] ?? zerosLike(results[i]));
  const stepResults = [...stepCarries, ...totals.map((value, i) => add(sums[i], value)), ...harvest.ys.keys()];
  const read = new Set(topologicalOrder(stepResults));
  const usedConstants = [...outside].filter(([parameter]) => read.has(parameter));
  const usedSlices = [...atHand].filter(([leaf]) => read.has(leaf));
  const dCarries = active.map((i) => dResults[i] as Node);
  const reverseBody: Body = {
    parameters: [...usedConstants.map(([parameter]) => parameter), ...dCarries, ...sums, ...usedSlices.map(([leaf]) => leaf)],
    results: stepResults,
    constants: usedConstants.length,
    carries: dCarries.length + sums.length,
  };
  const initial = active.map((i) => dParts[i] ?? zerosLike(results[i]));
  const inputs = [...usedConstants.map(([, input]) => input), ...initial, ...totals.map(zerosLike), ...usedSlices.map(([, all]) => all)];
  const backward = scan(inputs, { body: reverseBody, length, reverse: !reverse });

  const waiting = [...harvest.totals.values(), ...harvest.ys.values()];
  const parts = new Map(waiting.map((leaf, i) => [leaf, part(backward, active.length + i)]));
  const asked = gathered.filter((g) => g !== null);
  const built = substitute(substitute(asked, decisions), parts);
  return perStep.map((_, i) => {
    const carry = active.indexOf(i - constants);
    if (carry >= 0) return needed[i] ? part(backward, carry) : null;
    const g = gathered[i];
    return g && built[asked.indexOf(g)];
  });
};
