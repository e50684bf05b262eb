/**
 * Simplification, graph to graph: equal nodes become one, identities and empty work disappear, constants are folded.
 * One walk from inputs to outputs; every rule looks at a node whose inputs are already simple.
 */
import { isFloating, newArray } from '../../core/dtype.ts';
import { sameShape, sizeOf } from '../../core/shape.ts';
import { attributesOf, isOp, type Node, newNode, topologicalOrder } from '../../graph/node.ts';
import * as build from '../../ops/build.ts';
import { opOf } from '../../ops/registry.ts';
import { powerAsRoots } from './powers.ts';

/** Rebuilds the graph of `outputs`, offering every node (with its new inputs) to `rewrite`. */
export function rewriteGraph(outputs: readonly Node[], rewrite: (node: Node) => Node): Node[] {
  const rebuilt = new Map<Node, Node>();
  for (const node of topologicalOrder(outputs)) {
    const inputs = node.inputs.map((input) => rebuilt.get(input) as Node);
    const same = inputs.every((input, i) => input === node.inputs[i]);
    rebuilt.set(node, rewrite(same ? node : newNode(node.op, inputs, node.attributes, node)));
  }
  return outputs.map((node) => rebuilt.get(node) as Node);
}

export function simplify(outputs: readonly Node[]): Node[] {
  const known = new Map<string, Node>();
  const rooted = rewriteGraph(outputs, (node) => powerAsRoots(node, scalarValue) ?? node);
  return rewriteGraph(rooted, (node) => {
    const simple = step(node);
    return shareEqual(simple, known);
  });
}

/** JSON has no infinities, no NaN and no −0. */
const exact = (_: string, value: unknown): unknown => (typeof value !== 'number' ? value : Object.is(value, -0) ? '-0' : `${value}`);

function shareEqual(node: Node, known: Map<string, Node>): Node {
  if (node.op === 'leaf' || node.op === 'scan') return node;
  const key = `${node.op} ${node.dtype} ${node.shape.join(',')} ${node.inputs.map((i) => i.id).join(',')} ${JSON.stringify(node.attributes, exact)}`;
  const found = known.get(key);
  if (found) return found;
  known.set(key, node);
  return node;
}

/** The number that all elements of a node are, if it is known. */
export function scalarValue(node: Node): number | undefined {
  if (isOp(node, 'constant')) return node.attributes.value;
  return node.op === 'broadcast' || (node.op === 'reshape' && !attributesOf(node, 'reshape').apart) ? scalarValue(node.inputs[0]) : undefined;
}

const constantLike = (value: number, node: Node): Node => build.constant(value, node.dtype, node.shape);

const emptyFold: Partial<Record<Node['op'], number>> = {
  sum: 0,
  prod: 1,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  argMax: 0,
  argMin: 0,
  contract: 0,
  conv: 0,
  scatterAdd: 0,
  windowSpread: 0,
  windowPlace: 0,
};

function step(node: Node): Node {
  const { kind } = opOf(node);
  if (kind === 'leaf' || kind === 'loop' || node.op === 'part') return node;
  if (sizeOf(node.shape) === 0) return constantLike(0, node);
  if (node.inputs.some((i) => sizeOf(i.shape) === 0) && sizeOf(node.shape) > 0) {
    const value = emptyFold[node.op];
    if (value !== undefined) return constantLike(value, node);
  }
  if (kind === 'elementwise') return elementwise(node);
  if (kind === 'reduction') return reduction(node);
  const [x] = node.inputs;
  if (isOp(node, 'reshape')) {
    if (node.attributes.apart) return node;
    if (sameShape(node.shape, x.shape)) return x;
    return isOp(x, 'reshape') && !x.attributes.apart ? step(newNode('reshape', x.inputs, node.attributes, node)) : node;
  }
  if (isOp(node, 'permute')) {
    const { axes } = node.attributes;
    if (axes.every((a, i) => a === i)) return x;
    if (isOp(x, 'permute')) return step(newNode('permute', x.inputs, { axes: axes.map((a) => x.attributes.axes[a]) }, node));
    // Only dimensions of length 1 move: nothing moves in memory.
    const long = axes.filter((a) => x.shape[a] !== 1);
    return long.every((a, i) => i === 0 || long[i - 1] < a) ? step(newNode('reshape', [x], { shape: node.shape }, node)) : node;
  }
  if (node.op === 'broadcast' || node.op === 'slice')
    return sameShape(node.shape, x.shape) && (node.op === 'broadcast' || attributesOf(node, 'slice').step.every((s) => s === 1)) ? x : node;
  if (isOp(node, 'pad')) return sameShape(node.shape, x.shape) ? x : node;
  if (isOp(node, 'flip')) return node.attributes.axes.every((a) => x.shape[a] === 1) ? x : node;
  if (node.op === 'concat') {
    const pieces = node.inputs.filter((piece) => sizeOf(piece.shape) > 0);
    if (pieces.length === 1 && sameShape(pieces[0].shape, node.shape)) return pieces[0];
    return pieces.length > 0 && pieces.length < node.inputs.length ? newNode('concat', pieces, node.attributes, node) : node;
  }
  return node;
}

