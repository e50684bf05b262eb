/** What a metric is: numbers that each batch adds, computed inside the compiled step, and a small formula that turns them into a figure. */
import { isFloating } from '../../core/dtype.ts';
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import type { Tensor } from '../../tensor/index.ts';

export type MetricValue = number | readonly MetricValue[];

export interface Metric {
  /** Its key in results: `accuracy`, and `valAccuracy` on validation data. */
  readonly name: string;
  /** What a batch adds, as a tensor. `outputs` [n, …] of the model, `targets` [n, …]. Runs while the step is recorded; refuse here what does not fit. */
  measure(outputs: Tensor, targets: Tensor): Tensor;
  /** 'sum' (default): the batches' numbers are added up, all batches give equally many. 'collect': they are kept one after the other. */
  readonly combine?: 'sum' | 'collect';
  /** The figure from the combined numbers of `examples` examples. */
  result(numbers: ArrayLike<number>, examples: number): MetricValue;
  /** Default 'higher'. What early stopping and checkpoints take as better. */
  readonly better?: 'higher' | 'lower';
  /** Too much work to be shown while an epoch runs: computed at its end only. */
  readonly atEnd?: boolean;
}

/** Refuses targets of another shape: they would broadcast, and [8, 1] against [8] compares everything with everything. */
export function checkSameShapes(operation: string, outputs: Tensor, targets: Tensor): void {
  if (sameShape(outputs.shape, targets.shape)) return;
  fail('shape', operation, `outputs ${showShape(outputs.shape)} and targets ${showShape(targets.shape)} must have one shape`, 'Reshape the one that is wrong.');
}

/** Integer labels [...] of a batch for scores [..., classes]: the targets themselves, or the place of the largest where they are probabilities. */
export function labelsFor(operation: string, outputs: Tensor, targets: Tensor): Tensor {
  if (outputs.rank < 2) fail('shape', operation, `expected outputs [batch, classes], got ${showShape(outputs.shape)}`, 'The metric is for classifiers.');
  if (sameShape(targets.shape, outputs.shape) && isFloating(targets.dtype)) return targets.argMax({ axis: -1 }).cast('int32');
  if (isFloating(targets.dtype))
    fail(
      'dtype',
      operation,
      `expected integer labels, got ${targets.dtype} ${showShape(targets.shape)}`,
      'The metric is for classifiers; for numbers there are meanSquaredError, meanAbsoluteError and rSquared.',
    );
  if (!sameShape(targets.shape, outputs.shape.slice(0, -1)))
    fail(
      'shape',
      operation,
      `outputs ${showShape(outputs.shape)} and targets ${showShape(targets.shape)} do not fit`,
      'Expected outputs [batch, classes] and integer labels [batch].',
    );
  return targets.cast('int32');
}
