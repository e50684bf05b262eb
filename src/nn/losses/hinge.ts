/** hinge: the margin loss of support vector machines (Cortes & Vapnik 1995). */
import type { Tensor } from '../../tensor/index.ts';
import { checkOptions } from '../options.ts';
import { checkSameShape, type Reduction, reduced } from './reduction.ts';

export interface HingeOptions {
  /** Squares the margin's violation; default false. */
  readonly squared?: boolean;
  readonly reduction?: Reduction;
}

/** max(0, 1 − t · prediction), targets t = −1 or 1 of the predictions' shape. */
export function hinge(predictions: Tensor, targets: Tensor, options: HingeOptions = {}): Tensor {
  checkOptions('hinge', options, ['squared', 'reduction']);
  checkSameShape('hinge', predictions, targets);
  const violation = predictions.mul(targets).neg().add(1).maximum(0);
  return reduced('hinge', options.squared ? violation.square() : violation, options.reduction);
}
