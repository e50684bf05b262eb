/**
 * batchNorm: normalises each channel over the batch (Ioffe & Szegedy 2015), with running statistics for evaluation.
 * Written so that the compiler sees two sums over the input forward and two backward. Letters: C channels, n values per channel.
 */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { customGradient, type Tensor, type Variable } from '../tensor/index.ts';
import { ones, zeros } from './initializers.ts';
import { checkChoice, checkNumber, checkOptions } from './options.ts';
import { buffer, type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface BatchNormOptions {
  /** Weight of the newest batch in the running statistics; default 0.1. */
  readonly momentum?: number;
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Learn a scale and a shift per channel; default true. */
  readonly affine?: boolean;
  readonly dtype?: ParameterDType;
}

type BatchNormParameters = {
  readonly weight: Variable | undefined; // [C], starts at 1
  readonly bias: Variable | undefined; // [C], starts at 0
  readonly runningMean: Variable; // [C], buffer
  readonly runningVariance: Variable; // [C], buffer
};

export class BatchNorm extends SizedLayer<BatchNormParameters> {
  readonly momentum: number;
  readonly epsilon: number;
  readonly affine: boolean;
  readonly dtype: ParameterDType;

  constructor(options: BatchNormOptions = {}) {
    super();
    checkOptions('batchNorm', options, ['momentum', 'epsilon', 'affine', 'dtype']);
    const { momentum = 0.1, epsilon = 1e-5, affine = true, dtype = 'float32' } = options;
    this.momentum = checkNumber('batchNorm', 'momentum', momentum, { low: 0, high: 1 });
    this.epsilon = checkNumber('batchNorm', 'epsilon', epsilon, { low: 0 });
    this.affine = affine;
    this.dtype = checkChoice('batchNorm', 'dtype', dtype, parameterDTypes);
  }

  override get kind(): string {
    return 'batchNorm';
  }

  protected override create(channels: number): BatchNormParameters {
    const { affine, dtype } = this;
    return {
      weight: affine ? parameter([channels], ones(), { dtype }) : undefined,
      bias: affine ? parameter([channels], zeros(), { dtype }) : undefined,
      runningMean: buffer([channels], 0, dtype),
      runningVariance: buffer([channels], 1, dtype),
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('runningMean')?.[0];
  }

  /** [N, ..., C] → the same shape */
  forward(x: Tensor): Tensor {
    if (x.rank < 2) fail('shape', 'batchNorm', `expected [batch, …, channels], got ${showShape(x.shape)}`);
    const { weight, bias, runningMean, runningVariance } = this.parametersFor(x, 'channels');
    if (!this.training) {
      const scale = runningVariance.add(this.epsilon).rsqrt();
      return affineOf(x.sub(runningMean).mul(scale), weight, bias);
    }
    const count = sizeOf(x.shape) / x.shape[x.rank - 1];
    if (count < 2)
      fail('shape', 'batchNorm', `a training batch needs more than one value per channel, got ${showShape(x.shape)}`, 'Use a larger batch, or eval().');
    const pivot = runningMean.snapshot(); // as it was before this call
    const { mean, variance } = statistics(x, pivot);
    runningMean.assign(blend(pivot, mean, this.momentum));
    runningVariance.assign(blend(runningVariance, variance.mul(count / (count - 1)), this.momentum));
    return weight && bias ? normalize(this.epsilon, x, pivot, weight, bias) : normalize(this.epsilon, x, pivot);
  }
}

const blend = (old: Tensor, fresh: Tensor, momentum: number): Tensor => old.mul(1 - momentum).add(fresh.mul(momentum));

const affineOf = (x: Tensor, weight: Variable | undefined, bias: Variable | undefined): Tensor => {
  const scaled = weight ? x.mul(weight) : x;
  return bias ? scaled.add(bias) : scaled;
};

const batchAxes = (x: Tensor): number[] => x.shape.slice(0, -1).map((_, i) => i);

/** Mean and biased variance per channel in one pass over x [..., C]: sums of x − pivot and its square; a pivot near the mean keeps the difference of squares exact. */
function statistics(x: Tensor, pivot: Tensor): { mean: Tensor; variance: Tensor } {
  const axis = batchAxes(x);
  const offset = x.sub(pivot);
  const meanOffset = offset.mean({ axis });
  return { mean: pivot.add(meanOffset), variance: offset.square().mean({ axis }).sub(meanOffset.square()).maximum(0) };
}

interface Normalised {
  /** x̂ = (x − mean) · rstd */
  readonly normal: Tensor;
  readonly rstd: Tensor; // [C]
  /** scale · x̂ + shift */
  readonly output: Tensor;
}

function normalised(epsilon: number, x: Tensor, pivot: Tensor, scale?: Tensor, shift?: Tensor): Normalised {
  const { mean, variance } = statistics(x, pivot);
  const rstd = variance.add(epsilon).rsqrt();
  const centred = x.sub(mean);
  const output = scale && shift ? centred.mul(rstd.mul(scale)).add(shift) : centred.mul(rstd);
  return { normal: centred.mul(rstd), rstd, output };
}

/**
 * scale · x̂ + shift, with the gradients dShift = Σ dy, dScale = Σ dy x̂ and dx = scale · rstd · (dy − dShift / n − x̂ dScale / n): the two sums serve all three.
 * The rule computes x̂ from its own inputs, the same nodes as forward; the compiler merges them.
 */
function normalize(epsilon: number, ...given: Tensor[]): Tensor {
  const forward = (x: Tensor, pivot: Tensor, scale?: Tensor, shift?: Tensor) => normalised(epsilon, x, pivot, scale, shift).output;
  const rule = (dOut: Tensor, x: Tensor, pivot: Tensor, scale?: Tensor): (Tensor | null)[] => {
    const axis = batchAxes(x);
    const count = sizeOf(x.shape) / x.shape[x.rank - 1];
    const { normal, rstd } = normalised(epsilon, x, pivot);
    const dShift = dOut.sum({ axis });
    const dScale = dOut.mul(normal).sum({ axis });
    const inner = dOut.sub(dShift.div(count)).sub(normal.mul(dScale.div(count)));
    return scale ? [inner.mul(rstd.mul(scale)), null, dScale, dShift] : [inner.mul(rstd), null];
  };
  return customGradient(forward as (...inputs: Tensor[]) => Tensor, rule as (dOut: Tensor, ...inputs: Tensor[]) => (Tensor | null)[])(...given);
}

/** Batch normalisation over all dimensions but the last (channels). Names in states: weight, bias, runningMean, runningVariance. */
export const batchNorm = (options?: BatchNormOptions): BatchNorm => new BatchNorm(options);
