/** standardize: (x − mean) / deviation with figures that were fitted to the training data once and are saved with the model. C: channels or features. */
import { fail, showShape } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { checkChoice, checkOptions } from './options.ts';
import { buffer, type ParameterDType, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface StandardizeOptions {
  /** One per channel (the last dimension). Default: 0, until a saved model is loaded. */
  readonly mean?: ArrayLike<number>;
  /** The same; default 1. Zeros (values that never change) count as 1. */
  readonly deviation?: ArrayLike<number>;
  readonly dtype?: ParameterDType;
}

type StandardizeParameters = { readonly mean: Variable; readonly scale: Variable }; // [C], buffers

export class Standardize extends SizedLayer<StandardizeParameters> {
  readonly #figures: StandardizeOptions;

  constructor(options: StandardizeOptions = {}) {
    super();
    checkOptions('standardize', options, ['mean', 'deviation', 'dtype']);
    checkChoice('standardize', 'dtype', options.dtype ?? 'float32', parameterDTypes);
    this.#figures = options;
  }

  override get kind(): string {
    return 'standardize';
  }

  protected override create(channels: number): StandardizeParameters {
    const { mean, deviation, dtype = 'float32' } = this.#figures;
    for (const [name, figures] of Object.entries({ mean, deviation }))
      if (figures !== undefined && figures.length !== channels)
        fail('shape', 'standardize', `${name} has ${figures.length} figures, but the input has ${channels} channels`, 'Give one per channel.');
    return {
      mean: buffer([channels], mean ?? 0, dtype),
      scale: buffer([channels], deviation === undefined ? 1 : Array.from(deviation, (value) => (value === 0 ? 1 : 1 / value)), dtype),
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('mean')?.[0];
  }

  /** [N, ..., C] → the same shape */
  forward(x: Tensor): Tensor {
    if (x.rank < 2) fail('shape', 'standardize', `expected [batch, …, channels], got ${showShape(x.shape)}`);
    const { mean, scale } = this.parametersFor(x, 'channels');
    return x.sub(mean).mul(scale);
  }
}

/** Zero mean and unit deviation of the training data, per channel: `standardize(await data.statistics(train))`. */
export const standardize = (options?: StandardizeOptions): Standardize => new Standardize(options);
