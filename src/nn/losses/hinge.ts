/** hinge and multiclassHinge: the margin losses of support vector machines. Letters: K classes. */
import { type Tensor, where } from '../../tensor/index.ts';
import { checkChoice, checkNumber, checkOptions } from '../options.ts';
import { checkLabelShape, isLabel, picked } from './labels.ts';
import { type ClassWeights, checkSameShape, classWeightsOf, type LossOptions, lossOptions, reduced } from './reduction.ts';

export interface HingeOptions extends LossOptions {
  /** Squares the margin's violation; default false. */
  readonly squared?: boolean;
}

/** max(0, 1 − t · prediction), targets t = −1 or 1 of the predictions' shape (Cortes & Vapnik 1995). */
export function hinge(predictions: Tensor, targets: Tensor, options: HingeOptions = {}): Tensor {
  checkOptions('hinge', options, [...lossOptions, 'squared']);
  checkSameShape('hinge', predictions, targets);
  const violation = predictions.mul(targets).neg().add(1).maximum(0);
  return reduced('hinge', options.squared ? violation.square() : violation, options);
}

export interface MulticlassHingeOptions extends HingeOptions {
  /** How much larger the right class's score must be; default 1. */
  readonly margin?: number;
  /** 'sum' of the violations by all other classes (Weston & Watkins 1999, default) or the 'largest' alone (Crammer & Singer 2001). */
  readonly over?: 'sum' | 'largest';
  /** One weight per class, for the examples of that class. */
  readonly classWeights?: ClassWeights;
}

/** Σ over the other classes k of max(0, margin + score_k − score_label): scores [..., K], integer labels [...]. */
export function multiclassHinge(scores: Tensor, labels: Tensor, options: MulticlassHingeOptions = {}): Tensor {
  const name = 'multiclassHinge';
  checkOptions(name, options, [...lossOptions, 'squared', 'margin', 'over', 'classWeights']);
  checkLabelShape(name, scores, labels);
  const margin = checkNumber(name, 'margin', options.margin ?? 1, { low: 0 });
  const over = checkChoice(name, 'over', options.over ?? 'sum', ['sum', 'largest']);
  const classes = scores.shape[scores.rank - 1];
  const own = isLabel(labels, classes);
  const violations = where(own, 0, scores.sub(picked(scores, labels).expandDims(-1)).add(margin).maximum(0));
  const counted = options.squared ? violations.square() : violations;
  const losses = over === 'sum' ? counted.sum({ axis: -1 }) : counted.max({ axis: -1 });
  const weights = options.classWeights && classWeightsOf(name, options.classWeights, classes, scores);
  return reduced(name, losses, options, weights && where(own, weights, 0).sum({ axis: -1 }));
}
