/** Pooling to a size that does not depend on the input's: global (one value per channel) and adaptive (a grid of bins). Channels last [N, …size, C]. */
import { fail, showShape } from '../core/errors.ts';
import { concat, type Tensor } from '../tensor/index.ts';
import { checkSpatial, type SpatialRank } from './kernel-layer.ts';
import { Module } from './module.ts';
import { type PerDimension, perDimension } from './options.ts';
import type { PoolMethod } from './pool.ts';

export class GlobalPool extends Module {
  readonly method: PoolMethod;

  constructor(method: PoolMethod) {
    super();
    this.method = method;
  }

  override get kind(): string {
    return this.method === 'max' ? 'globalMaxPool' : 'globalAvgPool';
  }

  /** [N, ...size, C] → [N, C] */
  forward(x: Tensor): Tensor {
    if (x.rank < 3) fail('shape', this.kind, `expected [N, …size, channels], got ${showShape(x.shape)}`);
    const axis = x.shape.slice(1, -1).map((_, i) => i + 1);
    return this.method === 'max' ? x.max({ axis }) : x.mean({ axis });
  }
}

/** The mean over all positions: one value per channel (Lin et al. 2014). */
export const globalAvgPool = (): GlobalPool => new GlobalPool('avg');
/** The maximum over all positions. */
export const globalMaxPool = (): GlobalPool => new GlobalPool('max');

export class AdaptivePool extends Module {
  readonly method: PoolMethod;
  readonly dimensions: SpatialRank;
  readonly outputSize: readonly number[];

  constructor(method: PoolMethod, dimensions: SpatialRank, outputSize: PerDimension) {
    super();
    this.method = method;
    this.dimensions = dimensions;
    this.outputSize = perDimension(this.kind, 'outputSize', outputSize, dimensions);
  }

  override get kind(): string {
    return `adaptive${this.method === 'max' ? 'Max' : 'Avg'}Pool${this.dimensions}d`;
  }

  /** [N, ...size, C] → [N, ...outputSize, C]; bin i of n covers ⌊i size / n⌋ … ⌈(i + 1) size / n⌉ */
  forward(x: Tensor): Tensor {
    checkSpatial(this.kind, x, this.dimensions);
    const even = this.outputSize.every((n, i) => x.shape[i + 1] % n === 0);
    if (even) {
      const size = this.outputSize.map((n, i) => x.shape[i + 1] / n);
      return this.method === 'max' ? x.maxPool({ size }) : x.avgPool({ size });
    }
    // Bins are products of ranges, so the axes can be pooled one after another.
    return this.outputSize.reduce((value, n, i) => this.#alongAxis(value, i + 1, n), x);
  }

  #alongAxis(x: Tensor, axis: number, count: number): Tensor {
    const length = x.shape[axis];
    const bins = Array.from({ length: count }, (_, i) => {
      const [from, to] = [Math.floor((i * length) / count), Math.ceil(((i + 1) * length) / count)];
      const bin = x.slice(
        x.shape.map((_, k) => (k === axis ? from : 0)),
        x.shape.map((d, k) => (k === axis ? to - from : d)),
      );
      return this.method === 'max' ? bin.max({ axis, keepDims: true }) : bin.mean({ axis, keepDims: true });
    });
    return concat(bins, axis);
  }
}

/** Means over a grid of `outputSize` bins, whatever the input's size. */
export const adaptiveAvgPool1d = (outputSize: PerDimension): AdaptivePool => new AdaptivePool('avg', 1, outputSize);
export const adaptiveAvgPool2d = (outputSize: PerDimension): AdaptivePool => new AdaptivePool('avg', 2, outputSize);
export const adaptiveAvgPool3d = (outputSize: PerDimension): AdaptivePool => new AdaptivePool('avg', 3, outputSize);
/** Maxima over a grid of `outputSize` bins. */
export const adaptiveMaxPool1d = (outputSize: PerDimension): AdaptivePool => new AdaptivePool('max', 1, outputSize);
export const adaptiveMaxPool2d = (outputSize: PerDimension): AdaptivePool => new AdaptivePool('max', 2, outputSize);
export const adaptiveMaxPool3d = (outputSize: PerDimension): AdaptivePool => new AdaptivePool('max', 3, outputSize);
