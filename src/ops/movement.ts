/** Ops that only move elements: every dtype, half floats included, is moved as it is stored. */
import { newArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { isHalf, storedNumber } from '../core/half.ts';
import { checkShape, type Shape, sameShape, sizeOf, stridesOf, tryBroadcast } from '../core/shape.ts';
import type { OpName } from '../graph/attributes.ts';
import { attributesOf, type Node } from '../graph/node.ts';
import * as build from './build.ts';
import { checkAxes, checkCount, showType } from './check.ts';
import type { Op, Sample } from './op.ts';
import { define } from './registry.ts';
import { copyRepeated, copyStrided } from './strided.ts';

const inverse = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));

function checkRank(operation: string, what: string, list: readonly unknown[], rank: number): void {
  if (list.length !== rank) fail('argument', operation, `expected ${what} for each of the ${rank} dimensions, got ${list.length}`);
}

/** The adjoint of taking every step-th element: `x` with step − 1 zeros after each element, along every axis. */
function spreadOut(x: Node, step: readonly number[]): Node {
  if (step.every((s) => s === 1)) return x;
  // Each stepped axis gets an axis of length 1 behind it, which is padded to the step and merged again.
  const split = x.shape.flatMap((d, i) => (step[i] === 1 ? [d] : [d, 1]));
  const padding = step.flatMap((s): (readonly [number, number])[] => [[0, 0] as const, [0, s - 1] as const].slice(0, s === 1 ? 1 : 2));
  const spread = x.shape.map((d, i) => d * step[i]);
  return build.reshape(build.pad(build.reshape(x, split), padding), spread);
}

/** The input's shape aligned with the output's on the right, 1 where it has no axis. */
const aligned = (from: Shape, rank: number): Shape => [...new Array<number>(rank - from.length).fill(1), ...from];

const moved = (dtype: 'float16' | 'uint8' | 'bool' | 'int32'): { name: string; dtype: typeof dtype; low: number; high: number } => ({
  name: dtype,
  dtype,
  low: 0,
  high: 100,
});
const storageTypes = (['float16', 'uint8', 'bool', 'int32'] as const).map(moved);

