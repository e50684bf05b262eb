/** Moving elements: shapes, axes, pieces. No arithmetic; every dtype. */
import { fail, showShape } from '../core/errors.ts';
import { checkShape, dropAxes, normalizeAxes, normalizeAxis, type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { Padding } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { type Axis, oneAxis } from './axes.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';

/** The same elements in another shape; one dimension may be −1 and is computed. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const node = nodeOf(x, 'reshape');
  const unknown = shape.indexOf(-1);
  if (unknown < 0) return wrap(build.reshape(node, shape));
  const size = sizeOf(node.shape);
  const missing = size / sizeOf(shape.toSpliced(unknown, 1));
  if (shape.lastIndexOf(-1) !== unknown || !Number.isInteger(missing)) {
    const problem = `${showShape(node.shape)} (${size} elements) does not fit ${showShape(shape)}`;
    fail('shape', 'reshape', problem, 'One dimension may be −1; the others must divide the number of elements.');
  }
  return wrap(build.reshape(node, shape.with(unknown, missing)));
}

/** One dimension; or, from `startAxis` on, the axes joined into one (startAxis 1 keeps the batch). */
export function flatten(x: Tensor, startAxis = 0): Tensor {
  const { shape } = x;
  const start = shape.length === 0 ? 0 : normalizeAxis('flatten', startAxis, shape.length);
  return wrap(build.reshape(nodeOf(x, 'flatten'), [...shape.slice(0, start), sizeOf(shape.slice(start))]));
}

/** Axes in another order; without an argument reversed. */
export function transpose(x: Tensor, axes?: readonly number[]): Tensor {
  const node = nodeOf(x, 'transpose');
  const rank = node.shape.length;
  const order = axes?.map((axis) => normalizeAxis('transpose', axis, rank)) ?? [...node.shape.keys()].reverse();
  if (order.length !== rank || new Set(order).size !== rank)
    fail('axis', 'transpose', `axes ${showShape(axes ?? [])} are not an order of the ${rank} axes of ${showShape(node.shape)}`);
  return wrap(build.permute(node, order));
}

/** Inserts an axis of length 1. */
export function expandDims(x: Tensor, axis: Axis = 0): Tensor {
  const node = nodeOf(x, 'expandDims');
  return wrap(build.reshape(node, node.shape.toSpliced(oneAxis('expandDims', axis, node.shape.length + 1, 0), 0, 1)));
}

/** Removes axes of length 1: the given ones, or all. */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
  const node = nodeOf(x, 'squeeze');
  const { shape } = node;
  const axes = axis === undefined ? [...shape.keys()].filter((i) => shape[i] === 1) : normalizeAxes('squeeze', axis, shape.length);
  for (const a of axes) if (shape[a] !== 1) fail('shape', 'squeeze', `axis ${a} of ${showShape(shape)} has length ${shape[a]}, not 1`);
  return wrap(build.reshape(node, dropAxes(shape, axes)));
}

export const broadcastTo = (x: Tensor, shape: Shape): Tensor => wrap(build.broadcast(nodeOf(x, 'broadcastTo'), shape));

/**
 * A block: from `start`, `size` elements per axis (fewer numbers than axes: the rest is taken whole). A negative start counts from the end;
 * size −1 or left out goes to the end. `step` takes every step-th.
 */
export function slice(
  x: Tensor,
  start: number | readonly number[],
  size?: number | readonly number[],
  { step = 1 }: { step?: number | readonly number[] } = {},
): Tensor {
  const node = nodeOf(x, 'slice');
  const perAxis = (value: number | readonly number[] | undefined, missing: number): number[] => {
    const list = value === undefined ? [] : typeof value === 'number' ? [value] : value;
    if (list.length > node.shape.length) fail('shape', 'slice', `${list.length} numbers for the ${node.shape.length} axes of ${showShape(node.shape)}`);
    return node.shape.map((_, i) => list[i] ?? missing);
  };
  const steps = perAxis(step, 1);
  const starts = perAxis(start, 0).map((s, i) => (s < 0 ? s + node.shape[i] : s));
  const sizes = perAxis(size, -1).map((s, i) => (s < 0 ? Math.max(0, Math.ceil((node.shape[i] - starts[i]) / steps[i])) : s));
  return wrap(build.slice(node, starts, sizes, steps));
}

/** Adds elements around: a number for all sides, or [before, after] per axis. */
export function pad(x: Tensor, padding: number | Padding, { value = 0 }: { value?: number } = {}): Tensor {
  const node = nodeOf(x, 'pad');
  return wrap(build.pad(node, typeof padding === 'number' ? node.shape.map(() => [padding, padding] as const) : padding, value));
}

