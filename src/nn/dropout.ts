/** dropout: zeroes random units in training and scales the rest, so that expectations stay (Srivastava et al. 2014, inverted form). */
import { fail, showShape } from '../core/errors.ts';
import { random, type Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkNumber } from './options.ts';

export class Dropout extends Module {
  readonly rate: number;
  /** Drops whole channels instead of single units. */
  readonly spatial: boolean;

  constructor(rate: number, { spatial = false }: { readonly spatial?: boolean } = {}) {
    super();
    this.spatial = spatial;
    this.rate = checkNumber(this.kind, 'rate', rate, { low: 0, high: 1, open: true });
  }

  override get kind(): string {
    return this.spatial ? 'spatialDropout' : 'dropout';
  }

  /** Any shape (spatial: [N, ...size, C]) → the same; the identity in evaluation. */
  forward(x: Tensor): Tensor {
    if (this.spatial && x.rank < 3) fail('shape', this.kind, `expected [N, …size, channels], got ${showShape(x.shape)}`);
    if (!this.training || this.rate === 0) return x;
    const shape = this.spatial ? x.shape.map((d, i) => (i === 0 || i === x.rank - 1 ? d : 1)) : x.shape;
    const keep = random.uniform(shape).greaterEqual(this.rate);
    return x.mul(keep.cast(x.dtype).mul(1 / (1 - this.rate)));
  }
}

/** Drops each unit with probability `rate` (0 ≤ rate < 1) in training and divides the others by 1 − rate, the probability to stay. */
export const dropout = (rate = 0.5): Dropout => new Dropout(rate);

/** As dropout, but drops whole channels of an example (Tompson et al. 2015): neighbouring pixels tell the same. */
export const spatialDropout = (rate = 0.5): Dropout => new Dropout(rate, { spatial: true });
