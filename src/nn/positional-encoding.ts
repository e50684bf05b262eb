/** positionalEncoding: adds sines and cosines of the position (Vaswani et al. 2017, section 3.5). */
import { fail, showShape } from '../core/errors.ts';
import { type Tensor, tensor } from '../tensor/index.ts';
import { Module } from './module.ts';

export class PositionalEncoding extends Module {
  override get kind(): string {
    return 'positionalEncoding';
  }

  /** [N, T, F] → the same: x + sin(t / 10000^(2i/F)) at features 2i, cosine at 2i + 1 */
  forward(x: Tensor): Tensor {
    if (x.rank !== 3) fail('shape', this.kind, `expected [batch, steps, features], got ${showShape(x.shape)}`);
    const [, steps, features] = x.shape;
    const values = Float64Array.from({ length: steps * features }, (_, at) => {
      const [t, i] = [Math.floor(at / features), at % features];
      const angle = t / 10000 ** ((i - (i % 2)) / features);
      return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    });
    return x.add(tensor(values, { shape: [steps, features], dtype: x.dtype }));
  }
}

/** Tells a transformer where each step stands. */
export const positionalEncoding = (): PositionalEncoding => new PositionalEncoding();
