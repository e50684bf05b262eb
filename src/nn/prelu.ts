/** prelu: leaky ReLU with a learned slope (He et al. 2015). */
import type { Shape } from '../core/shape.ts';
import { type Tensor, type Variable, where } from '../tensor/index.ts';
import { constant } from './initializers.ts';
import { checkChoice, checkNumber, checkOptions } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface PreluOptions {
  /** First slope; default 0.25. */
  readonly initial?: number;
  /** One slope for all channels instead of one each; default false. */
  readonly shared?: boolean;
  readonly dtype?: ParameterDType;
}

export class Prelu extends SizedLayer<{ readonly weight: Variable }> {
  readonly initial: number;
  readonly shared: boolean;
  readonly dtype: ParameterDType;

  constructor(options: PreluOptions = {}) {
    super();
    checkOptions('prelu', options, ['initial', 'shared', 'dtype']);
    this.initial = checkNumber('prelu', 'initial', options.initial ?? 0.25);
    this.shared = options.shared ?? false;
    this.dtype = checkChoice('prelu', 'dtype', options.dtype ?? 'float32', parameterDTypes);
  }

  override get kind(): string {
    return 'prelu';
  }

  protected override create(channels: number): { readonly weight: Variable } {
    return { weight: parameter([this.shared ? 1 : channels], constant(this.initial), { dtype: this.dtype }) };
  }

  /** A shared slope says nothing about the channels: such a layer is sized at its first call. */
  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return this.shared ? undefined : shapeOf('weight')?.[0];
  }

  /** [..., C] → the same: x where positive, else weight · x */
  forward(x: Tensor): Tensor {
    const { weight } = this.parametersFor(x, 'channels');
    return where(x.greater(0), x, x.mul(weight));
  }
}

/** x where positive, else α x, α learned per channel (the last dimension). */
export const prelu = (options?: PreluOptions): Prelu => new Prelu(options);
