/** The geometry of a convolution from what a user says, with errors in the user's words; and the check of a finished geometry. */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape } from '../core/shape.ts';
import type { ConvGeometry, Padding } from '../graph/attributes.ts';
import { isCount } from './check.ts';
import { dilated, positions, type SlidingAxis } from './sliding.ts';

/** A number stands for all sides, or both of an axis. 'same': ceil(size / stride) outputs, an odd padding puts the extra one at the end; 'valid': none. */
export type ConvPadding = number | readonly (number | readonly [number, number])[] | 'same' | 'valid';

export interface ConvOptions {
  readonly stride?: number | readonly number[];
  readonly padding?: ConvPadding;
  /** Distance between the kernel's taps. */
  readonly dilation?: number | readonly number[];
  /** Distance between the input's positions (zeros between them). */
  readonly inputDilation?: number | readonly number[];
  readonly groups?: number;
}

/** One whole number ≥ 1 per axis. */
export function perAxis(operation: string, name: string, value: number | readonly number[], rank: number): readonly number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : value;
  if (list.length !== rank) fail('argument', operation, `${name} needs ${rank} numbers, one per spatial axis, got ${showShape(list)}`);
  for (const v of list) if (!isCount(v, 1)) fail('argument', operation, `${name} must be a whole number ≥ 1, got ${v}`);
  return list;
}