function reduction(node: Node): Node {
  const { axes, axis } = node.attributes as { axes?: readonly number[]; axis?: number };
  const [x] = node.inputs;
  const folded = axes ?? [axis ?? 0];
  if (folded.length > 0 && !folded.every((a) => x.shape[a] === 1)) return node;
  if (node.op === 'argMax' || node.op === 'argMin') return constantLike(0, node);
  return build.reshape(x, node.shape);
}

function elementwise(node: Node): Node {
  const [x, y] = node.inputs;
  if (node.op === 'cast' && x.dtype === node.dtype) return x;
  const values = node.inputs.map(scalarValue);
  if (values.length > 0 && values.every((v) => v !== undefined) && node.dtype !== 'float16' && node.dtype !== 'bfloat16')
    return folded(node, values as number[]);
  if (node.inputs.length !== 2) return node;
  const [a, b] = values;
  switch (node.op) {
    case 'add':
      return a === 0 ? y : b === 0 ? x : (sumOfPlaced(node) ?? node);
    case 'sub':
      return b === 0 ? x : node;
    case 'mul':
      return a === 1 ? y : b === 1 ? x : node;
    case 'div':
      return b === 1
        ? x
        : b !== undefined && isFloating(node.dtype) && Number.isInteger(Math.log2(Math.abs(b))) && b !== 0
          ? newNode('mul', [x, constantLike(1 / b, y)], {}, node)
          : node;
    case 'pow':
      return b === 1 ? x : b === 2 ? newNode('mul', [x, x], {}, node) : node;
    default:
      return node;
  }
}

/** Evaluates an op on known numbers. */
function folded(node: Node, values: readonly number[]): Node {
  const arrays = node.inputs.map((input, i) => newArray(input.dtype, 1).fill(values[i]));
  if (node.inputs.some((i) => i.dtype === 'float16' || i.dtype === 'bfloat16')) return node;
  const inputs = node.inputs.map((input) => newNode('constant', [], { value: 0 }, { shape: [], dtype: input.dtype }));
  const scalar = newNode(node.op, inputs, node.attributes, { shape: [], dtype: node.dtype });
  return constantLike(opOf(node).evaluate({ node: scalar, inputs: arrays })[0], node);
}

/** Part of a tensor along one axis; null: zeros. */
interface Piece {
  readonly size: number;
  readonly value: Node | null;
}

/** A node as pieces along an axis, when it is a zero-padded or concatenated tensor with zeros in it. */
function piecesOf(node: Node): { axis: number; pieces: Piece[] } | undefined {
  if (isOp(node, 'concat')) {
    const pieces = node.inputs.map((x) => ({ size: x.shape[node.attributes.axis], value: scalarValue(x) === 0 ? null : x }));
    return pieces.some((p) => p.value === null) ? { axis: node.attributes.axis, pieces } : undefined;
  }
  if (!isOp(node, 'pad') || node.attributes.value !== 0) return undefined;
  const padded = node.attributes.padding.flatMap(([low, high], axis) => (low > 0 || high > 0 ? [axis] : []));
  if (padded.length !== 1) return undefined;
  const [axis] = padded;
  const [low, high] = node.attributes.padding[axis];
  const pieces: Piece[] = [
    { size: low, value: null },
    { size: node.inputs[0].shape[axis], value: node.inputs[0] },
    { size: high, value: null },
  ];
  return { axis, pieces: pieces.filter((p) => p.size > 0) };
}

/** The sum of tensors that are zero where the other is not, as one concatenation: the gradient of splitting a tensor. */
function sumOfPlaced(node: Node): Node | undefined {
  const [x, y] = node.inputs.map(piecesOf);
  if (!x || !y || x.axis !== y.axis) return undefined;
  const merged: Piece[] = [];
  const [left, right] = [[...x.pieces], [...y.pieces]];
  while (left.length > 0 && right.length > 0) {
    const [p, q] = [left[0], right[0]];
    const [filled, empty] = p.value ? [p, q] : [q, p];
    if (filled.value && (empty.value || filled.size > empty.size)) return undefined;
    merged.push(filled.value ? filled : { size: Math.min(p.size, q.size), value: null });
    const size = merged[merged.length - 1].size;
    for (const list of [left, right]) {
      const [first] = list;
      if (first.size === size) list.shift();
      else list[0] = { size: first.size - size, value: null };
    }
  }
  const zeros = (size: number): Node =>
    build.constant(
      0,
      node.dtype,
      node.shape.map((d, i) => (i === x.axis ? size : d)),
    );
  return newNode(
    'concat',
    merged.map((p) => p.value ?? zeros(p.size)),
    { axis: x.axis },
    node,
  );
}
