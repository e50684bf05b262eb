/** How the losses of examples become one number: weights, then a mean or a sum. */
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { type Tensor, tensor } from '../../tensor/index.ts';
import { checkChoice } from '../options.ts';

/** 'mean' (default) and 'sum' give a scalar; 'none' keeps the single losses. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  readonly reduction?: Reduction;
  /** One weight per example [N], or per position [N, …]. A mean is divided by the sum of the weights: Σ w ℓ / Σ w. */
  readonly sampleWeights?: Tensor;
}
export const lossOptions: readonly string[] = ['reduction', 'sampleWeights'];

/** One weight per class. */
export type ClassWeights = Tensor | readonly number[];

/** The losses, weighted and reduced. `weights`, of their shape, are those of the classes. */
export function reduced(operation: string, losses: Tensor, { reduction = 'mean', sampleWeights }: LossOptions = {}, weights?: Tensor): Tensor {
  const how = checkChoice(operation, 'reduction', reduction, ['mean', 'sum', 'none']);
  const samples = sampleWeights && spread(operation, sampleWeights, losses);
  const all = samples && weights ? samples.mul(weights) : (samples ?? weights);
  const weighted = all ? losses.mul(all) : losses;
  if (how === 'none') return weighted;
  if (how === 'sum') return weighted.sum();
  return all ? weighted.sum().div(all.broadcastTo(losses.shape).sum()) : weighted.mean();
}

/** Weights per example as weights of all its losses. */
export function spread(operation: string, sampleWeights: Tensor, losses: Tensor): Tensor {
  const { shape } = sampleWeights;
  if (!sameShape(shape, losses.shape.slice(0, shape.length)))
    fail('shape', operation, `sampleWeights ${showShape(shape)} do not fit losses ${showShape(losses.shape)}`, 'One weight per example: [batch].');
  return sampleWeights.cast(losses.dtype).reshape([...shape, ...losses.shape.slice(shape.length).map(() => 1)]);
}

/** Class weights as a tensor [classes]. */
export function classWeightsOf(operation: string, given: ClassWeights, classes: number, like: Tensor): Tensor {
  const weights = 'dtype' in given ? given : tensor(Float64Array.from(given));
  if (!sameShape(weights.shape, [classes])) fail('shape', operation, `classWeights must be [${classes}], one per class, got ${showShape(weights.shape)}`);
  return weights.cast(like.dtype);
}

/** Losses that compare element by element do not broadcast: [8, 1] against [8] would silently compare everything with everything. */
export function checkSameShape(operation: string, prediction: Tensor, target: Tensor): void {
  if (sameShape(prediction.shape, target.shape)) return;
  fail(
    'shape',
    operation,
    `predictions ${showShape(prediction.shape)} and targets ${showShape(target.shape)} must have one shape`,
    'Use reshape or squeeze on the one that is wrong.',
  );
}
