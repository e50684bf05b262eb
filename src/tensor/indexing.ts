/** Reading and writing by positions that are data, and sorting. */
import { fail, showShape } from '../core/errors.ts';
import { dropAxes, normalizeAxis, type Shape, sameShape, sizeOf, stridesOf } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { type Axis, type AxisOption, moveAxis, oneAxis } from './axes.ts';
import { tensor } from './create.ts';
import { arithmetic, nodeOf, Tensor, wrap } from './tensor.ts';

/** Positions: an int32 (uint8, bool) tensor, or numbers. */
export type Indices = Tensor | number | readonly number[];

function positions(operation: string, indices: Indices): Node {
  const node = indices instanceof Tensor ? nodeOf(indices, operation) : tensor(indices as number | number[], { dtype: 'int32' }).node;
  if (node.dtype === 'uint8' || node.dtype === 'bool') return build.cast(node, 'int32');
  if (node.dtype !== 'int32') fail('dtype', operation, `indices must be int32, got ${node.dtype}`, "Cast them: indices.cast('int32').");
  return node;
}

/** The elements (rows, …) at `indices` along an axis (default 0): the axis is replaced by the shape of the indices. */
export function take(x: Tensor, indices: Indices, axis: Axis = 0): Tensor {
  const node = nodeOf(x, 'take');
  return wrap(build.take(node, positions('take', indices), oneAxis('take', axis, node.shape.length, 0)));
}

export const gather: typeof take = take;

/** One element per position: out[i][j] = x[i][indices[i][j]] along the axis (default: the last). Shapes agree except along it. */
export function takeAlong(x: Tensor, indices: Tensor, axis: Axis = -1): Tensor {
  const node = nodeOf(x, 'takeAlong');
  const at = oneAxis('takeAlong', axis, node.shape.length, -1);
  const wanted = positions('takeAlong', indices);
  const problem = `indices ${showShape(wanted.shape)} do not fit ${showShape(node.shape)} along axis ${at}`;
  if (!sameShape(dropAxes(wanted.shape, [at]), dropAxes(node.shape, [at]))) fail('shape', 'takeAlong', problem, 'All other dimensions must be equal.');
  const strides = stridesOf(node.shape);
  let flat = build.mul(wanted, strides[at]);
  wanted.shape.forEach((d, i) => {
    if (i !== at && d > 1) flat = build.add(flat, build.mul(build.iota(wanted.shape, i), strides[i]));
  });
  return wrap(build.take(build.reshape(node, [sizeOf(node.shape)]), flat, 0));
}

/** x with `updates` added at `indices` along an axis (default 0); the same position may come several times. */
export function scatterAdd(x: Tensor, indices: Indices, updates: Tensor, axis: Axis = 0): Tensor {
  const node = arithmetic(x, 'scatterAdd');
  const at = oneAxis('scatterAdd', axis, node.shape.length, 0);
  const where = positions('scatterAdd', indices);
  const expected = [...node.shape.slice(0, at), ...where.shape, ...node.shape.slice(at + 1)];
  const values = build.cast(nodeOf(updates, 'scatterAdd'), node.dtype);
  const givens = `target ${showShape(node.shape)}, indices ${showShape(where.shape)}, axis ${at}`;
  if (!sameShape(values.shape, expected)) fail('shape', 'scatterAdd', `updates must be ${showShape(expected)}, got ${showShape(values.shape)} (${givens})`);
  return wrap(build.add(node, build.scatterAdd(where, values, at, node.shape[at])));
}

/** [...s] whole numbers to [...s, classes] with a 1 at each number, else 0 (all 0 where it is out of range). */
export function oneHot(x: Tensor, classes: number): Tensor {
  const indices = positions('oneHot', x);
  if (!Number.isInteger(classes) || classes < 1) fail('value', 'oneHot', `expected a whole number of classes ≥ 1, got ${classes}`);
  const shape: Shape = [...indices.shape, classes];
  const spread = build.broadcast(build.reshape(indices, [...indices.shape, 1]), shape);
  return wrap(build.cast(build.equal(spread, build.iota(shape, shape.length - 1)), 'float32'));
}

/** `axis`: the last by default. */
export interface SortOptions extends AxisOption {
  readonly descending?: boolean;
}

export interface Sorted {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/** The first `count` (default: all) of the sorted elements, and their positions. */
function sorted(operation: string, x: Tensor, { axis = -1, descending = false, count }: SortOptions & { readonly count?: number }): Sorted {
  const node = arithmetic(x, operation);
  const last = node.shape.length - 1;
  const at = normalizeAxis(operation, axis, node.shape.length);
  const length = node.shape[at];
  if (count !== undefined && (!Number.isInteger(count) || count < 0 || count > length))
    fail('value', operation, `k must be 0 … ${length}, the length of axis ${axis}, got ${count}`);
  const rows = moveAxis(node, at, last);
  const indices = build.make('argSort', [rows], { descending, count: count ?? length });
  const values = takeAlong(wrap(rows), wrap(indices)).node;
  return { values: wrap(moveAxis(values, last, at)), indices: wrap(moveAxis(indices, last, at)) };
}

/** Sorted along an axis; equal elements keep their order. */
export const sort = (x: Tensor, options: SortOptions = {}): Tensor => sorted('sort', x, options).values;

/** The positions that sort. */
export const argSort = (x: Tensor, options: SortOptions = {}): Tensor => sorted('argSort', x, options).indices;

/** The k largest along an axis (default: the last), largest first, and their positions. */
export const topK = (x: Tensor, k: number, { axis = -1 }: AxisOption = {}): Sorted => sorted('topK', x, { axis, descending: true, count: k });
