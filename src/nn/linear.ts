/** linear: y = x · W + b. */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { fanInUniform, type Initializer } from './initializers.ts';
import { checkChoice, checkOptions, checkWhole, inputsAreFound } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface LinearOptions {
  /** Adds a bias; default true. */
  readonly bias?: boolean;
  /** Default: uniform in ±1/√inputs, for weight and bias. */
  readonly weightInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
  readonly dtype?: ParameterDType;
}

type LinearParameters = {
  readonly weight: Variable; // [inputs, features]
  readonly bias: Variable | undefined; // [features]
};

export class Linear extends SizedLayer<LinearParameters> {
  readonly features: number;
  readonly options: LinearOptions;

  constructor(features: number, options: LinearOptions = {}) {
    super();
    checkOptions('linear', options, ['bias', 'weightInitializer', 'biasInitializer', 'dtype'], inputsAreFound);
    if (options.dtype !== undefined) checkChoice('linear', 'dtype', options.dtype, parameterDTypes);
    this.features = checkWhole('linear', 'features', features);
    this.options = options;
  }

  override get kind(): string {
    return 'linear';
  }
  get weight(): Variable {
    return this.held.weight;
  }
  get bias(): Variable | undefined {
    return this.held.bias;
  }

  protected override create(inputs: number): LinearParameters {
    const { bias = true, weightInitializer = fanInUniform(), biasInitializer = fanInUniform(), dtype = 'float32' } = this.options;
    const fans = { fanIn: inputs, fanOut: this.features };
    return {
      weight: parameter([inputs, this.features], weightInitializer, { dtype, fans }),
      bias: bias ? parameter([this.features], biasInitializer, { dtype, fans }) : undefined,
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('weight')?.[0];
  }

  /** [..., inputs] → [..., features] */
  forward(x: Tensor): Tensor {
    if (x.rank < 2)
      fail('shape', 'linear', `expected [batch, …, features], got ${showShape(x.shape)}`, 'A single example needs a batch dimension: x.expandDims(0).');
    const { weight, bias } = this.parametersFor(x);
    const y = x.matmul(weight);
    return bias ? y.add(bias) : y;
  }

  override multiplyAdds(_input: Shape, output: Shape): number {
    return sizeOf(output) * (this.inputSize ?? 0);
  }
}

/**
 * A fully connected layer with `features` outputs: [..., inputs] → [..., features].
 * @example nn.linear(10).apply(ones([2, 4])).shape // [2, 10]
 */
export const linear = (features: number, options?: LinearOptions): Linear => new Linear(features, options);
