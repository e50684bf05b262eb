/** Reading and writing by positions that are data, and sorting. */
import { fail, showShape } from '../core/errors.ts';
import { normalizeAxis, type Shape, sameShape, sizeOf, stridesOf } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { make } from '../ops/registry.ts';
import { type Axis, moveAxis, oneAxis } from './axes.ts';
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
  const fits = wanted.shape.length === node.shape.length && wanted.shape.every((d, i) => i === at || d === node.shape[i]);
  if (!fits)
    fail(
      'shape',
      'takeAlong',
      `indices ${showShape(wanted.shape)} do not fit ${showShape(node.shape)} along axis ${at}`,
      'All other dimensions must be equal.',
    );
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
  if (!sameShape(values.shape, expected))
    fail(
      'shape',
      'scatterAdd',
      `updates must be ${showShape(expected)}, got ${showShape(values.shape)} (target ${showShape(node.shape)}, indices ${showShape(where.shape)}, axis ${at})`,
    );
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

export interface SortOptions {
  /** Default: the last axis. */
  readonly axis?: number;
  readonly descending?: boolean;
}

function order(operation: string, x: Node, axis: number, options: { readonly descending: boolean; readonly count: number }): { values: Node; indices: Node } {
  const last = x.shape.length - 1;
  const at = normalizeAxis(operation, axis, x.shape.length);
  const rows = moveAxis(x, at, last);
  const indices = make('argSort', [rows], options);
  const values = takeAlong(wrap(rows), wrap(indices)).node;
  return { values: moveAxis(values, last, at), indices: moveAxis(indices, last, at) };
}

const lengthAlong = (operation: string, x: Tensor, axis: number): number => x.shape[normalizeAxis(operation, axis, x.rank)];

/** Sorted along an axis; equal elements keep their order. */
export function sort(x: Tensor, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  return wrap(order('sort', arithmetic(x, 'sort'), axis, { descending, count: lengthAlong('sort', x, axis) }).values);
}

/** The positions that sort. */
export function argSort(x: Tensor, { axis = -1, descending = false }: SortOptions = {}): Tensor {
  return wrap(order('argSort', arithmetic(x, 'argSort'), axis, { descending, count: lengthAlong('argSort', x, axis) }).indices);
}

/** The k largest along an axis (default: the last), largest first, and their positions. */
export function topK(x: Tensor, k: number, { axis = -1 }: { axis?: number } = {}): { readonly values: Tensor; readonly indices: Tensor } {
  const length = lengthAlong('topK', x, axis);
  if (!Number.isInteger(k) || k < 0 || k > length) fail('value', 'topK', `k must be 0 … ${length}, the length of axis ${axis}, got ${k}`);
  const { values, indices } = order('topK', arithmetic(x, 'topK'), axis, { descending: true, count: k });
  return { values: wrap(values), indices: wrap(indices) };
}