/** [low, high] per axis from any way of saying it. `extents` are the dilated kernel sizes, `sizes` the dilated input sizes. */
export function paddingPairs(
  operation: string,
  padding: ConvPadding,
  sizes: readonly number[],
  extents: readonly number[],
  stride: readonly number[],
): Padding {
  if (padding === 'valid') return sizes.map(() => [0, 0]);
  if (padding === 'same') {
    return sizes.map((size, i) => {
      const total = Math.max(0, (Math.ceil(size / stride[i]) - 1) * stride[i] + extents[i] - size);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  }
  if (typeof padding === 'string') fail('argument', operation, `padding must be a number, pairs, 'same' or 'valid', got '${String(padding)}'`);
  const sides = typeof padding === 'number' ? sizes.map(() => padding) : padding;
  const pairs = sides.map((side) => (typeof side === 'number' ? ([side, side] as const) : side));
  if (pairs.length !== sizes.length) fail('argument', operation, `padding needs ${sizes.length} [low, high] pairs, one per spatial axis, got ${pairs.length}`);
  const wrong = pairs.find((pair) => pair.length !== 2 || !pair.every((p) => isCount(p)));
  if (wrong) fail('argument', operation, `padding must be whole numbers ≥ 0, got ${showShape(wrong)}`);
  return pairs;
}

const showBoth = (inputShape: Shape, kernelShape: Shape): string => `input ${showShape(inputShape)}, kernel ${showShape(kernelShape)}`;
const spatial = (shape: Shape): readonly number[] => shape.slice(1, -1);

/** Refuses kernels that fit no input; returns the number of spatial axes. */
function checkKernel(operation: string, inputShape: Shape, kernelShape: Shape, groups: number): number {
  const rank = kernelShape.length - 2;
  const features = kernelShape[rank + 1];
  if (rank < 1 || inputShape.length !== kernelShape.length) {
    const hint = 'Expected input [batch, …size, channels] and kernel [...size, channels / groups, features] with the same number of spatial axes.';
    fail('shape', operation, `input ${showShape(inputShape)} and kernel ${showShape(kernelShape)} do not belong together`, hint);
  }
  if (!isCount(groups, 1)) fail('argument', operation, `groups must be a whole number ≥ 1, got ${groups}`);
  if (features % groups !== 0)
    fail('shape', operation, `the kernel makes ${features} features, which ${groups} groups do not divide`, 'Choose a multiple of groups.');
  return rank;
}

function channelHint(inputShape: Shape, perGroup: number, features: number): string {
  const channels = inputShape[inputShape.length - 1];
  const groups = channels / perGroup;
  if (Number.isInteger(groups) && groups > 1 && features % groups === 0) return `Did you mean groups: ${groups}?`;
  if (inputShape[1] === perGroup) return 'Images are channels last, [batch, …size, channels]: transpose first.';
  return 'A kernel is [...size, channels / groups, features].';
}

/**
 * The geometry of a convolution of `inputShape` [batch, …size, channels] with `kernelShape` [...size, channels / groups, features];
 * `outputShape` is [batch, …positions, features]. Throws where they do not fit.
 */
export function convGeometry(operation: string, inputShape: Shape, kernelShape: Shape, options: ConvOptions = {}): ConvGeometry {
  const { groups = 1 } = options;
  const rank = checkKernel(operation, inputShape, kernelShape, groups);
  const [perGroup, features] = kernelShape.slice(-2);
  const channels = inputShape[rank + 1];
  if (channels !== perGroup * groups) {
    const expected = groups === 1 ? `${perGroup}` : `${perGroup} · ${groups} groups = ${perGroup * groups}`;
    const problem = `input has ${channels} channels but the kernel expects ${expected} (${showBoth(inputShape, kernelShape)})`;
    fail('shape', operation, problem, channelHint(inputShape, perGroup, features));
  }
  const stride = perAxis(operation, 'stride', options.stride ?? 1, rank);
  const kernelDilation = perAxis(operation, 'dilation', options.dilation ?? 1, rank);
  const inputDilation = perAxis(operation, 'inputDilation', options.inputDilation ?? 1, rank);
  const sizes = spatial(inputShape).map((size, i) => dilated(size, inputDilation[i]));
  const extents = kernelDilation.map((dilation, i) => dilated(kernelShape[i], dilation));
  const padding = paddingPairs(operation, options.padding ?? 0, sizes, extents, stride);
  const outputSizes = sizes.map((size, i) => positions(size + padding[i][0] + padding[i][1], extents[i], stride[i]));
  const short = outputSizes.findIndex((size, i) => size === 0 || kernelShape[i] === 0);
  if (short >= 0) {
    const padded = sizes[short] + padding[short][0] + padding[short][1];
    const problem = `the kernel spans ${extents[short]} positions along spatial axis ${short} but the padded input has ${padded}`;
    fail('shape', operation, `${problem} (${showBoth(inputShape, kernelShape)})`, 'Add padding, or use a smaller kernel.');
  }
  return { stride, padding, kernelDilation, inputDilation, groups, inputShape, kernelShape, outputShape: [inputShape[0], ...outputSizes, features] };
}

/**
 * The geometry whose role `input` is the transposed convolution of `shape` [batch, …size, channels] with `kernelShape` [...size, features / groups, channels]:
 * its `inputShape` is the result, (size − 1) · stride + kernel − padding + outputPadding per axis.
 */
export function convTransposeGeometry(
  operation: string,
  shape: Shape,
  kernelShape: Shape,
  options: Omit<ConvOptions, 'inputDilation'> & { readonly outputPadding?: number | readonly number[] } = {},
): ConvGeometry {
  const { groups = 1, outputPadding = 0 } = options;
  const rank = checkKernel(operation, shape, kernelShape, groups);
  const [perGroup, channels] = kernelShape.slice(-2);
  if (shape[rank + 1] !== channels) {
    const problem = `input has ${shape[rank + 1]} channels but the kernel expects ${channels} (${showBoth(shape, kernelShape)})`;
    fail('shape', operation, problem, 'A transposed kernel is [...size, features / groups, channels].');
  }
  const stride = perAxis(operation, 'stride', options.stride ?? 1, rank);
  const kernelDilation = perAxis(operation, 'dilation', options.dilation ?? 1, rank);
  const extra = typeof outputPadding === 'object' ? outputPadding : stride.map(() => outputPadding);
  for (const [i, e] of extra.entries()) {
    if (!isCount(e) || e >= stride[i]) fail('argument', operation, `outputPadding must be a whole number below the stride ${stride[i]}, got ${e}`);
  }
  const extents = kernelDilation.map((dilation, i) => dilated(kernelShape[i], dilation));
  const sizes = spatial(shape);
  // 'same' gives size · stride; the padding is the forward convolution's own.
  const targets = sizes.map((size, i) => size * stride[i]);
  const padding = paddingPairs(operation, options.padding ?? 0, targets, extents, stride);
  const results = targets.map((target, i) =>
    options.padding === 'same' ? target : target - stride[i] + extents[i] - padding[i][0] - padding[i][1] + extra[i],
  );
  const empty = results.findIndex((size) => size < 1);
  if (empty >= 0) {
    const problem = `the result would have ${results[empty]} positions along spatial axis ${empty} (${showBoth(shape, kernelShape)})`;
    fail('shape', operation, problem, 'Use less padding.');
  }
  const inputShape = [shape[0], ...results, perGroup * groups];
  return { stride, padding, kernelDilation, inputDilation: sizes.map(() => 1), groups, inputShape, kernelShape, outputShape: shape };
}

/** Refuses a geometry that contradicts itself. */
export function checkConvGeometry(geometry: ConvGeometry): void {
  const { stride, padding, kernelDilation, inputDilation, groups, inputShape, kernelShape, outputShape } = geometry;
  const rank = checkKernel('conv', inputShape, kernelShape, groups);
  const channels = kernelShape[rank] * groups;
  const lists = [stride, padding, kernelDilation, inputDilation];
  if (lists.some((list) => list.length !== rank)) fail('argument', 'conv', `stride, padding and dilations need ${rank} entries`);
  const sizes = spatial(inputShape).map((size, i) =>
    positions(dilated(size, inputDilation[i]) + padding[i][0] + padding[i][1], dilated(kernelShape[i], kernelDilation[i]), stride[i]),
  );
  const expected = [inputShape[0], ...sizes, kernelShape[rank + 1]];
  if (inputShape[rank + 1] !== channels) fail('shape', 'conv', `the kernel expects ${channels} channels (${showBoth(inputShape, kernelShape)})`);
  if (!sameShape(expected, outputShape)) fail('shape', 'conv', `this geometry makes ${showShape(expected)}, not ${showShape(outputShape)}`);
}

/** The spatial axes as sliding axes. */
export const slidingAxes = (g: ConvGeometry): SlidingAxis[] =>
  g.stride.map((stride, i) => ({
    input: g.inputShape[i + 1],
    output: g.outputShape[i + 1],
    taps: g.kernelShape[i],
    stride,
    dilation: g.kernelDilation[i],
    inputDilation: g.inputDilation[i],
    low: g.padding[i][0],
  }));
