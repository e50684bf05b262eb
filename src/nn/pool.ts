/** maxPool2d, avgPool2d, globalAvgPool: summaries of windows of images, channels last [N, H, W, C]. */
import { fail, showShape } from '../core/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { bothSides, checkOptions, type PerDimension, perDimension } from './options.ts';

export interface PoolOptions {
  /** Step between windows; default the window's size. */
  readonly stride?: PerDimension;
  /** Border that takes no part in maxima or means; default 0. At most half the window. */
  readonly padding?: PerDimension;
}

export class Pool2d extends Module {
  readonly method: 'max' | 'avg';
  readonly windowSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];

  constructor(method: 'max' | 'avg', windowSize: PerDimension, options: PoolOptions = {}) {
    super();
    const name = `${method}Pool2d`;
    checkOptions(name, options, ['stride', 'padding']);
    this.method = method;
    this.windowSize = perDimension(name, 'windowSize', windowSize, 2);
    this.stride = perDimension(name, 'stride', options.stride ?? windowSize, 2);
    this.padding = perDimension(name, 'padding', options.padding ?? 0, 2, 0);
    this.padding.forEach((p, i) => {
      if (2 * p > this.windowSize[i])
        fail('argument', name, `padding ${p} is more than half of the window of ${this.windowSize[i]}`, 'A window must not lie outside the image.');
    });
  }

  override get kind(): string {
    return `${this.method}Pool2d`;
  }

  /** [N, H, W, C] → [N, ⌊(H + 2 padding − window) / stride⌋ + 1, …, C] */
  forward(x: Tensor): Tensor {
    if (x.rank !== 4) fail('shape', this.kind, `expected images [N, height, width, channels], got ${showShape(x.shape)}`);
    const windows = { size: this.windowSize, stride: this.stride, padding: bothSides(this.padding) };
    return this.method === 'max' ? x.maxPool(windows) : x.avgPool(windows);
  }
}

/** The largest value of each window. `nn.maxPool2d(2)` halves height and width. */
export const maxPool2d = (windowSize: PerDimension, options?: PoolOptions): Pool2d => new Pool2d('max', windowSize, options);

/** The mean of each window. */
export const avgPool2d = (windowSize: PerDimension, options?: PoolOptions): Pool2d => new Pool2d('avg', windowSize, options);

export class GlobalAvgPool extends Module {
  override get kind(): string {
    return 'globalAvgPool';
  }

  /** [N, ...size, C] → [N, C] */
  forward(x: Tensor): Tensor {
    if (x.rank < 3) fail('shape', 'globalAvgPool', `expected [N, …size, channels], got ${showShape(x.shape)}`);
    return x.mean({ axis: x.shape.slice(1, -1).map((_, i) => i + 1) });
  }
}

/** The mean over all positions: one value per channel. */
export const globalAvgPool = (): GlobalAvgPool => new GlobalAvgPool();
