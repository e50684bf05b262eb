/** embedding: one learned vector per integer. */
import { isFloating } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { type Initializer, normal } from './initializers.ts';
import { Module } from './module.ts';
import { checkChoice, checkOptions, checkWhole } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';

export interface EmbeddingOptions {
  /** Default: normal with standard deviation 1. */
  readonly weightInitializer?: Initializer;
  readonly dtype?: ParameterDType;
}

export class Embedding extends Module {
  readonly weight: Variable; // [count, features]

  constructor(count: number, features: number, options: EmbeddingOptions = {}) {
    super();
    checkOptions('embedding', options, ['weightInitializer', 'dtype']);
    const { weightInitializer = normal(), dtype = 'float32' } = options;
    const shape = [checkWhole('embedding', 'count', count), checkWhole('embedding', 'features', features)];
    this.weight = parameter(shape, weightInitializer, { dtype: checkChoice('embedding', 'dtype', dtype, parameterDTypes) });
  }

  override get kind(): string {
    return 'embedding';
  }

  /** Integers [...] in 0 … count − 1 → [..., features] */
  forward(indices: Tensor): Tensor {
    if (isFloating(indices.dtype)) fail('dtype', 'embedding', `expected integers, got ${indices.dtype}`, "Cast them: x.cast('int32').");
    return this.weight.take(indices, 0);
  }
}

/** A table of `count` vectors of `features` numbers, looked up by integers. */
export const embedding = (count: number, features: number, options?: EmbeddingOptions): Embedding => new Embedding(count, features, options);
