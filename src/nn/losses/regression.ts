/** Losses of predicted numbers: squared, absolute and Huber's error. Predictions and targets have one shape. */
import type { Tensor } from '../../tensor/index.ts';
import { checkNumber, checkOptions } from '../options.ts';
import { checkSameShape, type LossOptions, lossOptions, reduced } from './reduction.ts';

export type RegressionOptions = LossOptions;

/** (prediction − target)², the L2 loss */
export function meanSquaredError(predictions: Tensor, targets: Tensor, options: RegressionOptions = {}): Tensor {
  checkOptions('meanSquaredError', options, lossOptions);
  checkSameShape('meanSquaredError', predictions, targets);
  return reduced('meanSquaredError', predictions.sub(targets).square(), options);
}

/** |prediction − target|, the L1 loss */
export function meanAbsoluteError(predictions: Tensor, targets: Tensor, options: RegressionOptions = {}): Tensor {
  checkOptions('meanAbsoluteError', options, lossOptions);
  checkSameShape('meanAbsoluteError', predictions, targets);
  return reduced('meanAbsoluteError', predictions.sub(targets).abs(), options);
}

export interface HuberOptions extends RegressionOptions {
  /** Where the square turns into a line; default 1. */
  readonly delta?: number;
}

/** e²/2 for |e| ≤ δ, else δ (|e| − δ/2) (Huber 1964). */
export function huber(predictions: Tensor, targets: Tensor, options: HuberOptions = {}): Tensor {
  checkOptions('huber', options, [...lossOptions, 'delta']);
  const delta = checkNumber('huber', 'delta', options.delta ?? 1, { low: Number.MIN_VALUE });
  checkSameShape('huber', predictions, targets);
  const size = predictions.sub(targets).abs();
  const near = size.minimum(delta); // e²/2 = near (size − near/2) there, δ (|e| − δ/2) beyond: one formula
  return reduced('huber', near.mul(size.sub(near.mul(0.5))), options);
}
