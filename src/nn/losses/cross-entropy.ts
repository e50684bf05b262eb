/** crossEntropy: softmax cross-entropy of logits with integer labels or with probabilities. Letters: K classes. */
import { isFloating, type TypedArray } from '../../core/dtype.ts';
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { arange, type Tensor, where } from '../../tensor/index.ts';
import { checkNumber, checkOptions } from '../options.ts';
import { type Reduction, reduced } from './reduction.ts';

export interface CrossEntropyOptions {
  /** Share of each target spread evenly over all classes (Szegedy et al. 2016), 0 … 1; default 0. */
  readonly labelSmoothing?: number;
  readonly reduction?: Reduction;
}

/**
 * −Σ q log softmax(logits) over the last dimension. logits [..., K]; targets: integer labels [...] in 0 … K − 1, or probabilities [..., K].
 * Labels are not checked here (their values are not known yet): see checkLabels.
 * @example await nn.crossEntropy(zeros([2, 4]), tensor([0, 3], { dtype: 'int32' })).item() // ln 4
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkOptions('crossEntropy', options, ['labelSmoothing', 'reduction']);
  const smoothing = checkNumber('crossEntropy', 'labelSmoothing', options.labelSmoothing ?? 0, { low: 0, high: 1 });
  if (logits.rank < 1) fail('shape', 'crossEntropy', 'expected logits [..., classes], got a scalar');
  const logProbabilities = logits.logSoftmax();
  const hard = isFloating(targets.dtype) ? weighted(logProbabilities, targets) : picked(logProbabilities, targets);
  const losses = smoothing === 0 ? hard.neg() : hard.mul(smoothing - 1).sub(logProbabilities.mean({ axis: -1 }).mul(smoothing));
  return reduced('crossEntropy', losses, options.reduction);
}

/** Σ q log p */
function weighted(logProbabilities: Tensor, probabilities: Tensor): Tensor {
  if (!sameShape(logProbabilities.shape, probabilities.shape)) {
    const labels = sameShape(logProbabilities.shape.slice(0, -1), probabilities.shape);
    const hint = labels ? "Labels must be integers: cast them to 'int32'." : 'Probabilities have the shape of the logits.';
    fail(
      'shape',
      'crossEntropy',
      `logits ${showShape(logProbabilities.shape)} and targets ${probabilities.dtype} ${showShape(probabilities.shape)} do not fit`,
      hint,
    );
  }
  return logProbabilities.mul(probabilities).sum({ axis: -1 });
}

/** The log-probability of each label: a select instead of a gather, so that it and its gradient fuse with the softmax. */
function picked(logProbabilities: Tensor, labels: Tensor): Tensor {
  const expected = logProbabilities.shape.slice(0, -1);
  if (!sameShape(expected, labels.shape)) {
    const hint = sameShape(logProbabilities.shape, labels.shape) ? "One-hot or soft targets must be floating: cast them to 'float32'." : undefined;
    fail(
      'shape',
      'crossEntropy',
      `logits ${showShape(logProbabilities.shape)} need integer labels ${showShape(expected)}, got ${showShape(labels.shape)}`,
      hint,
    );
  }
  const classes = logProbabilities.shape[logProbabilities.rank - 1];
  const isLabel = labels.cast('int32').expandDims(-1).equal(arange(classes)); // [..., K]
  return where(isLabel, logProbabilities, 0).sum({ axis: -1 });
}

/** Throws when a label is not a whole number in 0 … classes − 1. For labels whose values are at hand. */
export function checkLabels(labels: TypedArray | readonly number[], classes: number, operation = 'crossEntropy'): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    const hint = label === classes ? 'Labels count from 0.' : 'Does the last layer have one output per class?';
    fail('data', operation, `label ${label} at position ${i} is out of range: the model has ${classes} outputs, so labels are 0 … ${classes - 1}`, hint);
  }
}
