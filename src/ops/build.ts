/**
 * Builders of graph nodes, for gradient rules, compositions and the tensor methods: dtypes are promoted, shapes broadcast, numbers made constants.
 * Names are the op names. Knows ops by name only, so that every file of ops may use it.
 */
import { type DType, isFloating, promote } from '../core/dtype.ts';
import { broadcastShapes, keepAxes, type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { AttributesOf, OpName, WindowGeometry } from '../graph/attributes.ts';
import { type Node, newNode, type TensorType } from '../graph/node.ts';
import { make } from './registry.ts';

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
/** Exchanges the last two axes. */
export function swapLast(x: Node): Node {
  const axes = x.shape.map((_, i) => i);
  const rank = axes.length;
  return permute(x, [...axes.slice(0, rank - 2), rank - 1, rank - 2]);
}
export const slice = (x: Node, start: readonly number[], size: readonly number[], step: readonly number[] = start.map(() => 1)): Node =>
  start.every((s) => s === 0) && sameShape(size, x.shape) ? x : make('slice', [x], { start, size, step });
export const pad = (x: Node, padding: readonly (readonly [number, number])[], value = 0): Node =>
  padding.every(([low, high]) => low === 0 && high === 0) ? x : make('pad', [x], { padding, value });
export const flip = (x: Node, axes: readonly number[]): Node => (axes.length === 0 ? x : make('flip', [x], { axes }));
export const concat = (parts: readonly Node[], axis: number): Node => (parts.length === 1 ? parts[0] : make('concat', parts, { axis }));

/** Numbers become constants of the other operand's dtype (floating when the number is fractional and the other is not); nodes are promoted and broadcast. */
export function matchOperands(operation: string, operands: readonly Operand[]): Node[] {
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

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'mod' | 'minimum' | 'maximum';
export type Binary = Arithmetic | 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual' | 'logicalAnd' | 'logicalOr';
type Stepwise = 'neg' | 'abs' | 'sign' | 'floor' | 'ceil' | 'round' | 'isNaN' | 'logicalNot';
export type Unary = Stepwise | 'exp' | 'log' | 'log1p' | 'expm1' | 'sqrt' | 'rsqrt' | 'reciprocal' | 'sin' | 'cos' | 'tan' | 'tanh' | 'sigmoid' | 'erf';

const none = {};
export const unary = (op: Unary, x: Node): Node => make(op, [x], none);
export const binary = (op: Binary, a: Operand, b: Operand): Node => make(op, matchOperands(op, [a, b]), none);

export const neg = (x: Node): Node => unary('neg', x);
export const abs = (x: Node): Node => unary('abs', x);
export const sign = (x: Node): Node => unary('sign', x);
export const exp = (x: Node): Node => unary('exp', x);
export const log = (x: Node): Node => unary('log', x);
export const sqrt = (x: Node): Node => unary('sqrt', x);
export const rsqrt = (x: Node): Node => unary('rsqrt', x);
export const reciprocal = (x: Node): Node => unary('reciprocal', x);
export const sin = (x: Node): Node => unary('sin', x);
export const cos = (x: Node): Node => unary('cos', x);
export const tanh = (x: Node): Node => unary('tanh', x);
export const sigmoid = (x: Node): Node => unary('sigmoid', x);
export const floor = (x: Node): Node => unary('floor', x);
export const logicalNot = (x: Node): Node => unary('logicalNot', x);
export const add = (a: Operand, b: Operand): Node => binary('add', a, b);
export const sub = (a: Operand, b: Operand): Node => binary('sub', a, b);
export const mul = (a: Operand, b: Operand): Node => binary('mul', a, b);
export const div = (a: Operand, b: Operand): Node => binary('div', a, b);
export const pow = (a: Operand, b: Operand): Node => binary('pow', a, b);
export const minimum = (a: Operand, b: Operand): Node => binary('minimum', a, b);
export const maximum = (a: Operand, b: Operand): Node => binary('maximum', a, b);
export const equal = (a: Operand, b: Operand): Node => binary('equal', a, b);
export const less = (a: Operand, b: Operand): Node => binary('less', a, b);
export const lessEqual = (a: Operand, b: Operand): Node => binary('lessEqual', a, b);
export const greater = (a: Operand, b: Operand): Node => binary('greater', a, b);
export const greaterEqual = (a: Operand, b: Operand): Node => binary('greaterEqual', a, b);
export const logicalAnd = (a: Operand, b: Operand): Node => binary('logicalAnd', a, b);

/** Elementwise choice: a where condition, else b. */
export function select(condition: Node, a: Operand, b: Operand): Node {
  const [x, y] = matchOperands('where', [a, b]);
  const shape = broadcastShapes('where', condition.shape, x.shape);
  return make('select', [broadcast(cast(condition, 'bool'), shape), broadcast(x, shape), broadcast(y, shape)], none);
}

type Fold = 'sum' | 'prod' | 'max' | 'min';
/** Folds axes away (all, by default). No axes: the operand itself. */
export function fold(op: Fold, x: Node, axes: readonly number[] = x.shape.map((_, i) => i)): Node {
  return axes.length === 0 ? x : make(op, [x], { axes });
}
export const sum = (x: Node, axes?: readonly number[]): Node => fold('sum', x, axes);
export const max = (x: Node, axes?: readonly number[]): Node => fold('max', x, axes);
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

export const contract = (a: Node, b: Node, labels: AttributesOf['contract']): Node => {
  const dtype = promote(a.dtype, b.dtype);
  return make('contract', [cast(a, dtype), cast(b, dtype)], labels);
};
/** [m, k] · [k, n] */
export const matmul = (a: Node, b: Node): Node => contract(a, b, { a: 'mk', b: 'kn', out: 'mn' });
export const conv = (a: Node, b: Node, attributes: AttributesOf['conv']): Node => make('conv', [a, b], attributes);

type Windowed = 'windowSum' | 'windowSpread' | 'windowMax' | 'windowArgMax' | 'windowPick' | 'windowPlace';
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

/** For tests and tools: any op by name. */
export const anyOp = <K extends OpName>(name: K, inputs: readonly Node[], attributes: AttributesOf[K]): Node => make(name, inputs, attributes);
