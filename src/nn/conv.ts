/** conv1d, conv2d, conv3d: cross-correlation, channels last. Letters: N batch, C channels in, O channels out. */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { fanInUniform, type Initializer } from './initializers.ts';
import { bothSides, checkChoice, checkOptions, checkWhole, type PerDimension, perDimension } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface ConvOptions {
  /** Step between outputs; default 1. */
  readonly stride?: PerDimension;
  /** Zeros around the input, or 'same': ⌈input / stride⌉ outputs; default 0. */
  readonly padding?: PerDimension | 'same';
  /** Distance between the kernel's taps; default 1. */
  readonly dilation?: PerDimension;
  /** Divides channels into groups that do not see each other; default 1. */
  readonly groups?: number;
  /** Adds a bias; default true. */
  readonly bias?: boolean;
  /** Default: uniform in ±1/√(kernel volume · C / groups), for weight and bias. */
  readonly weightInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
  readonly dtype?: ParameterDType;
}

type ConvParameters = {
  readonly weight: Variable; // [...kernel, C / groups, O]
  readonly bias: Variable | undefined; // [O]
};

export class Conv extends SizedLayer<ConvParameters> {
  readonly dimensions: 1 | 2 | 3;
  readonly filters: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same';
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly options: ConvOptions;

  constructor(dimensions: 1 | 2 | 3, filters: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super();
    const name = `conv${dimensions}d`;
    checkOptions(name, options, ['stride', 'padding', 'dilation', 'groups', 'bias', 'weightInitializer', 'biasInitializer', 'dtype']);
    if (options.dtype !== undefined) checkChoice(name, 'dtype', options.dtype, parameterDTypes);
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
    this.dimensions = dimensions;
    this.filters = checkWhole(name, 'filters', filters);
    this.kernelSize = perDimension(name, 'kernelSize', kernelSize, dimensions);
    this.stride = perDimension(name, 'stride', stride, dimensions);
    this.padding = padding === 'same' ? padding : perDimension(name, 'padding', padding, dimensions, 0);
    this.dilation = perDimension(name, 'dilation', dilation, dimensions);
    this.groups = checkWhole(name, 'groups', groups);
    if (filters % groups !== 0) fail('argument', name, `${filters} filters cannot be divided into ${groups} groups`);
    this.options = options;
  }

  override get kind(): string {
    return `conv${this.dimensions}d`;
  }
  get weight(): Variable {
    return this.held.weight;
  }
  get bias(): Variable | undefined {
    return this.held.bias;
  }

  protected override create(channels: number): ConvParameters {
    if (channels % this.groups !== 0) fail('shape', this.kind, `${channels} input channels cannot be divided into ${this.groups} groups`);
    const { bias = true, weightInitializer = fanInUniform(), biasInitializer = fanInUniform(), dtype = 'float32' } = this.options;
    const volume = sizeOf(this.kernelSize);
    const fans = { fanIn: (volume * channels) / this.groups, fanOut: (volume * this.filters) / this.groups };
    return {
      weight: parameter([...this.kernelSize, channels / this.groups, this.filters], weightInitializer, { dtype, fans }),
      bias: bias ? parameter([this.filters], biasInitializer, { dtype, fans }) : undefined,
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    const channels = shapeOf('weight')?.[this.dimensions];
    return channels === undefined ? undefined : channels * this.groups;
  }

  /** [N, ...size, C] → [N, ...outputSize, O], outputSize = ⌊(size + 2 padding − dilation (kernel − 1) − 1) / stride⌋ + 1 */
  forward(x: Tensor): Tensor {
    if (x.rank !== this.dimensions + 2) {
      const expected = ['N', ...['depth', 'height', 'width'].slice(3 - this.dimensions), 'channels'].join(', ');
      fail(
        'shape',
        this.kind,
        `expected an input of rank ${this.dimensions + 2} [${expected}], got ${showShape(x.shape)}`,
        'Channels come last; a single example needs a batch dimension.',
      );
    }
    const { weight, bias } = this.parametersFor(x, 'channels');
    const padding = this.padding === 'same' ? 'same' : bothSides(this.padding);
    const y = x.conv(weight, { stride: this.stride, padding, dilation: this.dilation, groups: this.groups });
    return bias ? y.add(bias) : y;
  }

  override multiplyAdds(_input: Shape, output: Shape): number {
    return (sizeOf(output) * sizeOf(this.kernelSize) * (this.inputSize ?? 0)) / this.groups;
  }
}

/** Sequences: [N, length, C] → [N, outputLength, filters]; weight [k, C / groups, filters]. */
export const conv1d = (filters: number, kernelSize: PerDimension, options?: ConvOptions): Conv => new Conv(1, filters, kernelSize, options);

/**
 * Images: [N, height, width, C] → [N, outputHeight, outputWidth, filters]; weight [kh, kw, C / groups, filters].
 * @example nn.conv2d(16, 3, { padding: 1 }).apply(ones([1, 28, 28, 1])).shape // [1, 28, 28, 16]
 */
export const conv2d = (filters: number, kernelSize: PerDimension, options?: ConvOptions): Conv => new Conv(2, filters, kernelSize, options);

/** Volumes: [N, depth, height, width, C] → [N, ...outputSize, filters]; weight [kd, kh, kw, C / groups, filters]. */
export const conv3d = (filters: number, kernelSize: PerDimension, options?: ConvOptions): Conv => new Conv(3, filters, kernelSize, options);
