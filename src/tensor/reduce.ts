/** Reductions along axes (default: all), and cumulative sums. */
import { fail, showShape } from '../core/errors.ts';
import { keepAxes, sizeOf } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { make } from '../ops/registry.ts';
import { type Axes, oneAxis, severalAxes } from './axes.ts';
import { arithmetic, floating, nodeOf, type Tensor, wrap } from './tensor.ts';

type Fold = 'sum' | 'prod' | 'max' | 'min';

/** Small whole numbers and bools are counted in int32. */
const countable = (x: Node): Node => (x.dtype === 'bool' || x.dtype === 'uint8' ? build.cast(x, 'int32') : x);

const shaped = (reduced: Node, from: Node, axes: readonly number[], keepDims: boolean): Tensor =>
  wrap(keepDims ? build.reshape(reduced, keepAxes(from.shape, axes)) : reduced);

function fold(operation: Fold, x: Tensor, options: Axes | undefined, prepare: (x: Node) => Node): Tensor {
  const node = prepare(arithmetic(x, operation));
  const { axes, keepDims } = severalAxes(operation, options, node.shape.length);
  return shaped(build.fold(operation, node, axes), node, axes, keepDims);
}

const asIs = (x: Node): Node => x;
export const sum = (x: Tensor, options?: Axes): Tensor => fold('sum', x, options, countable);
export const prod = (x: Tensor, options?: Axes): Tensor => fold('prod', x, options, countable);
export const max = (x: Tensor, options?: Axes): Tensor => fold('max', x, options, asIs);
export const min = (x: Tensor, options?: Axes): Tensor => fold('min', x, options, asIs);

export function mean(x: Tensor, options?: Axes): Tensor {
  const node = floating(x, 'mean');
  const { axes, keepDims } = severalAxes('mean', options, node.shape.length);
  return shaped(build.mean(node, axes), node, axes, keepDims);
}

/** True where any element is not 0. */
export const any = (x: Tensor, options?: Axes): Tensor => quantifier('any', 'max', x, options);
/** True where no element is 0. */
export const all = (x: Tensor, options?: Axes): Tensor => quantifier('all', 'min', x, options);

function quantifier(operation: string, op: Fold, x: Tensor, options: Axes | undefined): Tensor {
  const node = build.cast(nodeOf(x, operation), 'bool');
  const { axes, keepDims } = severalAxes(operation, options, node.shape.length);
  return shaped(build.fold(op, node, axes), node, axes, keepDims);
}

/** Position of the largest element (the first of equals), int32. Without an axis: in the flattened tensor. */
export const argMax = (x: Tensor, options?: PositionOptions): Tensor => position('argMax', x, options);
export const argMin = (x: Tensor, options?: PositionOptions): Tensor => position('argMin', x, options);

export type PositionOptions = number | { readonly axis?: number; readonly keepDims?: boolean };

function position(operation: 'argMax' | 'argMin', x: Tensor, options: PositionOptions = {}): Tensor {
  const node = arithmetic(x, operation);
  const given = typeof options === 'object' ? options : { axis: options, keepDims: false };
  if (given.axis === undefined) return wrap(make(operation, [build.reshape(node, [sizeOf(node.shape)])], { axis: 0 }));
  const axis = oneAxis(operation, given.axis, node.shape.length, -1);
  return shaped(make(operation, [node], { axis }), node, [axis], given.keepDims ?? false);
}

export interface VarianceOptions {
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
  /** Divides by n − ddof (default 0: the population variance). */
  readonly ddof?: number;
}

/** Mean squared distance from the mean. */
export function variance(x: Tensor, options: Axes & { ddof?: number } = {}): Tensor {
  const node = floating(x, 'variance');
  const { axes, keepDims } = severalAxes('variance', options, node.shape.length);
  const ddof = (options as VarianceOptions).ddof ?? 0;
  const count = sizeOf(axes.map((axis) => node.shape[axis]));
  const center = build.reshape(build.mean(node, axes), keepAxes(node.shape, axes));
  const distance = build.sub(node, center);
  return shaped(build.div(build.sum(build.mul(distance, distance), axes), count - ddof), node, axes, keepDims);
}

/** Standard deviation: the root of the variance. */
export const std = (x: Tensor, options: Axes & { ddof?: number } = {}): Tensor => wrap(build.sqrt(variance(x, options).node));

export interface NormOptions {
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
  /** 2 (default), 1, or Infinity. */
  readonly order?: number;
}

/** Vector norm over the axes. */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  const node = floating(x, 'norm');
  const { order = 2 } = options;
  const { axes, keepDims } = severalAxes('norm', options, node.shape.length);
  const reduced = (): Node => {
    if (order === 2) return build.sqrt(build.sum(build.mul(node, node), axes));
    if (order === 1) return build.sum(build.abs(node), axes);
    if (order === Number.POSITIVE_INFINITY) return build.max(build.abs(node), axes);
    if (!(order > 0)) return fail('value', 'norm', `order must be above 0, got ${order}`);
    return build.pow(build.sum(build.pow(build.abs(node), order), axes), 1 / order);
  };
  return shaped(reduced(), node, axes, keepDims);
}

/** log Σ exp(x), without overflow. */
export function logSumExp(x: Tensor, options?: Axes): Tensor {
  const node = floating(x, 'logSumExp');
  const { axes, keepDims } = severalAxes('logSumExp', options, node.shape.length);
  const { shifted, peak } = shiftedByPeak(node, axes);
  const total = build.log(build.sum(build.exp(shifted), axes));
  return shaped(build.add(total, build.reshape(peak, total.shape)), node, axes, keepDims);
}

/** x − max along axes; the maximum is a constant for the gradient, which it does not change. Where it is infinite, nothing is subtracted. */
export function shiftedByPeak(node: Node, axes: readonly number[]): { readonly shifted: Node; readonly peak: Node } {
  const highest = wrap(build.foldKeep('max', node, axes)).stopGradient().node;
  const peak = build.select(build.less(build.abs(highest), Number.POSITIVE_INFINITY), highest, 0);
  return { shifted: build.sub(node, peak), peak };
}

export interface CumsumOptions {
  /** Default: the last axis. */
  readonly axis?: number;
  /** From the end (default false). */
  readonly reverse?: boolean;
  /** Without the element itself (default false). */
  readonly exclusive?: boolean;
}

/** Sums of all elements so far along an axis. */
export function cumsum(x: Tensor, options: number | CumsumOptions = {}): Tensor {
  const node = countable(arithmetic(x, 'cumsum'));
  if (node.shape.length === 0) fail('shape', 'cumsum', `expected at least one axis, got a scalar ${showShape(node.shape)}`);
  const { reverse = false, exclusive = false } = typeof options === 'number' ? {} : options;
  return wrap(build.cumsum(node, oneAxis('cumsum', options, node.shape.length, -1), { reverse, exclusive }));
}
