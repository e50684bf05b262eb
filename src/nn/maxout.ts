/** maxout: the largest of several linear functions (Goodfellow et al. 2013). */
import type { Tensor } from '../tensor/index.ts';
import { type Linear, type LinearOptions, linear } from './linear.ts';
import { Module } from './module.ts';
import { checkWhole } from './options.ts';

export class Maxout extends Module {
  readonly features: number;
  readonly pieces: number;
  readonly linear: Linear; // weight [inputs, features · pieces]

  constructor(features: number, pieces: number, options: LinearOptions = {}) {
    super();
    this.features = checkWhole('maxout', 'features', features);
    this.pieces = checkWhole('maxout', 'pieces', pieces);
    this.linear = linear(features * pieces, options);
  }

  override get kind(): string {
    return 'maxout';
  }

  /** [..., inputs] → [..., features] */
  forward(x: Tensor): Tensor {
    const all = this.linear.apply(x);
    return all.reshape([...all.shape.slice(0, -1), this.features, this.pieces]).max({ axis: -1 });
  }
}

/** `features` units, each the maximum of `pieces` linear functions. */
export const maxout = (features: number, pieces = 2, options?: LinearOptions): Maxout => new Maxout(features, pieces, options);
