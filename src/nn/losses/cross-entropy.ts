/** crossEntropy: softmax cross-entropy of logits with integer labels or with probabilities. Letters: K classes. */
import { isFloating } from '../../core/dtype.ts';
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { type Tensor, where } from '../../tensor/index.ts';
import { checkNumber, checkOptions, checkWhole } from '../options.ts';
import { checkLabelShape, isLabel, picked } from './labels.ts';
import { type ClassWeights, classWeightsOf, type LossOptions, lossOptions, reduced } from './reduction.ts';

export interface CrossEntropyOptions extends LossOptions {
  /** Share of each target spread evenly over all classes (Szegedy et al. 2016), 0 … 1; default 0. */
  readonly labelSmoothing?: number;
  /** One weight per class; with integer labels a mean is divided by the sum of the labels' weights. */
  readonly classWeights?: ClassWeights;
  /** Integer label that does not count, such as padding. */
  readonly ignoreIndex?: number;
}

/**
 * −Σ q log softmax(logits) over the last dimension. logits [..., K]; targets: integer labels [...] in 0 … K − 1, or probabilities [..., K].
 * Labels are not checked here (their values are not known yet): see checkLabels.
 * @example await nn.crossEntropy(zeros([2, 4]), tensor([0, 3], { dtype: 'int32' })).item() // ln 4
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const name = 'crossEntropy';
  checkOptions(name, options, [...lossOptions, 'labelSmoothing', 'classWeights', 'ignoreIndex']);
  const smoothing = checkNumber(name, 'labelSmoothing', options.labelSmoothing ?? 0, { low: 0, high: 1 });
  if (logits.rank < 1) fail('shape', name, 'expected logits [..., classes], got a scalar');
  const classes = logits.shape[logits.rank - 1];
  const weights = options.classWeights && classWeightsOf(name, options.classWeights, classes, logits);
  const logProbabilities = logits.logSoftmax();
  const ofClasses = weights ? logProbabilities.mul(weights) : logProbabilities; // [..., K]
  const smooth = (hard: Tensor): Tensor => (smoothing === 0 ? hard.neg() : hard.mul(smoothing - 1).sub(ofClasses.mean({ axis: -1 }).mul(smoothing)));
  if (isFloating(targets.dtype)) {
    if (options.ignoreIndex !== undefined)
      fail('argument', name, 'ignoreIndex is for integer labels, but the targets are probabilities', 'Use sampleWeights instead.');
    checkProbabilities(name, logits, targets);
    return reduced(name, smooth(ofClasses.mul(targets).sum({ axis: -1 })), options);
  }
  checkLabelShape(name, logits, targets);
  const each = smooth(picked(ofClasses, targets));
  const labelWeights = weights && where(isLabel(targets, classes), weights, 0).sum({ axis: -1 });
  const counts = options.ignoreIndex === undefined ? undefined : targets.notEqual(checkWhole(name, 'ignoreIndex', options.ignoreIndex, -(2 ** 31)));
  const losses = counts ? where(counts, each, 0) : each;
  // The class weights are in the losses already: they only change what a mean is divided by.
  const divisor = counts && labelWeights ? where(counts, labelWeights, 0) : (labelWeights ?? counts?.cast(logits.dtype));
  if (!divisor || (options.reduction ?? 'mean') !== 'mean') return reduced(name, losses, options);
  const { sampleWeights } = options;
  const total = sampleWeights ? reduced(name, divisor, { reduction: 'sum', sampleWeights }) : divisor.sum();
  return reduced(name, losses, { ...options, reduction: 'sum' }).div(total);
}

function checkProbabilities(operation: string, logits: Tensor, probabilities: Tensor): void {
  if (sameShape(logits.shape, probabilities.shape)) return;
  const labels = sameShape(logits.shape.slice(0, -1), probabilities.shape);
  const hint = labels ? "Labels must be integers: cast them to 'int32'." : 'Probabilities have the shape of the logits.';
  fail('shape', operation, `logits ${showShape(logits.shape)} and targets ${probabilities.dtype} ${showShape(probabilities.shape)} do not fit`, hint);
}
