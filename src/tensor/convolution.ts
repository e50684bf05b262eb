/** Convolution and pooling, N-d, channels last: x [batch, …size, channels]. */
import { fail, showShape } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import type { WindowGeometry } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { type ConvPadding, convGeometry, convTransposeGeometry, type ConvOptions as Options, paddingPairs, perAxis } from '../ops/conv-geometry.ts';
import { floating, type Tensor, wrap } from './tensor.ts';

export type ConvOptions = Omit<Options, 'inputDilation'>;
export type ConvTransposeOptions = ConvOptions & { readonly outputPadding?: number | readonly number[] };

/** Cross-correlation of x [batch, …size, channels] with kernel [...kernelSize, channels / groups, features] to [batch, …positions, features]. */
export function conv(x: Tensor, kernel: Tensor, options: ConvOptions = {}): Tensor {
  const [input, weights] = [floating(x, 'conv'), floating(kernel, 'conv')];
  return wrap(build.conv(input, weights, { ...convGeometry('conv', input.shape, weights.shape, options), role: 'output' }));
}

/** The adjoint of conv: x [batch, …size, channels] with kernel [...kernelSize, features / groups, channels] to [batch, …larger, features]. */
export function convTranspose(x: Tensor, kernel: Tensor, options: ConvTransposeOptions = {}): Tensor {
  const [input, weights] = [floating(x, 'convTranspose'), floating(kernel, 'convTranspose')];
  return wrap(build.conv(input, weights, { ...convTransposeGeometry('convTranspose', input.shape, weights.shape, options), role: 'input' }));
}

export interface PoolOptions {
  /** Window length per spatial axis. */
  readonly size: number | readonly number[];
  /** Default: the size. */
  readonly stride?: number | readonly number[];
  /** Positions outside take no part. Default 0. */
  readonly padding?: ConvPadding;
}

function windows(operation: string, x: Node, { size, stride = size, padding = 0 }: PoolOptions): WindowGeometry {
  const rank = x.shape.length - 2;
  if (rank < 1) fail('shape', operation, `expected [batch, …size, channels], got ${showShape(x.shape)}`, 'Add a batch axis with expandDims(0).');
  const sizes = perAxis(operation, 'size', size, rank);
  const strides = perAxis(operation, 'stride', stride, rank);
  const sides = paddingPairs(operation, padding, x.shape.slice(1, -1), sizes, strides);
  return { axes: sizes.map((_, i) => i + 1), size: sizes, stride: strides, padding: sides, inputShape: x.shape };
}

/** The largest value in each window. */
export function maxPool(x: Tensor, options: PoolOptions): Tensor {
  const node = floating(x, 'maxPool');
  return wrap(build.windowed('windowMax', [node], windows('maxPool', node, options)));
}

/** The mean of each window, over the positions inside the input. */
export function avgPool(x: Tensor, options: PoolOptions): Tensor {
  const node = floating(x, 'avgPool');
  const geometry = windows('avgPool', node, options);
  const total = build.windowed('windowSum', [node], geometry);
  if (geometry.padding.every(([low, high]) => low === 0 && high === 0)) return wrap(build.div(total, sizeOf(geometry.size)));
  const one = [1, ...node.shape.slice(1, -1), 1];
  const counts = build.windowed('windowSum', [build.constant(1, node.dtype, one)], { ...geometry, inputShape: one });
  return wrap(build.div(total, counts));
}
