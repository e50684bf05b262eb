/**
 * Windows that slide over some axes (pooling): their sums and maxima, and the adjoints that carry gradients back.
 * Positions outside the input take no part: they add 0 to a sum and never win a maximum.
 */
import { newArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { WindowGeometry } from '../graph/attributes.ts';
import { attributesOf, type TensorType } from '../graph/node.ts';
import { windowed } from './build.ts';
import { checkCount } from './check.ts';
import type { Evaluation, Op, SampleInput } from './op.ts';
import { define } from './registry.ts';
import { type Meetings, meetings, positions, type SlidingAxis } from './sliding.ts';
import { comparable, narrow, sameDtype, wide } from './wide.ts';

type Windowed = 'windowSum' | 'windowSpread' | 'windowMax' | 'windowArgMax' | 'windowPick' | 'windowPlace';

/** The shape of one value per window: the input's, with the window axes replaced by the number of positions. */
export function windowShape({ axes, size, stride, padding, inputShape }: WindowGeometry): number[] {
  const shape = [...inputShape];
  for (const [i, axis] of axes.entries()) shape[axis] = positions(inputShape[axis] + padding[i][0] + padding[i][1], size[i], stride[i]);
  return shape;
}

function checkGeometry(operation: string, geometry: WindowGeometry): void {
  const { axes, size, stride, padding, inputShape } = geometry;
  if ([size, stride, padding].some((list) => list.length !== axes.length))
    fail('argument', operation, `size, stride and padding need one entry per axis (${axes.length})`);
  if (new Set(axes).size !== axes.length || axes.some((axis) => !Number.isInteger(axis) || axis < 0 || axis >= inputShape.length)) {
    fail('axis', operation, `axes ${showShape(axes)} do not fit an input ${showShape(inputShape)}`);
  }
  for (const [i, axis] of axes.entries()) {
    if (!Number.isInteger(size[i]) || size[i] < 1) fail('argument', operation, `the window size must be a whole number ≥ 1, got ${size[i]}`);
    if (!Number.isInteger(stride[i]) || stride[i] < 1) fail('argument', operation, `the stride must be a whole number ≥ 1, got ${stride[i]}`);
    const [low, high] = padding[i];
    if (![low, high].every((p) => Number.isInteger(p) && p >= 0))
      fail('argument', operation, `padding must be whole numbers ≥ 0, got ${showShape(padding[i])}`);
    if (Math.max(low, high) >= size[i])
      fail('argument', operation, `padding ${showShape(padding[i])} lets windows of ${size[i]} lie outside the input`, 'Pad less than the window.');
    if (inputShape[axis] + low + high < size[i] || inputShape[axis] === 0) {
      fail(
        'shape',
        operation,
        `windows of ${size[i]} do not fit axis ${axis} of length ${inputShape[axis]} (padding ${showShape(padding[i])})`,
        'Use smaller windows or more padding.',
      );
    }
  }
}

/** Calls `visit` for each position in the window with all (output, input) pairs that meet there. */
function eachTap(geometry: WindowGeometry, visit: (meet: Meetings, tap: number) => void): void {
  const output = windowShape(geometry);
  const axes: SlidingAxis[] = geometry.inputShape.map((input, axis) => {
    const i = geometry.axes.indexOf(axis);
    const [taps, stride, low] = i < 0 ? [1, 1, 0] : [geometry.size[i], geometry.stride[i], geometry.padding[i][0]];
    return { input, output: output[axis], taps, stride, low, dilation: 1, inputDilation: 1 };
  });
  for (let tap = 0; tap < sizeOf(axes.map((axis) => axis.taps)); tap++) visit(meetings(axes, tap), tap);
}

/** Positions in a window count row-major over `axes` sorted; an out of order `axes` list would change what a position means. */
function sortedAxes(operation: string, geometry: WindowGeometry): void {
  if (geometry.axes.some((axis, i) => i > 0 && axis < geometry.axes[i - 1])) fail('axis', operation, `axes ${showShape(geometry.axes)} must ascend`);
}

function expectShapes(operation: string, inputs: readonly TensorType[], shapes: readonly Shape[]): void {
  checkCount(operation, inputs, shapes.length);
  for (const [i, shape] of shapes.entries()) {
    if (!sameShape(inputs[i].shape, shape)) fail('shape', operation, `expected input ${i} ${showShape(shape)}, got ${showShape(inputs[i].shape)}`);
  }
}

/** The largest of each window and where it stands: the first of equals; NaN is larger than all. */
function maxima(geometry: WindowGeometry, x: Float64Array): { value: Float64Array; at: Int32Array } {
  const count = sizeOf(windowShape(geometry));
  const value = new Float64Array(count).fill(-Infinity);
  const at = new Int32Array(count).fill(-1);
  eachTap(geometry, ({ output, input }, tap) => {
    for (let p = 0; p < output.length; p++) {
      const q = output[p];
      const candidate = x[input[p]];
      if (at[q] < 0 || candidate > value[q] || (Number.isNaN(candidate) && !Number.isNaN(value[q]))) {
        value[q] = candidate;
        at[q] = tap;
      }
    }
  });
  return { value, at };
}

const geometryOf = ({ node }: Evaluation): WindowGeometry => node.attributes as WindowGeometry;

interface Definition extends Pick<Op<'windowSum'>, 'doc' | 'gradient' | 'evaluate'> {
  /** Shapes of the operands. */
  readonly shapes: (outer: Shape, inner: Shape) => readonly Shape[];
  /** The result's shape and dtype. */
  readonly result: (outer: Shape, inner: Shape, inputs: readonly TensorType[]) => TensorType;
  readonly sampleInputs: (item: Case, outer: Shape) => readonly SampleInput[];
}

interface Case {
  readonly name: string;
  readonly geometry: WindowGeometry;
}

const geometry = (
  inputShape: Shape,
  axes: readonly number[],
  size: readonly number[],
  stride: readonly number[] = size,
  padding = size.map(() => [0, 0] as const),
): WindowGeometry => ({ inputShape, axes, size, stride, padding });
const cases = (): Case[] => [
  { name: '2 × 2', geometry: geometry([2, 4, 6, 3], [1, 2], [2, 2]) },
  { name: '2 × 2 with remainder', geometry: geometry([1, 5, 7, 2], [1, 2], [2, 2]) },
  {
    name: 'overlapping, asymmetric padding',
    geometry: {
      ...geometry([2, 5, 6, 2], [1, 2], [3, 3], [2, 1]),
      padding: [
        [1, 0],
        [2, 1],
      ],
    },
  },
  { name: 'gaps between windows', geometry: geometry([1, 8, 7, 1], [1, 2], [2, 1], [3, 2]) },
  { name: 'global', geometry: geometry([2, 3, 4, 2], [1, 2], [3, 4], [1, 1]) },
  { name: '1-d', geometry: { ...geometry([2, 9, 3], [1], [4], [3]), padding: [[2, 3]] } },
  { name: '3-d', geometry: geometry([1, 4, 3, 5, 2], [1, 2, 3], [2, 3, 2], [2, 1, 3]) },
  { name: 'first and last axis', geometry: geometry([4, 2, 5], [0, 2], [2, 3], [1, 2]) },
  { name: 'no axes', geometry: geometry([2, 3], [], []) },
  { name: 'empty batch', geometry: geometry([0, 4, 4, 1], [1, 2], [2, 2]) },
];

function defineWindowed(name: Windowed, op: Definition): void {
  define<Windowed>({
    name,
    kind: 'window',
    doc: op.doc,
    infer(inputs, attributes) {
      checkGeometry(name, attributes);
      sortedAxes(name, attributes);
      const outer = windowShape(attributes);
      expectShapes(name, inputs, op.shapes(outer, attributes.inputShape));
      return op.result(outer, attributes.inputShape, inputs);
    },
    gradient: op.gradient,
    evaluate: op.evaluate,
    samples: () => cases().map((item) => ({ name: item.name, attributes: item.geometry, inputs: op.sampleInputs(item, windowShape(item.geometry)) })),
  });
}

defineWindowed('windowSum', {
  doc: 'the sum of each window',
  shapes: (_, inner) => [inner],
  result: (shape, _, inputs) => ({ shape, dtype: sameDtype('windowSum', inputs) }),
  gradient: (node, dOut) => [windowed('windowSpread', [dOut], attributesOf(node, 'windowSum'))],
  evaluate(call) {
    const x = wide(call.inputs[0]);
    const out = new Float64Array(sizeOf(call.node.shape));
    eachTap(geometryOf(call), ({ output, input }) => {
      for (let p = 0; p < output.length; p++) out[output[p]] += x[input[p]];
    });
    return narrow(out, call.node.dtype);
  },
  sampleInputs: (item) => [{ shape: item.geometry.inputShape }],
});

defineWindowed('windowSpread', {
  doc: "each window's value added to all its positions: the adjoint of windowSum",
  shapes: (outer) => [outer],
  result: (_, shape, inputs) => ({ shape, dtype: sameDtype('windowSpread', inputs) }),
  gradient: (node, dOut) => [windowed('windowSum', [dOut], attributesOf(node, 'windowSpread'))],
  evaluate(call) {
    const values = wide(call.inputs[0]);
    const out = new Float64Array(sizeOf(call.node.shape));
    eachTap(geometryOf(call), ({ output, input }) => {
      for (let p = 0; p < output.length; p++) out[input[p]] += values[output[p]];
    });
    return narrow(out, call.node.dtype);
  },
  sampleInputs: (_, outer) => [{ shape: outer }],
});

defineWindowed('windowMax', {
  doc: 'the largest value of each window; NaN if there is one',
  shapes: (_, inner) => [inner],
  result: (shape, _, inputs) => ({ shape, dtype: sameDtype('windowMax', inputs, comparable) }),
  gradient(node, dOut) {
    const attributes = attributesOf(node, 'windowMax');
    return [windowed('windowPlace', [windowed('windowArgMax', node.inputs, attributes), dOut], attributes)];
  },
  evaluate: (call) => narrow(maxima(geometryOf(call), wide(call.inputs[0])).value, call.node.dtype),
  sampleInputs: (item) => [{ shape: item.geometry.inputShape, distinct: true }],
});

defineWindowed('windowArgMax', {
  doc: 'the row-major position inside its window of the largest value, the first of equals',
  shapes: (_, inner) => [inner],
  result(shape, _, inputs) {
    sameDtype('windowArgMax', inputs, comparable);
    return { shape, dtype: 'int32' };
  },
  gradient: null,
  evaluate: (call) => maxima(geometryOf(call), wide(call.inputs[0])).at,
  sampleInputs: (item) => [{ shape: item.geometry.inputShape, distinct: true }],
});

/** First and last positions of windows, alternating: some of them lie in the padding. */
const somePositions = ({ geometry: { size } }: Case, outer: Shape): number[] => Array.from({ length: sizeOf(outer) }, (_, i) => (i * 7) % sizeOf(size));

defineWindowed('windowPick', {
  doc: 'the value at a given position of each window, 0 where that lies in the padding',
  shapes: (outer, inner) => [outer, inner],
  result(shape, _, [at, x]) {
    sameDtype('windowPick', [at], ['int32']);
    return { shape, dtype: sameDtype('windowPick', [x]) };
  },
  gradient: (node, dOut) => [null, windowed('windowPlace', [node.inputs[0], dOut], attributesOf(node, 'windowPick'))],
  evaluate(call) {
    const [at, x] = call.inputs;
    const out = newArray(call.node.dtype, sizeOf(call.node.shape));
    eachTap(geometryOf(call), ({ output, input }, tap) => {
      for (let p = 0; p < output.length; p++) if (at[output[p]] === tap) out[output[p]] = x[input[p]];
    });
    return out;
  },
  sampleInputs: (item, outer) => [{ shape: outer, dtype: 'int32', values: somePositions(item, outer) }, { shape: item.geometry.inputShape }],
});

defineWindowed('windowPlace', {
  doc: "each window's value added at a given position of it: the adjoint of windowPick",
  shapes: (outer) => [outer, outer],
  result(_, shape, [at, values]) {
    sameDtype('windowPlace', [at], ['int32']);
    return { shape, dtype: sameDtype('windowPlace', [values]) };
  },
  gradient: (node, dOut) => [null, windowed('windowPick', [node.inputs[0], dOut], attributesOf(node, 'windowPlace'))],
  evaluate(call) {
    const [at, values] = call.inputs;
    const out = new Float64Array(sizeOf(call.node.shape));
    eachTap(geometryOf(call), ({ output, input }, tap) => {
      for (let p = 0; p < output.length; p++) if (at[output[p]] === tap) out[input[p]] += values[output[p]];
    });
    return narrow(out, call.node.dtype);
  },
  sampleInputs: (item, outer) => [{ shape: outer, dtype: 'int32', values: somePositions(item, outer) }, { shape: outer }],
});
