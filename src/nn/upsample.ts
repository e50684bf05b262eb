/** upsample: larger images by repetition or by linear interpolation, channels last [N, …size, C]. */
import { fail, showShape } from '../core/errors.ts';
import { type Tensor, tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkChoice, checkOptions, checkWhole, type PerDimension } from './options.ts';

export interface UpsampleOptions {
  /** 'nearest' (default) repeats; 'linear' interpolates between the centres of pixels (bilinear for images). */
  readonly method?: 'nearest' | 'linear';
}

export class Upsample extends Module {
  readonly factor: PerDimension;
  readonly method: 'nearest' | 'linear';

  constructor(factor: PerDimension, options: UpsampleOptions = {}) {
    super();
    checkOptions('upsample', options, ['method']);
    for (const f of typeof factor === 'number' ? [factor] : factor) checkWhole('upsample', 'factor', f);
    this.factor = factor;
    this.method = checkChoice('upsample', 'method', options.method ?? 'nearest', ['nearest', 'linear']);
  }

  override get kind(): string {
    return 'upsample';
  }

  /** [N, ...size, C] → [N, ...factor · size, C] */
  forward(x: Tensor): Tensor {
    const count = x.rank - 2;
    const { factor } = this;
    if (count < 1 || (typeof factor !== 'number' && factor.length !== count))
      fail(
        'shape',
        'upsample',
        `the factor ${JSON.stringify(factor)} does not fit ${showShape(x.shape)}`,
        'One factor, or one per dimension between batch and channels.',
      );
    const factors = typeof factor === 'number' ? new Array<number>(count).fill(factor) : factor;
    return factors.reduce((value, f, i) => (f === 1 ? value : this.method === 'nearest' ? value.repeat(f, i + 1) : interpolated(value, f, i + 1)), x);
  }
}

/** Along one axis: output i stands at (i + ½) / factor − ½ of the input, held inside. */
function interpolated(x: Tensor, factor: number, axis: number): Tensor {
  const length = x.shape[axis];
  const places = Array.from({ length: length * factor }, (_, i) => Math.min(Math.max((i + 0.5) / factor - 0.5, 0), length - 1));
  const low = places.map(Math.floor);
  const share = tensor(
    Float64Array.from(places, (p, i) => p - low[i]),
    { shape: x.shape.map((_, i) => (i === axis ? places.length : 1)), dtype: x.dtype },
  );
  const before = x.take(low, axis);
  const after = x.take(
    low.map((i) => Math.min(i + 1, length - 1)),
    axis,
  );
  return before.add(after.sub(before).mul(share));
}

/** Images `factor` times as large (a number, or one per dimension). */
export const upsample = (factor: PerDimension, options?: UpsampleOptions): Upsample => new Upsample(factor, options);