export const movementOps = {
  reshape: define<'reshape'>({
    name: 'reshape',
    kind: 'movement',
    doc: 'The same elements, row by row, in another shape.',
    infer: (inputs, { shape }) => {
      checkCount('reshape', inputs, 1);
      checkShape('reshape', shape);
      const [x] = inputs;
      if (sizeOf(shape) !== sizeOf(x.shape)) {
        fail(
          'shape',
          'reshape',
          `${showShape(x.shape)} has ${sizeOf(x.shape)} elements, ${showShape(shape)} would have ${sizeOf(shape)}`,
          'The product of the dimensions must stay the same.',
        );
      }
      return { shape, dtype: x.dtype };
    },
    gradient: (node, dOut) => [build.reshape(dOut, node.inputs[0].shape)],
    evaluate: ({ inputs }) => inputs[0],
    samples: () => [
      { name: 'matrix', inputs: [{ shape: [2, 3, 5] }], attributes: { shape: [5, 6] } },
      { name: 'same shape', inputs: [{ shape: [4] }], attributes: { shape: [4] } },
      { name: 'scalar', inputs: [{ shape: [1, 1] }], attributes: { shape: [] } },
      { name: 'empty', inputs: [{ shape: [0, 3] }], attributes: { shape: [7, 0] } },
      { name: 'ones', inputs: [{ shape: [7] }], attributes: { shape: [1, 7, 1, 1] } },
    ],
  }),

  permute: define<'permute'>({
    name: 'permute',
    kind: 'movement',
    doc: 'Axes in another order: output axis i is input axis axes[i].',
    infer: (inputs, { axes }) => {
      checkCount('transpose', inputs, 1);
      const { shape, dtype } = inputs[0];
      checkRank('transpose', 'an axis', axes, shape.length);
      checkAxes(
        'transpose',
        [...axes].sort((a, b) => a - b),
        shape.length,
      );
      return { shape: axes.map((a) => shape[a]), dtype };
    },
    gradient: (node, dOut) => [build.permute(dOut, inverse(attributesOf(node, 'permute').axes))],
    evaluate: ({ node, inputs: [x] }) => {
      const strides = stridesOf(node.inputs[0].shape);
      const out = newArray(node.dtype, x.length);
      const source = { array: x, offset: 0, strides: attributesOf(node, 'permute').axes.map((a) => strides[a]) };
      copyStrided(node.shape, source, { array: out, offset: 0, strides: stridesOf(node.shape) });
      return out;
    },
    samples: () => [
      { name: 'transpose', inputs: [{ shape: [3, 7] }], attributes: { axes: [1, 0] } },
      { name: 'wide rows', inputs: [{ shape: [5, 3, 31] }], attributes: { axes: [1, 0, 2] } },
      { name: 'rank 4', inputs: [{ shape: [2, 3, 1, 5] }], attributes: { axes: [3, 1, 0, 2] } },
      { name: 'reversed', inputs: [{ shape: [2, 3, 4] }], attributes: { axes: [2, 1, 0] } },
      { name: 'identity', inputs: [{ shape: [2, 3] }], attributes: { axes: [0, 1] } },
      { name: 'scalar', inputs: [{ shape: [] }], attributes: { axes: [] } },
      { name: 'empty', inputs: [{ shape: [2, 0, 3] }], attributes: { axes: [2, 0, 1] } },
      ...storageTypes.map(
        ({ name, ...type }): Sample<'permute'> => ({ name, inputs: [{ shape: [3, 5, 2], ...type }], attributes: { axes: [1, 2, 0] }, differentiable: false }),
      ),
    ],
  }),

  broadcast: define<'broadcast'>({
    name: 'broadcast',
    kind: 'movement',
    doc: 'Repeats along axes of length 1, and along new axes on the left.',
    infer: (inputs, { shape }) => {
      checkCount('broadcastTo', inputs, 1);
      checkShape('broadcastTo', shape);
      const [x] = inputs;
      const joint = tryBroadcast(x.shape, shape);
      if (!joint || !sameShape(joint, shape))
        fail(
          'shape',
          'broadcastTo',
          `${showShape(x.shape)} does not stretch to ${showShape(shape)}`,
          'Dimensions, counted from the right, must be equal or 1.',
        );
      return { shape, dtype: x.dtype };
    },
    gradient: (node, dOut) => {
      const { shape, dtype } = node.inputs[0];
      return [build.cast(build.sumTo(isHalf(dtype) ? build.cast(dOut, 'float32') : dOut, shape), dtype)];
    },
    evaluate: ({ node, inputs: [x] }) => {
      const out = newArray(node.dtype, sizeOf(node.shape));
      if (x.length === 1) return out.fill(x[0]);
      const from = aligned(node.inputs[0].shape, node.shape.length);
      copyRepeated(
        node.shape,
        x,
        stridesOf(from).map((s, i) => (from[i] === 1 ? 0 : s)),
        out,
      );
      return out;
    },
    samples: () => [
      { name: 'scalar', inputs: [{ shape: [] }], attributes: { shape: [3, 5] } },
      { name: 'scalar to scalar', inputs: [{ shape: [] }], attributes: { shape: [] } },
      { name: 'row', inputs: [{ shape: [7] }], attributes: { shape: [3, 7] } },
      { name: 'column', inputs: [{ shape: [7, 1] }], attributes: { shape: [7, 3] } },
      { name: 'long column', inputs: [{ shape: [3, 1] }], attributes: { shape: [3, 37] } },
      { name: 'middle', inputs: [{ shape: [2, 1, 3] }], attributes: { shape: [2, 5, 3] } },
      { name: 'both sides', inputs: [{ shape: [5, 1, 3, 1] }], attributes: { shape: [2, 5, 2, 3, 4] } },
      { name: 'ones', inputs: [{ shape: [1, 1] }], attributes: { shape: [1, 1, 1] } },
      { name: 'to empty', inputs: [{ shape: [1, 3] }], attributes: { shape: [0, 3] } },
      ...storageTypes.map(
        ({ name, ...type }): Sample<'broadcast'> => ({ name, inputs: [{ shape: [3, 1], ...type }], attributes: { shape: [2, 3, 2] }, differentiable: false }),
      ),
    ],
  }),

  slice: define<'slice'>({
    name: 'slice',
    kind: 'movement',
    doc: 'size[i] elements along axis i, from start[i], every step[i]-th.',
    infer: (inputs, { start, size, step }) => {
      checkCount('slice', inputs, 1);
      const { shape, dtype } = inputs[0];
      for (const [what, list] of [
        ['a start', start],
        ['a size', size],
        ['a step', step],
      ] as const)
        checkRank('slice', what, list, shape.length);
      shape.forEach((d, i) => {
        if (![start[i], size[i], step[i]].every(Number.isInteger) || start[i] < 0 || size[i] < 0 || step[i] < 1) {
          fail(
            'value',
            'slice',
            `start and size must be whole numbers ≥ 0 and step ≥ 1, got start ${start[i]}, size ${size[i]}, step ${step[i]} along axis ${i}`,
          );
        }
        const end = size[i] === 0 ? start[i] : start[i] + (size[i] - 1) * step[i] + 1;
        if (end > d) fail('shape', 'slice', `elements ${start[i]} … ${end - 1} are asked for along axis ${i}, which has ${d} (input ${showShape(shape)})`);
      });
      return { shape: size, dtype };
    },
    gradient: (node, dOut) => {
      const { start, step } = attributesOf(node, 'slice');
      const { shape } = node.inputs[0];
      const spread = spreadOut(dOut, step);
      const lengths = spread.shape.map((d, i) => Math.min(d, shape[i] - start[i])); // the zeros after the last element may reach beyond the input
      return [
        build.pad(
          build.slice(
            spread,
            start.map(() => 0),
            lengths,
          ),
          start.map((s, i) => [s, shape[i] - s - lengths[i]]),
        ),
      ];
    },
    evaluate: ({ node, inputs: [x] }) => {
      const { start, step } = attributesOf(node, 'slice');
      const strides = stridesOf(node.inputs[0].shape);
      const out = newArray(node.dtype, sizeOf(node.shape));
      const offset = start.reduce((total, s, i) => total + s * strides[i], 0);
      copyStrided(node.shape, { array: x, offset, strides: strides.map((s, i) => s * step[i]) }, { array: out, offset: 0, strides: stridesOf(node.shape) });
      return out;
    },
    samples: () => [
      { name: 'vector', inputs: [{ shape: [11] }], attributes: { start: [3], size: [5], step: [1] } },
      { name: 'step', inputs: [{ shape: [11] }], attributes: { start: [1], size: [4], step: [3] } },
      { name: 'step to the end', inputs: [{ shape: [10, 3] }], attributes: { start: [1, 0], size: [5, 2], step: [2, 2] } },
      { name: 'rank 4', inputs: [{ shape: [2, 5, 3, 7] }], attributes: { start: [1, 2, 0, 1], size: [1, 3, 2, 3], step: [1, 1, 2, 2] } },
      { name: 'wide rows', inputs: [{ shape: [5, 41] }], attributes: { start: [1, 3], size: [3, 33], step: [1, 1] } },
      { name: 'all', inputs: [{ shape: [2, 3] }], attributes: { start: [0, 0], size: [2, 3], step: [1, 1] } },
      { name: 'nothing', inputs: [{ shape: [4, 3] }], attributes: { start: [2, 0], size: [0, 3], step: [1, 1] } },
      { name: 'scalar', inputs: [{ shape: [] }], attributes: { start: [], size: [], step: [] } },
      ...storageTypes.map(
        ({ name, ...type }): Sample<'slice'> => ({
          name,
          inputs: [{ shape: [7, 3], ...type }],
          attributes: { start: [1, 1], size: [3, 2], step: [2, 1] },
          differentiable: false,
        }),
      ),
    ],
  }),

  pad: define<'pad'>({
    name: 'pad',
    kind: 'movement',
    doc: 'A border of `value`: padding[i] = [before, after] along axis i.',
    infer: (inputs, { padding }) => {
      checkCount('pad', inputs, 1);
      const { shape, dtype } = inputs[0];
      checkRank('pad', 'a pair [before, after]', padding, shape.length);
      for (const [low, high] of padding) {
        if (!Number.isInteger(low) || !Number.isInteger(high) || low < 0 || high < 0)
          fail('value', 'pad', `padding must be whole numbers ≥ 0, got [${low}, ${high}]`, 'Use slice to make a tensor smaller.');
      }
      return { shape: shape.map((d, i) => d + padding[i][0] + padding[i][1]), dtype };
    },
    gradient: (node, dOut) => [
      build.slice(
        dOut,
        attributesOf(node, 'pad').padding.map(([low]) => low),
        node.inputs[0].shape,
      ),
    ],
    evaluate: ({ node, inputs: [x] }) => {
      const { padding, value } = attributesOf(node, 'pad');
      const out = newArray(node.dtype, sizeOf(node.shape));
      if (value !== 0) out.fill(storedNumber(node.dtype, value));
      const strides = stridesOf(node.shape);
      const { shape } = node.inputs[0];
      const offset = padding.reduce((total, [low], i) => total + low * strides[i], 0);
      copyStrided(shape, { array: x, offset: 0, strides: stridesOf(shape) }, { array: out, offset, strides });
      return out;
    },
    samples: () => [
      { name: 'vector', inputs: [{ shape: [5] }], attributes: { padding: [[2, 1]], value: 0 } },
      {
        name: 'value',
        inputs: [{ shape: [3, 2] }],
        attributes: {
          padding: [
            [0, 1],
            [2, 0],
          ],
          value: -1.5,
        },
      },
      {
        name: 'rank 4',
        inputs: [{ shape: [2, 3, 3, 2] }],
        attributes: {
          padding: [
            [0, 0],
            [1, 1],
            [1, 2],
            [0, 0],
          ],
          value: 0,
        },
      },
      {
        name: 'wide rows',
        inputs: [{ shape: [3, 29] }],
        attributes: {
          padding: [
            [1, 0],
            [1, 3],
          ],
          value: 1,
        },
      },
      { name: 'nothing', inputs: [{ shape: [3] }], attributes: { padding: [[0, 0]], value: 0 } },
      {
        name: 'empty',
        inputs: [{ shape: [0, 2] }],
        attributes: {
          padding: [
            [1, 2],
            [0, 1],
          ],
          value: 3,
        },
      },
      { name: 'infinity', inputs: [{ shape: [2] }], attributes: { padding: [[1, 1]], value: Number.NEGATIVE_INFINITY }, differentiable: false },
      ...storageTypes.map(
        ({ name, ...type }): Sample<'pad'> => ({
          name,
          inputs: [{ shape: [3, 2], ...type }],
          attributes: {
            padding: [
              [1, 0],
              [0, 2],
            ],
            value: 1,
          },
          differentiable: false,
        }),
      ),
    ],
  }),

  flip: define<'flip'>({
    name: 'flip',
    kind: 'movement',
    doc: 'Reversed along some axes.',
    infer: (inputs, { axes }) => {
      checkCount('flip', inputs, 1);
      checkAxes('flip', axes, inputs[0].shape.length);
      return { shape: inputs[0].shape, dtype: inputs[0].dtype };
    },
    gradient: (node, dOut) => [build.flip(dOut, attributesOf(node, 'flip').axes)],
    evaluate: ({ node, inputs: [x] }) => {
      const { axes } = attributesOf(node, 'flip');
      const strides = stridesOf(node.shape);
      const out = newArray(node.dtype, x.length);
      const offset = axes.reduce((total, a) => total + (node.shape[a] - 1) * strides[a], 0);
      copyStrided(node.shape, { array: x, offset, strides: strides.map((s, i) => (axes.includes(i) ? -s : s)) }, { array: out, offset: 0, strides });
      return out;
    },
    samples: () => [
      { name: 'vector', inputs: [{ shape: [7] }], attributes: { axes: [0] } },
      { name: 'rows', inputs: [{ shape: [3, 31] }], attributes: { axes: [0] } },
      { name: 'two axes', inputs: [{ shape: [2, 3, 4, 5] }], attributes: { axes: [1, 2] } },
      { name: 'all axes', inputs: [{ shape: [2, 3, 5] }], attributes: { axes: [0, 1, 2] } },
      { name: 'empty', inputs: [{ shape: [0, 3] }], attributes: { axes: [0] } },
      ...storageTypes.map(
        ({ name, ...type }): Sample<'flip'> => ({ name, inputs: [{ shape: [3, 5], ...type }], attributes: { axes: [1] }, differentiable: false }),
      ),
    ],
  }),

  concat: define<'concat'>({
    name: 'concat',
    kind: 'movement',
    doc: 'One after the other along an axis.',
    infer: (inputs, { axis }) => {
      if (inputs.length === 0) fail('argument', 'concat', 'expected at least one tensor, got none');
      const [first] = inputs;
      checkAxes('concat', [axis], first.shape.length);
      for (const other of inputs) {
        if (other.dtype !== first.dtype) fail('dtype', 'concat', `tensors are ${first.dtype} and ${other.dtype}`, 'Cast them to one dtype.');
        if (other.shape.length !== first.shape.length || other.shape.some((d, i) => i !== axis && d !== first.shape[i])) {
          fail('shape', 'concat', `${showType(first)} and ${showType(other)} do not join along axis ${axis}`, 'All other dimensions must be equal.');
        }
      }
      const length = inputs.reduce((total, x) => total + x.shape[axis], 0);
      return { shape: first.shape.map((d, i) => (i === axis ? length : d)), dtype: first.dtype };
    },
    gradient: (node, dOut, needed) => {
      const { axis } = attributesOf(node, 'concat');
      let begin = 0;
      return node.inputs.map((x, i) => {
        const start = x.shape.map((_, k) => (k === axis ? begin : 0));
        begin += x.shape[axis];
        return needed[i] ? build.slice(dOut, start, x.shape) : null;
      });
    },
    evaluate: ({ node, inputs }) => {
      const { axis } = attributesOf(node, 'concat');
      const out = newArray(node.dtype, sizeOf(node.shape));
      const rows = sizeOf(node.shape.slice(0, axis));
      const stride = sizeOf(node.shape.slice(axis));
      let offset = 0;
      inputs.forEach((x, i) => {
        const length = sizeOf(node.inputs[i].shape.slice(axis));
        copyStrided([rows, length], { array: x, offset: 0, strides: [length, 1] }, { array: out, offset, strides: [stride, 1] });
        offset += length;
      });
      return out;
    },
    samples: () => [
      { name: 'vectors', inputs: [{ shape: [3] }, { shape: [5] }], attributes: { axis: 0 } },
      { name: 'columns', inputs: [{ shape: [3, 2] }, { shape: [3, 1] }, { shape: [3, 4] }], attributes: { axis: 1 } },
      { name: 'channels', inputs: [{ shape: [2, 3, 3, 4] }, { shape: [2, 3, 3, 30] }], attributes: { axis: 3 } },
      { name: 'middle', inputs: [{ shape: [2, 1, 3] }, { shape: [2, 4, 3] }], attributes: { axis: 1 } },
      { name: 'one', inputs: [{ shape: [2, 2] }], attributes: { axis: 0 } },
      { name: 'with empty', inputs: [{ shape: [0, 2] }, { shape: [3, 2] }], attributes: { axis: 0 } },
      ...storageTypes.map(
        ({ name, ...type }): Sample<'concat'> => ({
          name,
          inputs: [
            { shape: [2, 3], ...type },
            { shape: [2, 2], ...type },
          ],
          attributes: { axis: 1 },
          differentiable: false,
        }),
      ),
    ],
  }),
} satisfies Partial<{ [K in OpName]: Op<K> }>;
