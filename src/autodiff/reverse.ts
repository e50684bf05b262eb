/**
 * Reverse-mode differentiation of graphs: walks from the outputs back, asks each op for its rule and sums what arrives at a node.
 * The result is again a graph of ordinary nodes. Knows no op by name but `part`, through which the results of ops with several are read.
 */
import { isFloating } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { isHalf } from '../core/half.ts';
import { sameType, showType } from '../core/shape.ts';
import { byAge, isOp, type Node } from '../graph/node.ts';
import { overrideOf } from '../graph/override.ts';
import { add, cast } from '../ops/build.ts';
import type { Differentiate } from '../ops/op.ts';
import { opOf } from '../ops/registry.ts';

const severalResults = (node: Node): boolean => opOf(node).gradientOfParts !== undefined;

/** The nodes a gradient at `node` goes on to. */
const sourcesOf = (node: Node): readonly Node[] => overrideOf(node)?.targets ?? node.inputs;

/**
 * Gradients of Σ ⟨dOutputs[i], outputs[i]⟩ with respect to each node of `wrt`, inner nodes included; null where none flows (not connected, or only through
 * whole numbers and piecewise constant ops). A null in dOutputs leaves that output out.
 */
export const gradientsOf: Differentiate = (outputs, dOutputs, wrt) => {
  const flowing = outputs.filter((_, i) => dOutputs[i] !== null);
  const path = pathBetween(flowing, wrt);
  // What has arrived at a node: one gradient, or one for each of its results.
  const arrived = new Map<Node, (Node | null)[]>();
  const deposit = (node: Node, gradient: Node | null, result = 0): void => {
    if (gradient === null || !path.has(node)) return;
    if (!severalResults(node)) checkGradient(node, gradient);
    const sums = arrived.get(node) ?? [];
    while (sums.length <= result) sums.push(null);
    const before = sums[result];
    sums[result] = before ? total(before, gradient) : gradient;
    arrived.set(node, sums);
  };
  const gradientsAt = (node: Node, dResults: readonly (Node | null)[], needed: readonly boolean[]): readonly (Node | null)[] => {
    const op = opOf(node);
    if (op.gradientOfParts) return op.gradientOfParts(node, dResults, needed, gradientsOf);
    const override = overrideOf(node);
    const dOut = dResults[0] as Node;
    if (override) return override.rule(dOut, override.targets);
    return (needed.includes(true) && op.gradient?.(node, dOut, needed)) || [];
  };

  outputs.forEach((output, i) => deposit(output, dOutputs[i]));
  // Ids grow from inputs to users, so that by the time of a node all of its users have been visited.
  for (const node of [...path].sort(byAge).reverse()) {
    const dResults = arrived.get(node);
    if (!dResults) continue;
    const sources = sourcesOf(node);
    const needed = sources.map((source) => path.has(source));
    if (isOp(node, 'part') && !overrideOf(node)) deposit(node.inputs[0], dResults[0], node.attributes.index);
    else gradientsAt(node, dResults, needed).forEach((gradient, i) => deposit(sources[i], gradient));
  }
  return wrt.map((node) => arrived.get(node)?.[0] ?? null);
};

/** The nodes through which a gradient may flow from `outputs` to `wrt`: reachable from both sides over floating-point values. */
function pathBetween(outputs: readonly Node[], wrt: readonly Node[]): Set<Node> {
  const asked = new Set(wrt);
  const oldest = wrt.reduce((least, node) => Math.min(least, node.id), Number.POSITIVE_INFINITY);
  const seen = new Set<Node>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.id < oldest || seen.has(node) || !(isFloating(node.dtype) || severalResults(node))) continue;
    seen.add(node);
    stack.push(...sourcesOf(node));
  }
  const path = new Set<Node>();
  for (const node of [...seen].sort(byAge)) {
    if (asked.has(node) || sourcesOf(node).some((source) => path.has(source))) path.add(node);
  }
  return path;
}

/** Half floats are only stored: their sum is taken in float32. */
function total(a: Node, b: Node): Node {
  return isHalf(a.dtype) ? cast(add(cast(a, 'float32'), cast(b, 'float32')), a.dtype) : add(a, b);
}

function checkGradient(node: Node, gradient: Node): void {
  if (!sameType(gradient, node)) fail('internal', 'gradient', `a ${showType(node)} result of ${node.op} was given a gradient ${showType(gradient)}`);
}
