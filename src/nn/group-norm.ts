/**
 * groupNorm (Wu & He 2018) and instanceNorm (Ulyanov et al. 2016): normalise each example over its positions and a group of channels.
 * Letters: N batch, C channels, G groups.
 */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { ones, zeros } from './initializers.ts';
import { checkChoice, checkNumber, checkOptions, checkWhole } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface GroupNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Learn a scale and a shift per channel; default true for groupNorm, false for instanceNorm. */
  readonly affine?: boolean;
  readonly dtype?: ParameterDType;
}

type GroupNormParameters = {
  readonly weight: Variable | undefined; // [C], starts at 1
  readonly bias: Variable | undefined; // [C], starts at 0
};

export class GroupNorm extends SizedLayer<GroupNormParameters> {
  /** 'all': every channel is a group. */
  readonly groups: number | 'all';
  readonly epsilon: number;
  readonly affine: boolean;
  readonly dtype: ParameterDType;

  constructor(groups: number | 'all', options: GroupNormOptions = {}) {
    super();
    const name = groups === 'all' ? 'instanceNorm' : 'groupNorm';
    checkOptions(name, options, ['epsilon', 'affine', 'dtype']);
    const { epsilon = 1e-5, affine = groups !== 'all', dtype = 'float32' } = options;
    this.groups = groups === 'all' ? groups : checkWhole(name, 'groups', groups);
    this.epsilon = checkNumber(name, 'epsilon', epsilon, { low: 0 });
    this.affine = affine;
    this.dtype = checkChoice(name, 'dtype', dtype, parameterDTypes);
  }

  override get kind(): string {
    return this.groups === 'all' ? 'instanceNorm' : 'groupNorm';
  }

  override get built(): boolean {
    return !this.affine || super.built;
  }

  protected override create(channels: number): GroupNormParameters {
    const { affine, dtype, groups } = this;
    if (groups !== 'all' && channels % groups !== 0) fail('shape', this.kind, `${channels} channels cannot be divided into ${groups} groups`);
    return {
      weight: affine ? parameter([channels], ones(), { dtype }) : undefined,
      bias: affine ? parameter([channels], zeros(), { dtype }) : undefined,
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('weight')?.[0];
  }

  /** [N, ...size, C] → the same shape */
  forward(x: Tensor): Tensor {
    if (x.rank < 3) fail('shape', this.kind, `expected [N, …size, channels], got ${showShape(x.shape)}`);
    const { weight, bias } = this.parametersFor(x, 'channels');
    const channels = x.shape[x.rank - 1];
    const groups = this.groups === 'all' ? channels : this.groups;
    const grouped = x.reshape([x.shape[0], sizeOf(x.shape.slice(1, -1)), groups, channels / groups]); // [N, P, G, C / G]
    const centred = grouped.sub(grouped.mean({ axis: [1, 3], keepDims: true }));
    const variance = centred.square().mean({ axis: [1, 3], keepDims: true });
    const normal = centred.mul(variance.add(this.epsilon).rsqrt()).reshape(x.shape);
    return weight && bias ? normal.mul(weight).add(bias) : normal;
  }
}

/** Normalises over the positions and each of `groups` groups of channels. `groupNorm(1)` is layer normalisation of whole images. */
export const groupNorm = (groups: number, options?: GroupNormOptions): GroupNorm => new GroupNorm(groups, options);

/** Normalises every channel of every example over its positions. */
export const instanceNorm = (options?: GroupNormOptions): GroupNorm => new GroupNorm('all', options);
