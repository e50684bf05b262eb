/** flatten: all dimensions but the batch become one. */
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import type { Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';

export class Flatten extends Module {
  override get kind(): string {
    return 'flatten';
  }

  /** [N, ...rest] → [N, product of rest] */
  forward(x: Tensor): Tensor {
    if (x.rank < 1) fail('shape', 'flatten', 'expected a batch, got a scalar');
    return x.reshape([x.shape[0], sizeOf(x.shape.slice(1))]);
  }
}

/** Flattens each example to a vector. */
export const flatten = (): Flatten => new Flatten();
