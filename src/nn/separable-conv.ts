/** separableConv1d, 2d, 3d: a depthwise convolution without bias, then one by one across channels (Chollet 2017). */
import type { Tensor } from '../tensor/index.ts';
import { Conv } from './conv.ts';
import { DepthwiseConv, type DepthwiseConvOptions } from './depthwise-conv.ts';
import type { SpatialRank } from './kernel-layer.ts';
import { Module } from './module.ts';
import type { PerDimension } from './options.ts';

export class SeparableConv extends Module {
  readonly #kind: string;
  readonly depthwise: DepthwiseConv; // weight [...kernel, 1, C · multiplier]
  readonly pointwise: Conv; // weight [1, …, C · multiplier, filters], bias [filters]

  constructor(dimensions: SpatialRank, filters: number, kernelSize: PerDimension, options: DepthwiseConvOptions = {}) {
    super();
    this.#kind = `separableConv${dimensions}d`;
    const { bias, biasInitializer, ...depthwise } = options;
    const { weightInitializer, dtype } = options;
    this.depthwise = new DepthwiseConv(dimensions, kernelSize, { ...depthwise, bias: false });
    this.pointwise = new Conv(dimensions, filters, 1, {
      ...(bias !== undefined && { bias }),
      ...(biasInitializer && { biasInitializer }),
      ...(weightInitializer && { weightInitializer }),
      ...(dtype && { dtype }),
    });
  }

  override get kind(): string {
    return this.#kind;
  }

  /** [N, ...size, C] → [N, ...outputSize, filters] */
  forward(x: Tensor): Tensor {
    return this.pointwise.apply(this.depthwise.apply(x));
  }
}

export const separableConv1d = (filters: number, kernelSize: PerDimension, options?: DepthwiseConvOptions): SeparableConv =>
  new SeparableConv(1, filters, kernelSize, options);
/** [N, height, width, C] → [N, outputHeight, outputWidth, filters]. */
export const separableConv2d = (filters: number, kernelSize: PerDimension, options?: DepthwiseConvOptions): SeparableConv =>
  new SeparableConv(2, filters, kernelSize, options);
export const separableConv3d = (filters: number, kernelSize: PerDimension, options?: DepthwiseConvOptions): SeparableConv =>
  new SeparableConv(3, filters, kernelSize, options);
