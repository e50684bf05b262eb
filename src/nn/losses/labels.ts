/** Integer labels: their shape, their range, picking one entry per row. Letters: K classes. */
import { isFloating } from '../../core/dtype.ts';
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { arange, type Tensor, where } from '../../tensor/index.ts';

/** Refuses labels that are not integers [...] for scores [..., K]. */
export function checkLabelShape(operation: string, scores: Tensor, labels: Tensor): void {
  const expected = scores.shape.slice(0, -1);
  if (isFloating(labels.dtype)) fail('dtype', operation, `labels must be integers, got ${labels.dtype} ${showShape(labels.shape)}`, "Cast them to 'int32'.");
  if (sameShape(expected, labels.shape)) return;
  const hint = sameShape(scores.shape, labels.shape) ? "One-hot or soft targets must be floating: cast them to 'float32'." : undefined;
  fail('shape', operation, `logits ${showShape(scores.shape)} need integer labels ${showShape(expected)}, got ${showShape(labels.shape)}`, hint);
}

/** True at each row's label [..., K]. */
export const isLabel = (labels: Tensor, classes: number): Tensor => labels.cast('int32').expandDims(-1).equal(arange(classes));

/** The entry of each label: a select instead of a gather, so that it and its gradient fuse with what is around. Labels out of range give 0. */
export const picked = (scores: Tensor, labels: Tensor): Tensor => where(isLabel(labels, scores.shape[scores.rank - 1]), scores, 0).sum({ axis: -1 });

/** Throws when a label is not a whole number in 0 … classes − 1. For labels whose values are at hand; with `rows`, of each of them the labels from row · size on. */
export function checkLabels(labels: ArrayLike<number>, classes: number, operation = 'crossEntropy', rows?: ArrayLike<number>, size = 1): void {
  const count = rows ? rows.length * size : labels.length;
  for (let i = 0; i < count; i++) {
    const label = labels[rows === undefined ? i : size === 1 ? rows[i] : rows[Math.floor(i / size)] * size + (i % size)];
    // Whole numbers come out of this unchanged.
    if (label >>> 0 === label && label < classes) continue;
    const hint = label === classes ? 'Labels count from 0.' : 'Does the last layer have one output per class?';
    fail('data', operation, `label ${label} at position ${i} is out of range: the model has ${classes} outputs, so labels are 0 … ${classes - 1}`, hint);
  }
}
