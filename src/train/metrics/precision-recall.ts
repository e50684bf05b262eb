/** Precision, recall and F1, from counts per class of true positives, predictions and labels. A share of nothing counts as 0. Letters: K classes. */
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { checkChoice, checkNumber, checkOptions, checkWhole } from '../../nn/options.ts';
import { stack, type Tensor } from '../../tensor/index.ts';
import { oneHotRows } from './classification.ts';
import { labelsFor, type Metric } from './metric.ts';

export interface PrecisionRecallOptions {
  /** 'binary': of the positive class alone, for one or two outputs; 'macro': the mean over classes; 'micro': of all classes' counts together. Default 'binary' for one or two outputs, else 'macro'. */
  readonly average?: 'binary' | 'macro' | 'micro';
  /** With one output per example: from where on it counts as positive. Default 0.5, for probabilities; 0 is right for logits. */
  readonly threshold?: number;
  /** With two outputs: the positive class; default 1. */
  readonly positive?: number;
}

/** A class's true positives, how often it was predicted, how often it was the label. */
type Counts = readonly [truePositives: number, predicted: number, actual: number];
type Figure = (counts: Counts) => number;

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const figures = {
  precision: ([truePositives, predicted]) => share(truePositives, predicted),
  recall: ([truePositives, , actual]) => share(truePositives, actual),
  f1: ([truePositives, predicted, actual]) => share(2 * truePositives, predicted + actual),
} satisfies Record<string, Figure>;

/** Outputs and targets as ones per class: [n, K], or [n, 1] for yes/no outputs. */
function ones(name: string, outputs: Tensor, targets: Tensor, threshold: number): readonly [predicted: Tensor, actual: Tensor] {
  const single = sameShape(outputs.shape, targets.shape) && (outputs.rank === 1 || outputs.shape[outputs.rank - 1] === 1);
  const column = (yes: Tensor): Tensor => yes.cast('float32').reshape([-1, 1]);
  if (single) return [column(outputs.greater(threshold)), column(targets.greater(0.5))];
  if (outputs.rank < 2 || outputs.shape[outputs.rank - 1] === 1)
    fail(
      'shape',
      name,
      `outputs ${showShape(outputs.shape)} and targets ${showShape(targets.shape)} do not fit`,
      'Expected one output and one 0 or 1 per example in one shape, or outputs [batch, classes] and integer labels [batch].',
    );
  const classes = outputs.shape[outputs.rank - 1];
  return [oneHotRows(outputs.argMax({ axis: -1 }), classes), oneHotRows(labelsFor(name, outputs, targets), classes)];
}

function fromCounts(name: keyof typeof figures, options: PrecisionRecallOptions): Metric {
  checkOptions(name, options, ['average', 'threshold', 'positive']);
  const threshold = checkNumber(name, 'threshold', options.threshold ?? 0.5);
  const positive = checkWhole(name, 'positive', options.positive ?? 1, 0);
  const asked = options.average && checkChoice(name, 'average', options.average, ['binary', 'macro', 'micro']);
  const figure: Figure = figures[name];
  return {
    name,
    measure(outputs, targets) {
      const [predicted, actual] = ones(name, outputs, targets, threshold);
      const classes = predicted.shape[1];
      if (asked === 'binary' && classes > 2)
        fail('argument', name, `average 'binary' needs one or two outputs, but the model has ${classes}`, "Use average: 'macro' or 'micro'.");
      if (classes === 2 && positive > 1) fail('argument', name, `the positive class is 0 or 1, got ${positive}`);
      return stack([predicted.mul(actual), predicted, actual]).sum({ axis: 1 }); // [3, K]
    },
    result(sums) {
      const classes = sums.length / 3;
      const counts = Array.from({ length: classes }, (_, k): Counts => [sums[k], sums[classes + k], sums[2 * classes + k]]);
      const average = asked ?? (classes <= 2 ? 'binary' : 'macro');
      if (average === 'binary') return figure(counts[classes === 1 ? 0 : positive]);
      if (average === 'macro') return counts.reduce((sum, one) => sum + figure(one), 0) / classes;
      return figure(counts.reduce((a, b): Counts => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]));
    },
  };
}

/** True positives / predicted positives. */
export const precision = (options: PrecisionRecallOptions = {}): Metric => fromCounts('precision', options);

/** True positives / actual positives. */
export const recall = (options: PrecisionRecallOptions = {}): Metric => fromCounts('recall', options);

/** The harmonic mean of precision and recall: 2 TP / (predicted + actual). */
export const f1 = (options: PrecisionRecallOptions = {}): Metric => fromCounts('f1', options);
