/** conv1d, conv2d, conv3d: cross-correlation, channels last. Letters: N batch, C channels in, O channels out. */
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../tensor/index.ts';
import { channelsPerGroup, checkGroups, KernelLayer, type KernelOptions, type KernelPlan, type SpatialRank } from './kernel-layer.ts';
import { bothSides, checkWhole, type PerDimension } from './options.ts';

export interface ConvOptions extends KernelOptions {
  /** Divides channels into groups that do not see each other; default 1. */
  readonly groups?: number;
}

export class Conv extends KernelLayer {
  readonly filters: number;
  readonly groups: number;

  constructor(dimensions: SpatialRank, filters: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super(`conv${dimensions}d`, dimensions, kernelSize, options, ['groups']);
    this.filters = checkWhole(this.kind, 'filters', filters);
    this.groups = checkGroups(this.kind, options.groups ?? 1, filters);
  }

  /** Weight [...kernel, C / groups, O]. */
  protected override plan(channels: number): KernelPlan {
    const [volume, perGroup] = [sizeOf(this.kernelSize), channelsPerGroup(this.kind, channels, this.groups)];
    const shape = [...this.kernelSize, perGroup, this.filters];
    return { shape, features: this.filters, fanIn: volume * perGroup, fanOut: (volume * this.filters) / this.groups };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    const channels = shapeOf('weight')?.[this.dimensions];
    return channels === undefined ? undefined : channels * this.groups;
  }

  /** [N, ...size, C] → [N, ...outputSize, O], outputSize = ⌊(size + 2 padding − dilation (kernel − 1) − 1) / stride⌋ + 1 */
  protected override convolve(x: Tensor, weight: Tensor): Tensor {
    const padding = this.padding === 'same' ? 'same' : bothSides(this.padding);
    return x.conv(weight, { stride: this.stride, padding, dilation: this.dilation, groups: this.groups });
  }
}

/** Sequences: [N, length, C] → [N, outputLength, filters]; weight [k, C / groups, filters]. */
export const conv1d = (filters: number, kernelSize: PerDimension, options?: ConvOptions): Conv => new Conv(1, filters, kernelSize, options);

/**
 * Images: [N, height, width, C] → [N, outputHeight, outputWidth, filters]; weight [kh, kw, C / groups, filters].
 * @example nn.conv2d(16, 3, { padding: 1 }).apply(ones([1, 28, 28, 1])).shape // [1, 28, 28, 16]
 */
export const conv2d = (filters: number, kernelSize: PerDimension, options?: ConvOptions): Conv => new Conv(2, filters, kernelSize, options);

/** Volumes: [N, depth, height, width, C] → [N, ...outputSize, filters]; weight [kd, kh, kw, C / groups, filters]. */
export const conv3d = (filters: number, kernelSize: PerDimension, options?: ConvOptions): Conv => new Conv(3, filters, kernelSize, options);
