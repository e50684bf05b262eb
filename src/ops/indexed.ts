/** Reading and adding at positions given by data, cumulative sums, and sorting. */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import { attributesOf, type Node, type TensorType } from '../graph/node.ts';
import { cumsum, scatterAdd, take } from './build.ts';
import { checkCount } from './check.ts';
import type { Evaluation, Sample } from './op.ts';
import { define } from './registry.ts';
import { comparable, narrow, sameDtype, wide } from './wide.ts';

function checkAxis(operation: string, axis: number, shape: Shape): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) fail('axis', operation, `axis ${axis} is out of range for ${showShape(shape)}`);
}

function checkIndices(operation: string, indices: TensorType): void {
  if (indices.dtype !== 'int32') fail('dtype', operation, `indices must be int32, got ${indices.dtype}`, "Cast them: indices.cast('int32').");
}

/** Sizes of the axes before, at and after `axis`. */
const around = (shape: Shape, axis: number): [number, number, number] => [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];

/** Calls `visit` with each run of `inner` elements: where it starts in the long tensor (axis of `size`) and in the short one (axis of indices). */
function eachIndexed(operation: string, indices: TypedArray, outer: number, size: number, inner: number, visit: (long: number, short: number) => void): void {
  for (const index of indices) {
    if (index < 0 || index >= size) {
      fail(
        'value',
        operation,
        `index ${index} is out of range for an axis of size ${size}`,
        size === 0 ? 'The axis is empty.' : `Indices are 0 … ${size - 1}; negative ones do not count from the end.`,
      );
    }
  }
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < indices.length; i++) visit((o * size + indices[i]) * inner, (o * indices.length + i) * inner);
  }
}

const ints = (shape: Shape, high: number, values?: readonly number[]) => ({ shape, dtype: 'int32' as const, low: 0, high, ...(values && { values }) });

define({
  name: 'take',
  kind: 'indexed',
  doc: 'out = x with its axis replaced by the shape of the indices: x[…, indices[i], …]',
  infer(inputs, { axis }) {
    checkCount('take', inputs, 2);
    const [x, indices] = inputs;
    checkIndices('take', indices);
    checkAxis('take', axis, x.shape);
    return { shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype };
  },
  gradient(node, dOut) {
    const { axis } = attributesOf(node, 'take');
    const [x, indices] = node.inputs;
    return [scatterAdd(indices, dOut, axis, x.shape[axis]), null];
  },
  evaluate({ node, inputs: [x, indices] }: Evaluation) {
    const { axis } = attributesOf(node, 'take');
    const [outer, size, inner] = around(node.inputs[0].shape, axis);
    const out = newArray(node.dtype, sizeOf(node.shape));
    eachIndexed('take', indices, outer, size, inner, (from, to) => {
      for (let k = 0; k < inner; k++) out[to + k] = x[from + k];
    });
    return out;
  },
  samples: () => [
    { name: 'rows, some twice', inputs: [{ shape: [4, 3] }, ints([5], 3, [2, 0, 2, 3, 2])], attributes: { axis: 0 } },
    { name: 'inner axis', inputs: [{ shape: [2, 5, 3] }, ints([4], 4)], attributes: { axis: 1 } },
    { name: 'last axis', inputs: [{ shape: [3, 7] }, ints([2], 6)], attributes: { axis: 1 } },
    { name: 'matrix of indices (embedding)', inputs: [{ shape: [6, 4] }, ints([2, 3], 5)], attributes: { axis: 0 } },
    { name: 'scalar index', inputs: [{ shape: [4, 3] }, ints([], 3)], attributes: { axis: 0 } },
    { name: 'no indices', inputs: [{ shape: [4, 3] }, ints([0], 3)], attributes: { axis: 0 } },
    { name: 'int32 values', inputs: [{ shape: [5], dtype: 'int32', low: -9, high: 9 }, ints([3], 4)], attributes: { axis: 0 }, differentiable: false },
  ],
});

define({
  name: 'scatterAdd',
  kind: 'indexed',
  doc: 'zeros with an axis of the given size, to which updates[…, i, …] are added at indices[i]: the adjoint of take',
  infer(inputs, { axis, size }) {
    checkCount('scatterAdd', inputs, 2);
    const [indices, updates] = inputs;
    checkIndices('scatterAdd', indices);
    const rank = indices.shape.length;
    if (!Number.isInteger(axis) || axis < 0 || !sameShape(updates.shape.slice(axis, axis + rank), indices.shape)) {
      fail('shape', 'scatterAdd', `updates ${showShape(updates.shape)} must hold the shape of the indices ${showShape(indices.shape)} from axis ${axis} on`);
    }
    if (!Number.isInteger(size) || size < 0) fail('argument', 'scatterAdd', `size must be a whole number ≥ 0, got ${size}`);
    return { shape: [...updates.shape.slice(0, axis), size, ...updates.shape.slice(axis + rank)], dtype: sameDtype('scatterAdd', [updates]) };
  },
  gradient(node, dOut) {
    return [null, take(dOut, node.inputs[0], attributesOf(node, 'scatterAdd').axis)];
  },
  evaluate({ node, inputs: [indices, updates] }: Evaluation) {
    const [outer, size, inner] = around(node.shape, attributesOf(node, 'scatterAdd').axis);
    const out = new Float64Array(sizeOf(node.shape));
    eachIndexed('scatterAdd', indices, outer, size, inner, (to, from) => {
      for (let k = 0; k < inner; k++) out[to + k] += updates[from + k];
    });
    return narrow(out, node.dtype);
  },
  samples: () => [
    { name: 'rows, some twice', inputs: [ints([5], 3, [2, 0, 2, 3, 2]), { shape: [5, 3] }], attributes: { axis: 0, size: 4 } },
    { name: 'inner axis', inputs: [ints([4], 4), { shape: [2, 4, 3] }], attributes: { axis: 1, size: 5 } },
    { name: 'last axis', inputs: [ints([6], 3), { shape: [3, 6] }], attributes: { axis: 1, size: 4 } },
    { name: 'matrix of indices (embedding)', inputs: [ints([2, 3], 5), { shape: [2, 3, 4] }], attributes: { axis: 0, size: 6 } },
    { name: 'scalar index', inputs: [ints([], 3), { shape: [3] }], attributes: { axis: 0, size: 4 } },
    { name: 'no indices', inputs: [ints([0], 3), { shape: [0, 3] }], attributes: { axis: 0, size: 2 } },
  ],
});

