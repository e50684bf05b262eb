/** Reading and adding at positions given by data, cumulative sums, and sorting. */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { TensorType } from '../graph/node.ts';
import { cumsum, scatterAdd, take } from './build.ts';
import { checkAxes, checkDType, checkOperands, isCount, narrow, wide } from './check.ts';
import { family } from './registry.ts';

function checkIndices(operation: string, indices: TensorType): void {
  if (indices.dtype !== 'int32') fail('dtype', operation, `indices must be int32, got ${indices.dtype}`, "Cast them: indices.cast('int32').");
}

/** Sizes of the axes before, at and after `axis`. */
const around = (shape: Shape, axis: number): [number, number, number] => [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];

/** Calls `visit` with each run of `inner` elements: where it starts in the long tensor (axis of `size`) and in the short one (axis of indices). */
function eachIndexed(operation: string, indices: TypedArray, outer: number, size: number, inner: number, visit: (long: number, short: number) => void): void {
  for (const index of indices) {
    if (index >= 0 && index < size) continue;
    const hint = size === 0 ? 'The axis is empty.' : `Indices are 0 … ${size - 1}; negative ones do not count from the end.`;
    fail('value', operation, `index ${index} is out of range for an axis of size ${size}`, hint);
  }
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < indices.length; i++) visit((o * size + indices[i]) * inner, (o * indices.length + i) * inner);
  }
}

export const indexedOps = family('indexed', {
  take: {
    doc: 'out = x with its axis replaced by the shape of the indices: x[…, indices[i], …]',
    infer(given, { axis }) {
      const [x, indices] = checkOperands('take', given, 2);
      checkIndices('take', indices);
      checkAxes('take', [axis], x.shape.length);
      return { shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype };
    },
    gradient: ({ attributes: { axis }, inputs: [x, indices] }, dOut) => [scatterAdd(indices, dOut, axis, x.shape[axis]), null],
    evaluate({ node, inputs: [x, indices] }) {
      const [outer, size, inner] = around(node.inputs[0].shape, node.attributes.axis);
      const out = newArray(node.dtype, sizeOf(node.shape));
      eachIndexed('take', indices, outer, size, inner, (from, to) => {
        for (let k = 0; k < inner; k++) out[to + k] = x[from + k];
      });
      return out;
    },
  },

  scatterAdd: {
    doc: 'zeros with an axis of the given size, to which updates[…, i, …] are added at indices[i]: the adjoint of take',
    infer(given, { axis, size }) {
      const [indices, { shape, dtype }] = checkOperands('scatterAdd', given, 2);
      checkDType('scatterAdd', dtype, 'summable');
      checkIndices('scatterAdd', indices);
      const after = axis + indices.shape.length;
      if (!isCount(axis) || !sameShape(shape.slice(axis, after), indices.shape)) {
        fail('shape', 'scatterAdd', `updates ${showShape(shape)} must hold the shape of the indices ${showShape(indices.shape)} from axis ${axis} on`);
      }
      if (!isCount(size)) fail('argument', 'scatterAdd', `size must be a whole number ≥ 0, got ${size}`);
      return { shape: [...shape.slice(0, axis), size, ...shape.slice(after)], dtype };
    },
    gradient: ({ attributes: { axis }, inputs: [indices] }, dOut) => [null, take(dOut, indices, axis)],
    evaluate({ node, inputs: [indices, updates] }) {
      const [outer, size, inner] = around(node.shape, node.attributes.axis);
      const out = new Float64Array(sizeOf(node.shape));
      eachIndexed('scatterAdd', indices, outer, size, inner, (to, from) => {
        for (let k = 0; k < inner; k++) out[to + k] += updates[from + k];
      });
      return narrow(out, node.dtype);
    },
  },
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

export const sequentialOps = family('sequential', {
  cumsum: {
    doc: 'sums of all elements up to each one along an axis (exclusive: before it; reverse: from the end)',
    infer(given, { axis }) {
      const [{ shape, dtype }] = checkOperands('cumsum', given, 1, 'summable');
      checkAxes('cumsum', [axis], shape.length);
      return { shape, dtype };
    },
    gradient: ({ attributes: { axis, reverse, exclusive } }, dOut) => [cumsum(dOut, axis, { reverse: !reverse, exclusive })],
    evaluate({ node, inputs: [x] }) {
      const { axis, reverse, exclusive } = node.attributes;
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
  },

  argSort: {
    doc: 'the first `count` positions of the sorted last axis; stable, NaN last',
    infer(given, { count }) {
      const [{ shape }] = checkOperands('argSort', given, 1, 'any');
      if (shape.length === 0) fail('axis', 'argSort', 'expected at least one axis, got a scalar');
      const size = shape[shape.length - 1];
      if (!isCount(count) || count > size) fail('argument', 'argSort', `count must be 0 … ${size}, the length of the last axis, got ${count}`);
      return { shape: [...shape.slice(0, -1), count], dtype: 'int32' };
    },
    gradient: null,
    evaluate({ node, inputs: [values] }) {
      const { descending, count } = node.attributes;
      const x = wide(values);
      const [size] = node.inputs[0].shape.slice(-1);
      const out = new Int32Array(sizeOf(node.shape));
      for (let row = 0; row * count < out.length; row++) {
        out.set(sortedOrder(x.subarray(row * size, (row + 1) * size), descending).subarray(0, count), row * count);
      }
      return out;
    },
  },
});
