/** How the losses of examples become one number. */
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import type { Tensor } from '../../tensor/index.ts';
import { checkChoice } from '../options.ts';

/** 'mean' (default) and 'sum' give a scalar; 'none' keeps the single losses. */
export type Reduction = 'mean' | 'sum' | 'none';

export function reduced(operation: string, losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  const how = checkChoice(operation, 'reduction', reduction, ['mean', 'sum', 'none']);
  return how === 'mean' ? losses.mean() : how === 'sum' ? losses.sum() : losses;
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
