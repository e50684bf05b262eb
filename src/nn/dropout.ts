/** dropout: zeroes random units in training and scales the rest, so that expectations stay (Srivastava et al. 2014, inverted form). */
import { random, type Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkNumber } from './options.ts';

export class Dropout extends Module {
  readonly rate: number;

  constructor(rate: number) {
    super();
    this.rate = checkNumber('dropout', 'rate', rate, { low: 0, high: 1, open: true });
  }

  override get kind(): string {
    return 'dropout';
  }

  /** Any shape → the same; the identity in evaluation. */
  forward(x: Tensor): Tensor {
    if (!this.training || this.rate === 0) return x;
    const keep = random.uniform(x.shape).greaterEqual(this.rate);
    return x.mul(keep.cast(x.dtype).mul(1 / (1 - this.rate)));
  }
}

/** Drops each unit with probability `rate` (0 ≤ rate < 1) in training and divides the others by 1 − rate, the probability to stay. */
export const dropout = (rate = 0.5): Dropout => new Dropout(rate);