define({
  name: 'cumsum',
  kind: 'sequential',
  doc: 'sums of all elements up to each one along an axis (exclusive: before it; reverse: from the end)',
  infer(inputs, { axis }) {
    checkCount('cumsum', inputs, 1);
    checkAxis('cumsum', axis, inputs[0].shape);
    return { shape: inputs[0].shape, dtype: sameDtype('cumsum', inputs) };
  },
  gradient(node, dOut) {
    const { axis, reverse, exclusive } = attributesOf(node, 'cumsum');
    return [cumsum(dOut, axis, { reverse: !reverse, exclusive })];
  },
  evaluate({ node, inputs: [x] }) {
    const { axis, reverse, exclusive } = attributesOf(node, 'cumsum');
    const [outer, size, inner] = around(node.shape, axis);
    const out = new Float64Array(x.length);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < inner; k++) {
        let total = 0;
        for (let step = 0; step < size; step++) {
          const at = (o * size + (reverse ? size - 1 - step : step)) * inner + k;
          if (exclusive) out[at] = total;
          total += x[at];
          if (!exclusive) out[at] = total;
        }
      }
    }
    return narrow(out, node.dtype);
  },
  samples: () =>
    [false, true].flatMap((reverse) =>
      [false, true].flatMap((exclusive): Sample<'cumsum'>[] => {
        const name = (shape: string) => `${shape}${reverse ? ', reverse' : ''}${exclusive ? ', exclusive' : ''}`;
        return [
          { name: name('vector'), inputs: [{ shape: [7] }], attributes: { axis: 0, reverse, exclusive } },
          { name: name('inner axis'), inputs: [{ shape: [2, 5, 3] }], attributes: { axis: 1, reverse, exclusive } },
          { name: name('empty axis'), inputs: [{ shape: [2, 0] }], attributes: { axis: 1, reverse, exclusive } },
        ];
      }),
    ),
});

/** The order of one row: ascending or descending, equal values in their original order, NaN last either way. */
function sortedOrder(row: Float64Array, descending: boolean): Int32Array {
  const order = Int32Array.from(row, (_, i) => i);
  return order.sort((i, j) => {
    const [a, b] = [row[i], row[j]];
    if (a < b) return descending ? 1 : -1;
    if (a > b) return descending ? -1 : 1;
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - j;
  });
}

define({
  name: 'argSort',
  kind: 'sequential',
  doc: 'the first `count` positions of the sorted last axis; stable, NaN last',
  infer(inputs, { count }) {
    checkCount('argSort', inputs, 1);
    const [{ shape }] = inputs;
    sameDtype('argSort', inputs, comparable);
    if (shape.length === 0) fail('axis', 'argSort', 'expected at least one axis, got a scalar');
    const size = shape[shape.length - 1];
    if (!Number.isInteger(count) || count < 0 || count > size)
      fail('argument', 'argSort', `count must be 0 … ${size}, the length of the last axis, got ${count}`);
    return { shape: [...shape.slice(0, -1), count], dtype: 'int32' };
  },
  gradient: null,
  evaluate({ node, inputs }) {
    const { descending, count } = attributesOf(node, 'argSort');
    const x = wide(inputs[0]);
    const size = lastAxis(node.inputs[0]);
    const out = new Int32Array(sizeOf(node.shape));
    for (let row = 0; row * count < out.length; row++)
      out.set(sortedOrder(x.subarray(row * size, (row + 1) * size), descending).subarray(0, count), row * count);
    return out;
  },
  samples: () => [
    { name: 'vector', inputs: [{ shape: [9] }], attributes: { descending: false, count: 9 } },
    { name: 'rows, top 3', inputs: [{ shape: [2, 3, 8] }], attributes: { descending: true, count: 3 } },
    { name: 'ties', inputs: [{ shape: [2, 6], values: [2, 1, 2, 1, 0, 2, 5, 5, 5, 4, 5, 4] }], attributes: { descending: false, count: 6 } },
    { name: 'ties, descending', inputs: [{ shape: [2, 6], values: [2, 1, 2, 1, 0, 2, 5, 5, 5, 4, 5, 4] }], attributes: { descending: true, count: 5 } },
    { name: 'int32', inputs: [{ shape: [12], dtype: 'int32', low: -5, high: 5 }], attributes: { descending: true, count: 12 } },
    { name: 'empty rows', inputs: [{ shape: [0, 4] }], attributes: { descending: false, count: 4 } },
    { name: 'nothing asked', inputs: [{ shape: [2, 4] }], attributes: { descending: false, count: 0 } },
  ],
});

const lastAxis = (x: Node): number => x.shape[x.shape.length - 1];
