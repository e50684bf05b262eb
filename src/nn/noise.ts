/** gaussianNoise: adds random numbers in training. */
import { random, type Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkNumber } from './options.ts';

export class GaussianNoise extends Module {
  readonly standardDeviation: number;

  constructor(standardDeviation: number) {
    super();
    this.standardDeviation = checkNumber('gaussianNoise', 'standardDeviation', standardDeviation, { low: 0 });
  }

  override get kind(): string {
    return 'gaussianNoise';
  }

  /** Any shape → the same; the identity in evaluation. */
  forward(x: Tensor): Tensor {
    if (!this.training || this.standardDeviation === 0) return x;
    return x.add(random.normal(x.shape, { dtype: x.dtype === 'float64' ? 'float64' : 'float32' }).mul(this.standardDeviation));
  }
}

/** Adds normal noise with a standard deviation in training. */
export const gaussianNoise = (standardDeviation: number): GaussianNoise => new GaussianNoise(standardDeviation);
