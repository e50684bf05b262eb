/**
 * Builders of graph nodes, for gradient rules, compositions and the tensor methods: dtypes are promoted, shapes broadcast, numbers made constants.
 * Names are the op names. Knows ops by name only, so that every file of ops may use it.
 */
import { type DType, isFloating, promote } from '../core/dtype.ts';
import { broadcastShapes, keepAxes, type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { Windowed, WindowGeometry } from '../graph/attributes.ts';
import { type AttributesOf, type Binary, binaryNames, type Fold, type OpName, type Padding, type Unary, unaryNames } from '../graph/attributes.ts';
import { type Node, newNode, type TensorType } from '../graph/node.ts';
import { make } from './registry.ts';

export { make };

export type Operand = Node | number;

/** A scalar constant stretched to a shape. */
export function constant(value: number, dtype: DType = 'float32', shape: Shape = []): Node {
  return broadcast(newNode('constant', [], { value }, { shape: [], dtype }), shape);
}
export const constantLike = (value: number, like: Node): Node => constant(value, like.dtype, like.shape);
export const zerosLike = (like: Node): Node => constantLike(0, like);
/** 0, 1, 2, … along an axis. */
export const iota = (shape: Shape, axis: number, dtype: DType = 'int32'): Node => newNode('iota', [], { axis }, { shape, dtype });

export const cast = (x: Node, dtype: DType): Node => (x.dtype === dtype ? x : make('cast', [x], { dtype }));
export const broadcast = (x: Node, shape: Shape): Node => (sameShape(x.shape, shape) ? x : make('broadcast', [x], { shape }));
export const reshape = (x: Node, shape: Shape): Node => (sameShape(x.shape, shape) ? x : make('reshape', [x], { shape }));
export const permute = (x: Node, axes: readonly number[]): Node => (axes.every((a, i) => a === i) ? x : make('permute', [x], { axes }));
export const slice = (x: Node, start: readonly number[], size: readonly number[], step: readonly number[] = start.map(() => 1)): Node =>
  start.every((s) => s === 0) && step.every((s) => s === 1) && sameShape(size, x.shape) ? x : make('slice', [x], { start, size, step });
/** `size` elements along one axis, from `start` on. */
export const sliceAlong = (x: Node, axis: number, start: number, size: number): Node =>
  slice(x, x.shape.map(() => 0).with(axis, start), x.shape.with(axis, size));
export const pad = (x: Node, padding: Padding, value = 0): Node =>
  padding.length === x.shape.length && padding.every(([low, high]) => low === 0 && high === 0) ? x : make('pad', [x], { padding, value });
export const flip = (x: Node, axes: readonly number[]): Node => (axes.length === 0 ? x : make('flip', [x], { axes }));
export const concat = (parts: readonly Node[], axis: number): Node => (parts.length === 1 ? parts[0] : make('concat', parts, { axis }));

/** Numbers become constants of the other operand's dtype (floating when the number is fractional and the other is not); nodes are promoted and broadcast. */
function matchOperands(operation: string, operands: readonly Operand[]): Node[] {
  const nodes = operands.filter((x): x is Node => typeof x !== 'number');
  let dtype: DType = nodes.length > 0 ? nodes.map((n) => n.dtype).reduce(promote) : 'float32';
  for (const x of operands) {
    if (typeof x !== 'number') continue;
    if (!isFloating(dtype) && !Number.isInteger(x)) dtype = 'float32';
    else if (dtype === 'bool' && x !== 0 && x !== 1) dtype = 'int32';
    else if (dtype === 'uint8' && (x < 0 || x > 255)) dtype = 'int32';
  }
  const shape = nodes.map((n) => n.shape).reduce<Shape>((a, b) => broadcastShapes(operation, a, b), []);
  return operands.map((x) => (typeof x === 'number' ? constant(x, dtype, shape) : broadcast(cast(x, dtype), shape)));
}

const none = {};
export const unary = (op: Unary, x: Node): Node => make(op, [x], none);
export const binary = (op: Binary, a: Operand, b: Operand): Node => make(op, matchOperands(op, [a, b]), none);

/** A builder for each of the ops. */
const builders = <K extends OpName, Builder>(names: readonly K[], builderOf: (op: K) => Builder) =>
  Object.fromEntries(names.map((name) => [name, builderOf(name)])) as { readonly [N in K]: Builder };
const ofOne = builders(unaryNames, (op) => (x: Node) => unary(op, x));
const ofTwo = builders(binaryNames, (op) => (a: Operand, b: Operand) => binary(op, a, b));
export const { neg, abs, sign, floor, logicalNot, exp, log, log1p, expm1, sqrt, rsqrt, reciprocal, sin, cos, tanh, sigmoid, erf } = ofOne;
export const { add, sub, mul, div, pow, minimum, maximum, equal, less, lessEqual, greater, greaterEqual, logicalAnd, logicalOr } = ofTwo;

/** Elementwise choice: a where condition, else b. */
export function select(condition: Node, a: Operand, b: Operand): Node {
  const [x, y] = matchOperands('where', [a, b]);
  const shape = broadcastShapes('where', condition.shape, x.shape);
  return make('select', [broadcast(cast(condition, 'bool'), shape), broadcast(x, shape), broadcast(y, shape)], none);
}

/** Folds axes away (all, by default). No axes: the operand itself. */
export function fold(op: Fold, x: Node, axes: readonly number[] = x.shape.map((_, i) => i)): Node {
  return axes.length === 0 ? x : make(op, [x], { axes });
}
export const { sum, prod, max, min } = builders(['sum', 'prod', 'max', 'min'], (op) => (x: Node, axes?: readonly number[]) => fold(op, x, axes));
/** Folds and keeps the axes with length 1. */
export const foldKeep = (op: Fold, x: Node, axes: readonly number[]): Node => reshape(fold(op, x, axes), keepAxes(x.shape, axes));
/** Undoes broadcasting: sums a gradient down to the shape it came from. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
  return reshape(sum(x, axes), shape);
}
export const mean = (x: Node, axes: readonly number[] = x.shape.map((_, i) => i)): Node => {
  const total = sum(x, axes);
  return div(total, sizeOf(x.shape) / Math.max(1, sizeOf(total.shape)));
};

/** The nodes in the dtype that holds the values of all. */
export function promoted(nodes: readonly Node[]): Node[] {
  const dtype = nodes.map((node) => node.dtype).reduce(promote);
  return nodes.map((node) => cast(node, dtype));
}
export const contract = (a: Node, b: Node, labels: AttributesOf['contract']): Node => make('contract', promoted([a, b]), labels);
/** [m, k] · [k, n] */
export const matmul = (a: Node, b: Node): Node => contract(a, b, { a: 'mk', b: 'kn', out: 'mn' });
export const conv = (a: Node, b: Node, attributes: AttributesOf['conv']): Node => make('conv', promoted([a, b]), attributes);

export const windowed = (op: Windowed, inputs: readonly Node[], geometry: WindowGeometry): Node => make(op, inputs, geometry);

export const take = (x: Node, indices: Node, axis: number): Node => make('take', [x, indices], { axis });
/** Zeros with `updates` added at `indices` along an axis of length `size`: the adjoint of take. */
export const scatterAdd = (indices: Node, updates: Node, axis: number, size: number): Node => make('scatterAdd', [indices, updates], { axis, size });
export const cumsum = (x: Node, axis: number, options: { reverse?: boolean; exclusive?: boolean } = {}): Node =>
  make('cumsum', [x], { axis, reverse: options.reverse ?? false, exclusive: options.exclusive ?? false });
/** A fresh parameter of a loop body. */
export const bodyParameter = ({ shape, dtype }: TensorType): Node => newNode('leaf', [], { source: { kind: 'input' } }, { shape, dtype });
/** Inputs: constants, initial carries, xs. Its results are read through `part`. */
export const scan = (inputs: readonly Node[], attributes: AttributesOf['scan']): Node => make('scan', inputs, attributes);
/** Result `index` of an op with several results. */
export const part = (node: Node, index: number): Node => make('part', [node], { index });
