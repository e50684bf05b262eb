/** Moving elements: shapes, axes, pieces. No arithmetic; every dtype. */

import { promote } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { checkShape, normalizeAxes, normalizeAxis, type Shape, sameShape, sizeOf, tryBroadcast } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { type Axis, oneAxis } from './axes.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';

/** The same elements in another shape; one dimension may be −1 and is computed. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const node = nodeOf(x, 'reshape');
  const unknown = shape.indexOf(-1);
  if (unknown < 0) return wrap(build.reshape(node, shape));
  const rest = sizeOf(shape.filter((_, i) => i !== unknown));
  const size = sizeOf(node.shape);
  if (shape.lastIndexOf(-1) !== unknown || rest === 0 || size % rest !== 0) {
    fail(
      'shape',
      'reshape',
      `${showShape(node.shape)} (${size} elements) does not fit ${showShape(shape)}`,
      'One dimension may be −1; the others must divide the number of elements.',
    );
  }
  return wrap(
    build.reshape(
      node,
      shape.map((d, i) => (i === unknown ? size / rest : d)),
    ),
  );
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
  const order = axes?.map((axis) => normalizeAxis('transpose', axis, rank)) ?? node.shape.map((_, i) => rank - 1 - i);
  if (order.length !== rank || new Set(order).size !== rank)
    fail('axis', 'transpose', `axes ${showShape(axes ?? [])} are not an order of the ${rank} axes of ${showShape(node.shape)}`);
  return wrap(build.permute(node, order));
}

/** Inserts an axis of length 1. */
export function expandDims(x: Tensor, axis: Axis = 0): Tensor {
  const node = nodeOf(x, 'expandDims');
  const at = oneAxis('expandDims', axis, node.shape.length + 1, 0);
  return wrap(build.reshape(node, [...node.shape.slice(0, at), 1, ...node.shape.slice(at)]));
}

/** Removes axes of length 1: the given ones, or all. */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
  const node = nodeOf(x, 'squeeze');
  const axes = axis === undefined ? node.shape.flatMap((d, i) => (d === 1 ? [i] : [])) : normalizeAxes('squeeze', axis, node.shape.length);
  for (const a of axes) if (node.shape[a] !== 1) fail('shape', 'squeeze', `axis ${a} of ${showShape(node.shape)} has length ${node.shape[a]}, not 1`);
  return wrap(
    build.reshape(
      node,
      node.shape.filter((_, i) => !axes.includes(i)),
    ),
  );
}

export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkShape('broadcastTo', shape);
  const common = tryBroadcast(x.shape, shape);
  if (!common || !sameShape(common, shape))
    fail('shape', 'broadcastTo', `${showShape(x.shape)} does not stretch to ${showShape(shape)}`, 'Dimensions must be equal or 1, counted from the right.');
  return wrap(build.broadcast(nodeOf(x, 'broadcastTo'), shape));
}

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
  node.shape.forEach((d, i) => {
    const last = starts[i] + (sizes[i] - 1) * steps[i];
    if (![starts[i], sizes[i], steps[i]].every(Number.isInteger) || starts[i] < 0 || starts[i] > d || steps[i] < 1 || (sizes[i] > 0 && last >= d)) {
      fail('value', 'slice', `start ${starts[i]}, size ${sizes[i]}, step ${steps[i]} reach outside axis ${i} of length ${d} (shape ${showShape(node.shape)})`);
    }
  });
  return wrap(build.slice(node, starts, sizes, steps));
}

/** Adds elements around: a number for all sides, or [before, after] per axis. */
export function pad(x: Tensor, padding: number | readonly (readonly [number, number])[], { value = 0 }: { value?: number } = {}): Tensor {
  const node = nodeOf(x, 'pad');
  const pairs = typeof padding === 'number' ? node.shape.map((): [number, number] => [padding, padding]) : padding;
  if (pairs.length !== node.shape.length)
    fail('argument', 'pad', `expected ${node.shape.length} pairs [before, after] for ${showShape(node.shape)}, got ${pairs.length}`);
  for (const pair of pairs)
    if (pair.length !== 2 || !pair.every((p) => Number.isInteger(p) && p >= 0))
      fail('argument', 'pad', `padding must be whole numbers ≥ 0, got ${showShape(pair)}`);
  return wrap(build.pad(node, pairs, value));
}

/** Reverses the order along axes (all by default). */
export function flip(x: Tensor, axis?: number | readonly number[]): Tensor {
  return wrap(build.flip(nodeOf(x, 'flip'), normalizeAxes('flip', axis, x.rank)));
}

