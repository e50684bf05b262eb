/** Ops that only move elements: every dtype, half floats included, is moved as it is stored. */
import { newArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { isHalf, storedNumber } from '../core/half.ts';
import { checkShape, dropAxes, sameShape, sizeOf, stridesOf, tryBroadcast } from '../core/shape.ts';
import type { Padding } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';
import { checkAxes, checkOperands, isCount } from './check.ts';
import { family } from './registry.ts';
import { copyStrided, gathered } from './strided.ts';

function checkRank(operation: string, what: string, list: readonly unknown[], rank: number): void {
  if (list.length !== rank) fail('argument', operation, `expected ${what} for each of the ${rank} dimensions, got ${list.length}`);
}

/** The adjoint of taking every step-th element: `x` with step − 1 zeros after each element, along every axis. */
function spreadOut(x: Node, step: readonly number[]): Node {
  if (step.every((s) => s === 1)) return x;
  // Each stepped axis gets an axis of length 1 behind it, which is padded to the step and merged again.
  const split = x.shape.flatMap((d, i) => (step[i] === 1 ? [d] : [d, 1]));
  const behind = step.flatMap((s) => (s === 1 ? [0] : [0, s - 1])).map((high) => [0, high] as const);
  const spread = x.shape.map((d, i) => d * step[i]);
  return build.reshape(build.pad(build.reshape(x, split), behind), spread);
}

const inverseOf = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));
const before = (padding: Padding): number[] => padding.map(([low]) => low);
const zeros = (count: number): number[] => new Array<number>(count).fill(0);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((total, x, i) => total + x * b[i], 0);

