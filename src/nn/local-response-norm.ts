/** localResponseNorm: each unit is divided by the activity of its neighbours across channels (Krizhevsky et al. 2012, section 3.3). */
import { fail, showShape } from '../core/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkNumber, checkOptions, checkWhole } from './options.ts';

export interface LocalResponseNormOptions {
  /** Channels in the sum, the unit's own in the middle; default 5. */
  readonly size?: number;
  /** Weight of the sum of squares; default 1e-4. PyTorch's alpha is `size` times this one: it takes the mean. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 2. */
  readonly k?: number;
}

export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(options: LocalResponseNormOptions = {}) {
    super();
    const name = 'localResponseNorm';
    checkOptions(name, options, ['size', 'alpha', 'beta', 'k']);
    this.size = checkWhole(name, 'size', options.size ?? 5);
    this.alpha = checkNumber(name, 'alpha', options.alpha ?? 1e-4, { low: 0 });
    this.beta = checkNumber(name, 'beta', options.beta ?? 0.75);
    this.k = checkNumber(name, 'k', options.k ?? 2, { low: 0 });
  }

  override get kind(): string {
    return 'localResponseNorm';
  }

  /** [N, ..., C] → the same shape: x_c / (k + α Σ x²_j)^β over the `size` channels j around c that exist */
  forward(x: Tensor): Tensor {
    if (x.rank < 2) fail('shape', this.kind, `expected [N, …, channels], got ${showShape(x.shape)}`);
    const [last, channels] = [x.rank - 1, x.shape[x.rank - 1]];
    const before = Math.floor(this.size / 2);
    const squares = x.square().pad(x.shape.map((_, i): [number, number] => (i === last ? [before, this.size - 1 - before] : [0, 0])));
    const shifted = (by: number): Tensor =>
      squares.slice(
        x.shape.map((_, i) => (i === last ? by : 0)),
        x.shape.map((d, i) => (i === last ? channels : d)),
      );
    const sum = Array.from({ length: this.size }, (_, by) => shifted(by)).reduce((a, b) => a.add(b));
    // u^−β as e^(−β ln u): u ≥ k, so the logarithm is finite.
    return x.mul(sum.mul(this.alpha).add(this.k).log().mul(-this.beta).exp());
  }
}

/** Local response normalisation across channels, with AlexNet's numbers by default. */
export const localResponseNorm = (options?: LocalResponseNormOptions): LocalResponseNorm => new LocalResponseNorm(options);
