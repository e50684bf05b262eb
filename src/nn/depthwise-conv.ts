/** depthwiseConv1d, 2d, 3d: every channel has kernels of its own and sees no other channel (Sifre 2014; Chollet 2017). Letters: N batch, C channels. */
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../tensor/index.ts';
import { KernelLayer, type KernelOptions, type KernelPlan, type SpatialRank } from './kernel-layer.ts';
import { bothSides, checkWhole, type PerDimension } from './options.ts';

export interface DepthwiseConvOptions extends KernelOptions {
  /** Kernels per channel; default 1. */
  readonly multiplier?: number;
}

export class DepthwiseConv extends KernelLayer {
  readonly multiplier: number;

  constructor(dimensions: SpatialRank, kernelSize: PerDimension, options: DepthwiseConvOptions = {}) {
    super(`depthwiseConv${dimensions}d`, dimensions, kernelSize, options, ['multiplier']);
    this.multiplier = checkWhole(this.kind, 'multiplier', options.multiplier ?? 1);
  }

  /** Weight [...kernel, 1, C · multiplier]; the results of channel c stand at c · multiplier … */
  protected override plan(channels: number): KernelPlan {
    const [volume, features] = [sizeOf(this.kernelSize), channels * this.multiplier];
    return { shape: [...this.kernelSize, 1, features], features, fanIn: volume, fanOut: volume * this.multiplier };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    const features = shapeOf('weight')?.[this.dimensions + 1];
    return features === undefined ? undefined : features / this.multiplier;
  }

  /** [N, ...size, C] → [N, ...outputSize, C · multiplier], sizes as for conv */
  protected override convolve(x: Tensor, weight: Tensor): Tensor {
    const padding = this.padding === 'same' ? 'same' : bothSides(this.padding);
    return x.conv(weight, { stride: this.stride, padding, dilation: this.dilation, groups: x.shape[x.rank - 1] });
  }
}

export const depthwiseConv1d = (kernelSize: PerDimension, options?: DepthwiseConvOptions): DepthwiseConv => new DepthwiseConv(1, kernelSize, options);
/** [N, height, width, C] → [N, outputHeight, outputWidth, C · multiplier]. */
export const depthwiseConv2d = (kernelSize: PerDimension, options?: DepthwiseConvOptions): DepthwiseConv => new DepthwiseConv(2, kernelSize, options);
export const depthwiseConv3d = (kernelSize: PerDimension, options?: DepthwiseConvOptions): DepthwiseConv => new DepthwiseConv(3, kernelSize, options);
