/** Max and average pooling in 1, 2 and 3 dimensions: summaries of windows, which may overlap. Channels last [N, …size, C]. */
import { fail } from '../core/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { checkSpatial, type SpatialRank } from './kernel-layer.ts';
import { Module } from './module.ts';
import { checkOptions, type PerDimension, perDimension } from './options.ts';

export interface PoolOptions {
  /** Step between windows; default the window's size. Smaller: windows overlap. */
  readonly stride?: PerDimension;
  /** Border that takes no part in maxima or means; default 0. At most half the window. */
  readonly padding?: PerDimension;
  /** Keeps a last window that reaches over the end, so that sizes are rounded up; default false. */
  readonly ceil?: boolean;
}

export type PoolMethod = 'max' | 'avg';

export class Pool extends Module {
  readonly method: PoolMethod;
  readonly dimensions: SpatialRank;
  readonly windowSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly ceil: boolean;

  constructor(method: PoolMethod, dimensions: SpatialRank, windowSize: PerDimension, options: PoolOptions = {}) {
    super();
    const name = `${method}Pool${dimensions}d`;
    checkOptions(name, options, ['stride', 'padding', 'ceil']);
    this.method = method;
    this.dimensions = dimensions;
    this.windowSize = perDimension(name, 'windowSize', windowSize, dimensions);
    this.stride = perDimension(name, 'stride', options.stride ?? windowSize, dimensions);
    this.padding = perDimension(name, 'padding', options.padding ?? 0, dimensions, 0);
    this.ceil = options.ceil ?? false;
    this.padding.forEach((p, i) => {
      if (2 * p > this.windowSize[i])
        fail('argument', name, `padding ${p} is more than half of the window of ${this.windowSize[i]}`, 'A window must not lie outside the image.');
    });
  }

  override get kind(): string {
    return `${this.method}Pool${this.dimensions}d`;
  }

  /** [N, ...size, C] → [N, ...⌊(size + 2 padding − window) / stride⌋ + 1, C] */
  forward(x: Tensor): Tensor {
    checkSpatial(this.kind, x, this.dimensions);
    const { windowSize, stride } = this;
    const padding = this.padding.map((p, i): [number, number] => [p, p + (this.ceil ? this.#missing(x.shape[i + 1], i) : 0)]);
    const windows = { size: windowSize, stride, padding };
    return this.method === 'max' ? x.maxPool(windows) : x.avgPool(windows);
  }

  /** Positions that the last window lacks; 0 where that window would begin behind the end (as in PyTorch). */
  #missing(size: number, axis: number): number {
    const [window, stride, padding] = [this.windowSize[axis], this.stride[axis], this.padding[axis]];
    const left = (size + 2 * padding - window) % stride;
    const begin = size + 2 * padding - window - left + stride;
    return left > 0 && begin < size + padding ? stride - left : 0;
  }
}

/** The largest value of each window. `nn.maxPool2d(2)` halves height and width. */
export const maxPool1d = (windowSize: PerDimension, options?: PoolOptions): Pool => new Pool('max', 1, windowSize, options);
export const maxPool2d = (windowSize: PerDimension, options?: PoolOptions): Pool => new Pool('max', 2, windowSize, options);
export const maxPool3d = (windowSize: PerDimension, options?: PoolOptions): Pool => new Pool('max', 3, windowSize, options);

/** The mean of each window, over its positions within the input. */
export const avgPool1d = (windowSize: PerDimension, options?: PoolOptions): Pool => new Pool('avg', 1, windowSize, options);
export const avgPool2d = (windowSize: PerDimension, options?: PoolOptions): Pool => new Pool('avg', 2, windowSize, options);
export const avgPool3d = (windowSize: PerDimension, options?: PoolOptions): Pool => new Pool('avg', 3, windowSize, options);