/** Repeats the whole tensor `times` along each axis. */
export function tile(x: Tensor, times: number | readonly number[]): Tensor {
  const node = nodeOf(x, 'tile');
  const list = typeof times === 'number' ? [times] : times;
  const rank = Math.max(list.length, node.shape.length);
  const counts = [...new Array<number>(rank - list.length).fill(1), ...list];
  const shape = [...new Array<number>(rank - node.shape.length).fill(1), ...node.shape];
  checkShape('tile', counts);
  const stretched = build.broadcast(
    build.reshape(
      node,
      shape.flatMap((d) => [1, d]),
    ),
    shape.flatMap((d, i) => [counts[i], d]),
  );
  return wrap(
    build.reshape(
      stretched,
      shape.map((d, i) => d * counts[i]),
    ),
  );
}

/** Repeats each element (row, …) `times` along an axis. */
export function repeat(x: Tensor, times: number, axis: Axis = 0): Tensor {
  const node = nodeOf(x, 'repeat');
  checkShape('repeat', [times]);
  const at = oneAxis('repeat', axis, node.shape.length, 0) + 1;
  const [before, after] = [node.shape.slice(0, at), node.shape.slice(at)];
  const stretched = build.broadcast(build.reshape(node, [...before, 1, ...after]), [...before, times, ...after]);
  return wrap(
    build.reshape(
      stretched,
      node.shape.map((d, i) => (i === at - 1 ? d * times : d)),
    ),
  );
}

function common(operation: string, tensors: readonly Tensor[]): Node[] {
  if (!Array.isArray(tensors) || tensors.length === 0)
    fail('argument', operation, `expected an array of tensors, got ${Array.isArray(tensors) ? 'an empty one' : String(tensors)}`);
  const nodes = tensors.map((t) => nodeOf(t, operation));
  const dtype = nodes.map((n) => n.dtype).reduce(promote);
  return nodes.map((n) => build.cast(n, dtype));
}

/** Joins tensors along an existing axis (default 0). */
export function concat(tensors: readonly Tensor[], axis: Axis = 0): Tensor {
  const nodes = common('concat', tensors);
  const { shape } = nodes[0];
  const at = oneAxis('concat', axis, shape.length, 0);
  for (const node of nodes) {
    if (node.shape.length !== shape.length || node.shape.some((d, i) => i !== at && d !== shape[i])) {
      fail('shape', 'concat', `shapes ${showShape(shape)} and ${showShape(node.shape)} differ in more than axis ${at}`);
    }
  }
  return wrap(build.concat(nodes, at));
}

/** Joins tensors of one shape along a new axis (default 0). */
export function stack(tensors: readonly Tensor[], axis: Axis = 0): Tensor {
  const nodes = common('stack', tensors);
  const { shape } = nodes[0];
  const at = oneAxis('stack', axis, shape.length + 1, 0);
  const odd = nodes.find((node) => !sameShape(node.shape, shape));
  if (odd) fail('shape', 'stack', `expected equal shapes, got ${showShape(shape)} and ${showShape(odd.shape)}`, 'Use concat to join along an existing axis.');
  return wrap(
    build.concat(
      nodes.map((node) => build.reshape(node, [...shape.slice(0, at), 1, ...shape.slice(at)])),
      at,
    ),
  );
}

/** Cuts an axis (default 0) into equal parts, or into parts of the given lengths. */
export function split(x: Tensor, parts: number | readonly number[], axis: Axis = 0): Tensor[] {
  const node = nodeOf(x, 'split');
  const at = oneAxis('split', axis, node.shape.length, 0);
  const length = node.shape[at];
  if (typeof parts === 'number' && (!Number.isInteger(parts) || parts < 1 || length % parts !== 0))
    fail('shape', 'split', `axis ${at} of length ${length} does not divide into ${parts} equal parts`, 'Give the lengths: split([3, 4]).');
  const lengths = typeof parts === 'number' ? new Array<number>(parts).fill(length / parts) : parts;
  if (lengths.reduce((a, b) => a + b, 0) !== length)
    fail('shape', 'split', `lengths ${showShape(lengths)} do not add up to ${length}, axis ${at} of ${showShape(node.shape)}`);
  let from = 0;
  return lengths.map((size) => {
    const start = node.shape.map((_, i) => (i === at ? from : 0));
    from += size;
    return wrap(
      build.slice(
        node,
        start,
        node.shape.map((d, i) => (i === at ? size : d)),
      ),
    );
  });
}

/** The slices along an axis, without that axis. */
export const unstack = (x: Tensor, axis: Axis = 0): Tensor[] =>
  split(x, x.shape[oneAxis('unstack', axis, x.rank, 0)], axis).map((part) => squeeze(part, oneAxis('unstack', axis, x.rank, 0)));