/** Reverses the order along axes (all by default). */
export function flip(x: Tensor, axis?: number | readonly number[]): Tensor {
  return wrap(build.flip(nodeOf(x, 'flip'), normalizeAxes('flip', axis, x.rank)));
}

/** Repeats the whole tensor `times` along each axis. */
export function tile(x: Tensor, times: number | readonly number[]): Tensor {
  const node = nodeOf(x, 'tile');
  const list = typeof times === 'number' ? [times] : times;
  checkShape('tile', list);
  const rank = Math.max(list.length, node.shape.length);
  const counts = leftFilled(list, rank);
  const shape = leftFilled(node.shape, rank);
  const apart = shape.flatMap((d) => [1, d]);
  const repeated = shape.flatMap((d, i) => [counts[i], d]);
  const merged = shape.map((d, i) => d * counts[i]);
  return wrap(build.reshape(build.broadcast(build.reshape(node, apart), repeated), merged));
}

/** Ones on the left, up to the rank. */
const leftFilled = (list: readonly number[], rank: number): number[] => [...new Array<number>(rank - list.length).fill(1), ...list];

/** Repeats each element (row, …) `times` along an axis. */
export function repeat(x: Tensor, times: number, axis: Axis = 0): Tensor {
  const node = nodeOf(x, 'repeat');
  checkShape('repeat', [times]);
  const { shape } = node;
  const at = oneAxis('repeat', axis, shape.length, 0);
  const apart = build.reshape(node, shape.toSpliced(at + 1, 0, 1));
  return wrap(build.reshape(build.broadcast(apart, shape.toSpliced(at + 1, 0, times)), shape.with(at, shape[at] * times)));
}

function common(operation: string, tensors: readonly Tensor[]): Node[] {
  const got = Array.isArray(tensors) ? 'an empty one' : String(tensors);
  if (!Array.isArray(tensors) || tensors.length === 0) fail('argument', operation, `expected an array of tensors, got ${got}`);
  return build.promoted(tensors.map((t) => nodeOf(t, operation)));
}

/** Joins tensors along an existing axis (default 0). */
export function concat(tensors: readonly Tensor[], axis: Axis = 0): Tensor {
  const nodes = common('concat', tensors);
  return wrap(build.concat(nodes, oneAxis('concat', axis, nodes[0].shape.length, 0)));
}

/** Joins tensors of one shape along a new axis (default 0). */
export function stack(tensors: readonly Tensor[], axis: Axis = 0): Tensor {
  const nodes = common('stack', tensors);
  const { shape } = nodes[0];
  const at = oneAxis('stack', axis, shape.length + 1, 0);
  const odd = nodes.find((node) => !sameShape(node.shape, shape));
  if (odd) fail('shape', 'stack', `expected equal shapes, got ${showShape(shape)} and ${showShape(odd.shape)}`, 'Use concat to join along an existing axis.');
  const apart = nodes.map((node) => build.reshape(node, shape.toSpliced(at, 0, 1)));
  return wrap(build.concat(apart, at));
}

/** Cuts an axis (default 0) into equal parts, or into parts of the given lengths. */
export function split(x: Tensor, parts: number | readonly number[], axis: Axis = 0): Tensor[] {
  const node = nodeOf(x, 'split');
  const { shape } = node;
  const at = oneAxis('split', axis, shape.length, 0);
  const length = shape[at];
  if (typeof parts === 'number' && (!Number.isInteger(parts) || parts < 1 || length % parts !== 0))
    fail('shape', 'split', `axis ${at} of length ${length} does not divide into ${parts} equal parts`, 'Give the lengths: split([3, 4]).');
  const lengths = typeof parts === 'number' ? new Array<number>(parts).fill(length / parts) : parts;
  const total = lengths.reduce((a, b) => a + b, 0);
  if (total !== length) fail('shape', 'split', `lengths ${showShape(lengths)} do not add up to ${length}, axis ${at} of ${showShape(shape)}`);
  let end = 0;
  return lengths.map((size) => {
    end += size;
    return wrap(build.sliceAlong(node, at, end - size, size));
  });
}

/** The slices along an axis, without that axis. */
export function unstack(x: Tensor, axis: Axis = 0): Tensor[] {
  const at = oneAxis('unstack', axis, x.rank, 0);
  return split(x, x.shape[at], at).map((part) => squeeze(part, at));
}
