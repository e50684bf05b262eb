/** Reductions along axes (default: all), and cumulative sums. */
import { fail } from '../core/errors.ts';
import { keepAxes, sizeOf } from '../core/shape.ts';
import type { ArgFold } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import { stopGradient } from '../graph/override.ts';
import * as build from '../ops/build.ts';
import { type Axes, type AxisOption, oneAxis, type ReduceOptions, severalAxes } from './axes.ts';
import { arithmetic, countable, floating, type Tensor, truth, wrap } from './tensor.ts';

/** A reduction with its axes and keepDims read from the options. */
function along(operation: string, node: Node, options: Axes | undefined, reduced: (x: Node, axes: readonly number[]) => Node): Tensor {
  const { axes, keepDims } = severalAxes(operation, options, node.shape.length);
  const result = reduced(node, axes);
  return wrap(keepDims ? build.reshape(result, keepAxes(node.shape, axes)) : result);
}

type Reduction = (x: Tensor, options?: Axes) => Tensor;
function reduction(operation: string, prepare: (x: Tensor, operation: string) => Node, reduced: (x: Node, axes: readonly number[]) => Node): Reduction {
  return (x, options) => along(operation, prepare(x, operation), options, reduced);
}

export const sum = reduction('sum', countable, build.sum);
export const prod = reduction('prod', countable, build.prod);
export const max = reduction('max', arithmetic, build.max);
export const min = reduction('min', arithmetic, build.min);
export const mean = reduction('mean', floating, build.mean);
/** True where any element is not 0. */
export const any = reduction('any', truth, build.max);
/** True where no element is 0. */
export const all = reduction('all', truth, build.min);

/** Position of the largest element (the first of equals), int32. Without an axis: in the flattened tensor. */
export const argMax = (x: Tensor, options?: PositionOptions): Tensor => position('argMax', x, options);
export const argMin = (x: Tensor, options?: PositionOptions): Tensor => position('argMin', x, options);

export type PositionOptions = number | { readonly axis?: number; readonly keepDims?: boolean };

function position(operation: ArgFold, x: Tensor, options: PositionOptions = {}): Tensor {
  const node = arithmetic(x, operation);
  const given = typeof options === 'object' ? options : { axis: options };
  if (given.axis === undefined) return wrap(build.make(operation, [build.reshape(node, [sizeOf(node.shape)])], { axis: 0 }));
  return along(operation, node, given, (x, [axis]) => build.make(operation, [x], { axis }));
}

/** Mean squared distance from the mean. */
export function variance(x: Tensor, options: Axes & { ddof?: number } = {}): Tensor {
  return along('variance', floating(x, 'variance'), options, (node, axes) => {
    const distance = build.sub(node, build.reshape(build.mean(node, axes), keepAxes(node.shape, axes)));
    const count = sizeOf(axes.map((axis) => node.shape[axis]));
    return build.div(build.sum(build.mul(distance, distance), axes), count - (options.ddof ?? 0));
  });
}

/** Standard deviation: the root of the variance. */
export const std = (x: Tensor, options: Axes & { ddof?: number } = {}): Tensor => wrap(build.sqrt(variance(x, options).node));

export interface NormOptions extends ReduceOptions {
  /** 2 (default), 1, or Infinity. */
  readonly order?: number;
}

/** Vector norm over the axes. */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  const { order = 2 } = options;
  if (!(order > 0)) fail('value', 'norm', `order must be above 0, got ${order}`);
  return along('norm', floating(x, 'norm'), options, (node, axes) => {
    if (order === 2) return build.sqrt(build.sum(build.mul(node, node), axes));
    if (order === 1) return build.sum(build.abs(node), axes);
    if (order === Number.POSITIVE_INFINITY) return build.max(build.abs(node), axes);
    return build.pow(build.sum(build.pow(build.abs(node), order), axes), 1 / order);
  });
}

/** log Σ exp(x), without overflow. */
export const logSumExp = reduction('logSumExp', floating, (node, axes) => {
  const { shifted, peak } = shiftedByPeak(node, axes);
  const total = build.log(build.sum(build.exp(shifted), axes));
  return build.add(total, build.reshape(peak, total.shape));
});

/** x − max along axes; the maximum is a constant for the gradient, which it does not change. Where it is infinite, nothing is subtracted. */
export function shiftedByPeak(node: Node, axes: readonly number[]): { readonly shifted: Node; readonly peak: Node } {
  const highest = stopGradient(build.foldKeep('max', node, axes));
  const peak = build.select(build.less(build.abs(highest), Number.POSITIVE_INFINITY), highest, 0);
  return { shifted: build.sub(node, peak), peak };
}

/** `axis`: the last by default. */
export interface CumsumOptions extends AxisOption {
  /** From the end (default false). */
  readonly reverse?: boolean;
  /** Without the element itself (default false). */
  readonly exclusive?: boolean;
}

/** Sums of all elements so far along an axis. */
export function cumsum(x: Tensor, options: number | CumsumOptions = {}): Tensor {
  const node = countable(x, 'cumsum');
  if (node.shape.length === 0) fail('shape', 'cumsum', 'expected at least one axis, got a scalar');
  const { reverse = false, exclusive = false } = typeof options === 'number' ? {} : options;
  return wrap(build.cumsum(node, oneAxis('cumsum', options, node.shape.length, -1), { reverse, exclusive }));
}
