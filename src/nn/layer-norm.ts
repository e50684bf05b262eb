/** layerNorm: normalises each example over its last dimension (Ba, Kiros & Hinton 2016). */
import { fail, showShape } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { ones, zeros } from './initializers.ts';
import { checkChoice, checkNumber, checkOptions } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface LayerNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Learn a scale and a shift per feature; default true. */
  readonly affine?: boolean;
  readonly dtype?: ParameterDType;
}

type LayerNormParameters = {
  readonly weight: Variable | undefined; // [features], starts at 1
  readonly bias: Variable | undefined; // [features], starts at 0
};

export class LayerNorm extends SizedLayer<LayerNormParameters> {
  readonly epsilon: number;
  readonly affine: boolean;
  readonly dtype: ParameterDType;

  constructor(options: LayerNormOptions = {}) {
    super();
    checkOptions('layerNorm', options, ['epsilon', 'affine', 'dtype']);
    const { epsilon = 1e-5, affine = true, dtype = 'float32' } = options;
    this.epsilon = checkNumber('layerNorm', 'epsilon', epsilon, { low: 0 });
    this.affine = affine;
    this.dtype = checkChoice('layerNorm', 'dtype', dtype, parameterDTypes);
  }

  override get kind(): string {
    return 'layerNorm';
  }

  override get built(): boolean {
    return !this.affine || super.built;
  }

  protected override create(features: number): LayerNormParameters {
    const { affine, dtype } = this;
    return {
      weight: affine ? parameter([features], ones(), { dtype }) : undefined,
      bias: affine ? parameter([features], zeros(), { dtype }) : undefined,
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('weight')?.[0];
  }

  /** [..., features] → the same shape */
  forward(x: Tensor): Tensor {
    if (x.rank < 1) fail('shape', 'layerNorm', `expected [..., features], got ${showShape(x.shape)}`);
    const { weight, bias } = this.parametersFor(x);
    const centred = x.sub(x.mean({ axis: -1, keepDims: true }));
    const variance = centred.square().mean({ axis: -1, keepDims: true });
    const normal = centred.mul(variance.add(this.epsilon).rsqrt());
    const scaled = weight ? normal.mul(weight) : normal;
    return bias ? scaled.add(bias) : scaled;
  }
}

/** Layer normalisation over the last dimension. */
export const layerNorm = (options?: LayerNormOptions): LayerNorm => new LayerNorm(options);
