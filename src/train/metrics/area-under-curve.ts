/** areaUnderCurve: the area under the ROC curve, exactly: the chance that a positive example scores above a negative one, ties counting half (Hanley & McNeil 1982). */
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { stack, type Tensor } from '../../tensor/index.ts';
import { labelsFor, type Metric } from './metric.ts';

/** For one output per example (any score: probability or logit) with targets 0 or 1 of its shape, or two outputs with integer labels. Not a number while one class is missing. */
export const areaUnderCurve = (): Metric => ({
  name: 'areaUnderCurve',
  combine: 'collect',
  atEnd: true,
  measure(outputs, targets) {
    const [scores, labels] = scored(outputs, targets);
    return stack([scores.flatten(), labels.flatten().cast(scores.dtype)], { axis: 1 }); // [n, 2]
  },
  result: areaOf,
});

function scored(outputs: Tensor, targets: Tensor): readonly [scores: Tensor, labels: Tensor] {
  const last = outputs.shape[outputs.rank - 1];
  if ((outputs.rank === 1 || last === 1) && sameShape(outputs.shape, targets.shape)) return [outputs, targets.greater(0.5)];
  if (outputs.rank < 2 || last !== 2)
    fail(
      'shape',
      'areaUnderCurve',
      `outputs ${showShape(outputs.shape)} and targets ${showShape(targets.shape)} are not of two classes`,
      'Expected one score per example and targets of its shape, or outputs [batch, 2] and integer labels [batch].',
    );
  const column = (k: number): Tensor => outputs.slice([...outputs.shape.slice(1).map(() => 0), k], [...outputs.shape.slice(0, -1), 1]);
  return [column(1).sub(column(0)), labelsFor('areaUnderCurve', outputs, targets)];
}

/** From pairs of score and label: (Σ ranks of the positives − P (P + 1) / 2) / (P N), equal scores sharing the mean of their ranks. */
export function areaOf(pairs: ArrayLike<number>): number {
  const count = pairs.length / 2;
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => pairs[2 * a] - pairs[2 * b]);
  let [positives, ranks] = [0, 0];
  for (let start = 0; start < count; ) {
    let end = start;
    while (end < count && pairs[2 * order[end]] === pairs[2 * order[start]]) end++;
    if (end === start) return Number.NaN; // a score that is not a number
    const rank = (start + 1 + end) / 2;
    for (; start < end; start++) {
      if (pairs[2 * order[start] + 1] < 0.5) continue;
      positives++;
      ranks += rank;
    }
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (count - positives));
}
