/** bilinear: the multiplicative layer, y_o = x₁ᵀ W_o x₂ + b_o. Letters: F, G features of the two inputs, O outputs. */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape } from '../core/shape.ts';
import { einsum, type Tensor, type Variable } from '../tensor/index.ts';
import { fanInUniform } from './initializers.ts';
import type { LinearOptions } from './linear.ts';
import { checkChoice, checkOptions, checkWhole } from './options.ts';
import { parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

type BilinearParameters = {
  readonly weight: Variable; // [F, G, O]
  readonly bias: Variable | undefined; // [O]
};

export class Bilinear extends SizedLayer<BilinearParameters> {
  readonly features: number;
  readonly options: LinearOptions;
  #rightSize = 0;

  constructor(features: number, options: LinearOptions = {}) {
    super();
    checkOptions('bilinear', options, ['bias', 'weightInitializer', 'biasInitializer', 'dtype']);
    if (options.dtype !== undefined) checkChoice('bilinear', 'dtype', options.dtype, parameterDTypes);
    this.features = checkWhole('bilinear', 'features', features);
    this.options = options;
  }

  override get kind(): string {
    return 'bilinear';
  }

  protected override create(leftSize: number): BilinearParameters {
    const { bias = true, weightInitializer = fanInUniform(), biasInitializer = fanInUniform(), dtype = 'float32' } = this.options;
    const fans = { fanIn: leftSize, fanOut: this.features };
    return {
      weight: parameter([leftSize, this.#rightSize, this.features], weightInitializer, { dtype, fans }),
      bias: bias ? parameter([this.features], biasInitializer, { dtype, fans }) : undefined,
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    const shape = shapeOf('weight');
    this.#rightSize = shape?.[1] ?? 0;
    return shape?.[0];
  }

  /** [..., F] and [..., G] → [..., O] */
  forward(left: Tensor, right: Tensor): Tensor {
    if (left.rank < 2 || !sameShape(left.shape.slice(0, -1), right.shape.slice(0, -1)))
      fail('shape', 'bilinear', `expected [batch, …, features] twice with one batch, got ${showShape(left.shape)} and ${showShape(right.shape)}`);
    const rightSize = right.shape[right.rank - 1];
    if (!this.built) this.#rightSize = rightSize;
    const { weight, bias } = this.parametersFor(left);
    if (weight.shape[1] !== rightSize) fail('shape', 'bilinear', `the second input has ${rightSize} features but this layer was made for ${weight.shape[1]}`);
    const [rows, lead] = [left.size / left.shape[left.rank - 1], left.shape.slice(0, -1)];
    const y = einsum('nf,ng,fgo->no', left.reshape([rows, -1]), right.reshape([rows, -1]), weight).reshape([...lead, this.features]);
    return bias ? y.add(bias) : y;
  }
}

/** All products of a feature of the one input with a feature of the other, weighted: apply(left, right). */
export const bilinear = (features: number, options?: LinearOptions): Bilinear => new Bilinear(features, options);
