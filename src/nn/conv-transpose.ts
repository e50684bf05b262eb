/** convTranspose1d, 2d, 3d: the adjoint of a convolution, which spreads each input over a window (Zeiler et al. 2010). Letters: N batch, C channels in, O out. */
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../tensor/index.ts';
import { channelsPerGroup, checkGroups, KernelLayer, type KernelOptions, type KernelPlan, type SpatialRank } from './kernel-layer.ts';
import { bothSides, checkWhole, type PerDimension, perDimension } from './options.ts';

export interface ConvTransposeOptions extends Omit<KernelOptions, 'padding'> {
  /** How much of the border is cut off the output: the padding of the convolution that this is the adjoint of; default 0. */
  readonly padding?: PerDimension;
  /** Rows added at the end, where the stride leaves the size open; below the stride; default 0. */
  readonly outputPadding?: PerDimension;
  readonly groups?: number;
}

export class ConvTranspose extends KernelLayer {
  readonly filters: number;
  readonly groups: number;
  readonly outputPadding: readonly number[];

  constructor(dimensions: SpatialRank, filters: number, kernelSize: PerDimension, options: ConvTransposeOptions = {}) {
    const name = `convTranspose${dimensions}d`;
    perDimension(name, 'padding', options.padding ?? 0, dimensions, 0); // there is no 'same' here
    super(name, dimensions, kernelSize, options, ['groups', 'outputPadding']);
    this.filters = checkWhole(name, 'filters', filters);
    this.groups = checkGroups(name, options.groups ?? 1, filters);
    this.outputPadding = perDimension(name, 'outputPadding', options.outputPadding ?? 0, dimensions, 0);
  }

  /** Weight [...kernel, O / groups, C]: the kernel of the convolution from O to C channels. */
  protected override plan(channels: number): KernelPlan {
    const volume = sizeOf(this.kernelSize);
    channelsPerGroup(this.kind, channels, this.groups);
    const shape = [...this.kernelSize, this.filters / this.groups, channels];
    return { shape, features: this.filters, fanIn: (volume * this.filters) / this.groups, fanOut: (volume * channels) / this.groups };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('weight')?.[this.dimensions + 1];
  }

  /** [N, ...size, C] → [N, ...outputSize, O], outputSize = (size − 1) stride − 2 padding + dilation (kernel − 1) + outputPadding + 1 */
  protected override convolve(x: Tensor, weight: Tensor): Tensor {
    const { stride, dilation, groups, outputPadding } = this;
    return x.convTranspose(weight, { stride, dilation, groups, outputPadding, padding: bothSides(this.padding as readonly number[]) });
  }

  override multiplyAdds(input: Shape, _output: Shape): number {
    return this.inputSize === undefined ? 0 : (sizeOf(input) * sizeOf(this.held.weight.shape)) / this.inputSize;
  }
}

/** [N, length, C] → [N, outputLength, filters]; weight [k, filters / groups, C]. */
export const convTranspose1d = (filters: number, kernelSize: PerDimension, options?: ConvTransposeOptions): ConvTranspose =>
  new ConvTranspose(1, filters, kernelSize, options);

/**
 * [N, height, width, C] → [N, outputHeight, outputWidth, filters]; weight [kh, kw, filters / groups, C].
 * @example nn.convTranspose2d(8, 4, { stride: 2, padding: 1 }).apply(ones([1, 7, 7, 16])).shape // [1, 14, 14, 8]
 */
export const convTranspose2d = (filters: number, kernelSize: PerDimension, options?: ConvTransposeOptions): ConvTranspose =>
  new ConvTranspose(2, filters, kernelSize, options);

/** [N, depth, height, width, C] → [N, ...outputSize, filters]; weight [kd, kh, kw, filters / groups, C]. */
export const convTranspose3d = (filters: number, kernelSize: PerDimension, options?: ConvTransposeOptions): ConvTranspose =>
  new ConvTranspose(3, filters, kernelSize, options);