export const movementOps = family('movement', {
  reshape: {
    doc: 'The same elements, row by row, in another shape.',
    infer: (inputs, { shape }) => {
      const [x] = checkOperands('reshape', inputs, 1);
      checkShape('reshape', shape);
      if (sizeOf(shape) === sizeOf(x.shape)) return { shape, dtype: x.dtype };
      const problem = `${showShape(x.shape)} has ${sizeOf(x.shape)} elements, ${showShape(shape)} would have ${sizeOf(shape)}`;
      return fail('shape', 'reshape', problem, 'The product of the dimensions must stay the same.');
    },
    gradient: (node, dOut) => [build.reshape(dOut, node.inputs[0].shape)],
    evaluate: ({ inputs }) => inputs[0],
  },

  permute: {
    doc: 'Axes in another order: output axis i is input axis axes[i].',
    infer: (inputs, { axes }) => {
      const [{ shape, dtype }] = checkOperands('transpose', inputs, 1);
      checkRank('transpose', 'an axis', axes, shape.length);
      const ascending = [...axes].sort((a, b) => a - b);
      checkAxes('transpose', ascending, shape.length);
      return { shape: axes.map((a) => shape[a]), dtype };
    },
    gradient: ({ attributes: { axes } }, dOut) => [build.permute(dOut, inverseOf(axes))],
    evaluate({ node: { dtype, shape, attributes, inputs }, inputs: [x] }) {
      const strides = stridesOf(inputs[0].shape);
      const permuted = attributes.axes.map((a) => strides[a]);
      return gathered(dtype, shape, x, permuted);
    },
  },

  broadcast: {
    doc: 'Repeats along axes of length 1, and along new axes on the left.',
    infer: (inputs, { shape }) => {
      const [x] = checkOperands('broadcastTo', inputs, 1);
      checkShape('broadcastTo', shape);
      if (sameShape(tryBroadcast(x.shape, shape) ?? [-1], shape)) return { shape, dtype: x.dtype };
      const problem = `${showShape(x.shape)} does not stretch to ${showShape(shape)}`;
      return fail('shape', 'broadcastTo', problem, 'Dimensions must be equal or 1, counted from the right.');
    },
    gradient(node, dOut) {
      const { shape, dtype } = node.inputs[0];
      return [build.cast(build.sumTo(isHalf(dtype) ? build.cast(dOut, 'float32') : dOut, shape), dtype)];
    },
    evaluate({ node: { dtype, shape, inputs }, inputs: [x] }) {
      if (x.length === 1) return newArray(dtype, sizeOf(shape)).fill(x[0]);
      // The input stands still along axes that it repeats, and along those that it does not have.
      const from = inputs[0].shape;
      const own = stridesOf(from).map((s, i) => (from[i] === 1 ? 0 : s));
      return gathered(dtype, shape, x, [...zeros(shape.length - from.length), ...own]);
    },
  },

  slice: {
    doc: 'size[i] elements along axis i, from start[i], every step[i]-th.',
    infer: (inputs, { start, size, step }) => {
      const [{ shape, dtype }] = checkOperands('slice', inputs, 1);
      for (const [what, list] of Object.entries({ 'a start': start, 'a size': size, 'a step': step })) checkRank('slice', what, list, shape.length);
      shape.forEach((d, i) => {
        const end = size[i] === 0 ? start[i] : start[i] + (size[i] - 1) * step[i] + 1;
        if (isCount(start[i]) && isCount(size[i]) && isCount(step[i], 1) && end <= d) return;
        fail('value', 'slice', `start ${start[i]}, size ${size[i]}, step ${step[i]} reach outside axis ${i} of length ${d} (shape ${showShape(shape)})`);
      });
      return { shape: size, dtype };
    },
    gradient({ attributes: { start, step }, inputs: [{ shape }] }, dOut) {
      const spread = spreadOut(dOut, step);
      const lengths = spread.shape.map((d, i) => Math.min(d, shape[i] - start[i])); // the zeros after the last element may reach beyond the input
      const border = start.map((s, i) => [s, shape[i] - s - lengths[i]] as const);
      return [build.pad(build.slice(spread, zeros(start.length), lengths), border)];
    },
    evaluate({ node: { dtype, shape, attributes, inputs }, inputs: [x] }) {
      const { start, step } = attributes;
      const strides = stridesOf(inputs[0].shape);
      const stepped = strides.map((s, i) => s * step[i]);
      return gathered(dtype, shape, x, stepped, dot(start, strides));
    },
  },

  pad: {
    doc: 'A border of `value`: padding[i] = [before, after] along axis i.',
    infer: (inputs, { padding }) => {
      const [{ shape, dtype }] = checkOperands('pad', inputs, 1);
      checkRank('pad', 'a pair [before, after]', padding, shape.length);
      for (const [low, high] of padding) {
        if (isCount(low) && isCount(high)) continue;
        fail('value', 'pad', `padding must be whole numbers ≥ 0, got [${low}, ${high}]`, 'Use slice to make a tensor smaller.');
      }
      return { shape: shape.map((d, i) => d + padding[i][0] + padding[i][1]), dtype };
    },
    gradient: ({ attributes: { padding }, inputs: [{ shape }] }, dOut) => [build.slice(dOut, before(padding), shape)],
    evaluate({ node, inputs: [x] }) {
      const { padding, value } = node.attributes;
      const out = newArray(node.dtype, sizeOf(node.shape));
      if (value !== 0) out.fill(storedNumber(node.dtype, value));
      const strides = stridesOf(node.shape);
      const { shape } = node.inputs[0];
      copyStrided(shape, { array: x, offset: 0, strides: stridesOf(shape) }, { array: out, offset: dot(before(padding), strides), strides });
      return out;
    },
  },

  flip: {
    doc: 'Reversed along some axes.',
    infer: (inputs, { axes }) => {
      const [{ shape, dtype }] = checkOperands('flip', inputs, 1);
      checkAxes('flip', axes, shape.length);
      return { shape, dtype };
    },
    gradient: ({ attributes: { axes } }, dOut) => [build.flip(dOut, axes)],
    evaluate({ node: { dtype, shape, attributes }, inputs: [x] }) {
      const strides = stridesOf(shape);
      const last = shape.map((d, i) => (attributes.axes.includes(i) ? d - 1 : 0));
      const turned = strides.map((s, i) => (attributes.axes.includes(i) ? -s : s));
      return gathered(dtype, shape, x, turned, dot(last, strides));
    },
  },

  concat: {
    doc: 'One after the other along an axis.',
    infer: (inputs, { axis }) => {
      if (inputs.length === 0) fail('argument', 'concat', 'expected at least one tensor, got none');
      const [first] = inputs;
      checkAxes('concat', [axis], first.shape.length);
      for (const other of inputs) {
        if (other.dtype !== first.dtype) fail('dtype', 'concat', `tensors are ${first.dtype} and ${other.dtype}`, 'Cast them to one dtype.');
        if (sameShape(dropAxes(other.shape, [axis]), dropAxes(first.shape, [axis]))) continue;
        fail('shape', 'concat', `shapes ${showShape(first.shape)} and ${showShape(other.shape)} differ in more than axis ${axis}`);
      }
      const length = inputs.reduce((total, x) => total + x.shape[axis], 0);
      return { shape: first.shape.with(axis, length), dtype: first.dtype };
    },
    gradient({ attributes: { axis }, inputs }, dOut, needed) {
      let begin = 0;
      return inputs.map((x, i) => {
        const start = zeros(x.shape.length).with(axis, begin);
        begin += x.shape[axis];
        return needed[i] ? build.slice(dOut, start, x.shape) : null;
      });
    },
    evaluate({ node, inputs }) {
      const { axis } = node.attributes;
      const out = newArray(node.dtype, sizeOf(node.shape));
      const rows = sizeOf(node.shape.slice(0, axis));
      const stride = sizeOf(node.shape.slice(axis));
      let offset = 0;
      for (const [i, array] of inputs.entries()) {
        const length = sizeOf(node.inputs[i].shape.slice(axis));
        copyStrided([rows, length], { array, offset: 0, strides: [length, 1] }, { array: out, offset, strides: [stride, 1] });
        offset += length;
      }
      return out;
    },
  },
});
