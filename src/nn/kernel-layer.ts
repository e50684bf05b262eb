/** What conv, convTranspose and depthwiseConv share: their options, their weight and bias, the checks of their input. Letters: N batch, C channels in, O out. */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { fanInUniform, type Initializer } from './initializers.ts';
import { checkChoice, checkOptions, checkWhole, inputsAreFound, type PerDimension, perDimension } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export type SpatialRank = 1 | 2 | 3;

export interface KernelOptions {
  /** Step between outputs; default 1. */
  readonly stride?: PerDimension;
  /** Zeros around the input, or 'same': ⌈input / stride⌉ outputs; default 0. */
  readonly padding?: PerDimension | 'same';
  /** Distance between the kernel's taps; default 1. */
  readonly dilation?: PerDimension;
  /** Adds a bias; default true. */
  readonly bias?: boolean;
  /** Default: uniform in ±1/√(kernel volume · C / groups), for weight and bias. */
  readonly weightInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
  readonly dtype?: ParameterDType;
}
const kernelOptions: readonly string[] = ['stride', 'padding', 'dilation', 'bias', 'weightInitializer', 'biasInitializer', 'dtype'];

/** How many channels a kernel reads and makes, and what it is shaped like. */
export interface KernelPlan {
  readonly shape: Shape;
  readonly features: number;
  readonly fanIn: number;
  readonly fanOut: number;
}

export type KernelParameters = {
  readonly weight: Variable; // the plan's shape
  readonly bias: Variable | undefined; // [O]
};

export abstract class KernelLayer extends SizedLayer<KernelParameters> {
  readonly name: string;
  readonly dimensions: SpatialRank;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same';
  readonly dilation: readonly number[];
  readonly options: KernelOptions;

  constructor(name: string, dimensions: SpatialRank, kernelSize: PerDimension, options: KernelOptions, more: readonly string[]) {
    super();
    checkOptions(name, options, [...kernelOptions, ...more], inputsAreFound);
    if (options.dtype !== undefined) checkChoice(name, 'dtype', options.dtype, parameterDTypes);
    const { stride = 1, padding = 0, dilation = 1 } = options;
    this.name = name;
    this.dimensions = dimensions;
    this.kernelSize = perDimension(name, 'kernelSize', kernelSize, dimensions);
    this.stride = perDimension(name, 'stride', stride, dimensions);
    this.padding = padding === 'same' ? padding : perDimension(name, 'padding', padding, dimensions, 0);
    this.dilation = perDimension(name, 'dilation', dilation, dimensions);
    this.options = options;
  }

  /** The kernel for an input of this many channels. */
  protected abstract plan(channels: number): KernelPlan;

  /** The kernel at work, without the bias. */
  protected abstract convolve(x: Tensor, weight: Tensor): Tensor;

  override get kind(): string {
    return this.name;
  }
  get weight(): Variable {
    return this.held.weight;
  }
  get bias(): Variable | undefined {
    return this.held.bias;
  }

  protected override create(channels: number): KernelParameters {
    const { shape, features, ...fans } = this.plan(channels);
    const { bias = true, weightInitializer = fanInUniform(), biasInitializer = fanInUniform(), dtype = 'float32' } = this.options;
    return {
      weight: parameter(shape, weightInitializer, { dtype, fans }),
      bias: bias ? parameter([features], biasInitializer, { dtype, fans }) : undefined,
    };
  }

  forward(x: Tensor): Tensor {
    checkSpatial(this.kind, x, this.dimensions);
    const { weight, bias } = this.parametersFor(x, 'channels');
    const y = this.convolve(x, weight);
    return bias ? y.add(bias) : y;
  }

  override multiplyAdds(_input: Shape, output: Shape): number {
    return this.inputSize === undefined ? 0 : (sizeOf(output) * sizeOf(this.held.weight.shape)) / output[output.length - 1];
  }
}

const axisNames = ['depth', 'height', 'width'];

/** Refuses inputs that are not [N, …size, channels] with this many sizes. */
export function checkSpatial(operation: string, x: Tensor, dimensions: SpatialRank): void {
  if (x.rank === dimensions + 2) return;
  const expected = ['N', ...(dimensions === 1 ? ['length'] : axisNames.slice(3 - dimensions)), 'channels'].join(', ');
  fail(
    'shape',
    operation,
    `expected an input of rank ${dimensions + 2} [${expected}], got ${showShape(x.shape)}`,
    'Channels come last; a single example needs a batch dimension.',
  );
}

/** Channels of which each group sees its share. */
export function checkGroups(name: string, groups: number, filters: number): number {
  checkWhole(name, 'groups', groups);
  if (filters % groups !== 0) fail('argument', name, `${filters} filters cannot be divided into ${groups} groups`);
  return groups;
}

/** The share of the input's channels that a group sees. */
export function channelsPerGroup(name: string, channels: number, groups: number): number {
  if (channels % groups !== 0) fail('shape', name, `${channels} input channels cannot be divided into ${groups} groups`);
  return channels / groups;
}
