/** Metrics: sums over batches, computed inside the compiled step, that a last small formula turns into a figure. */

import { isFloating } from '../core/dtype.ts';
import { didYouMean, fail, showShape } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';
import { arange, type Tensor } from '../tensor/index.ts';

export type MetricValue = number | readonly MetricValue[];

export interface Metric {
  /** Its key in results: `accuracy`, and `valAccuracy` on validation data. */
  readonly name: string;
  /** What a batch adds, as a tensor of any one shape. `outputs` [n, …] of the model, `targets` [n, …]. Runs while the step is recorded. */
  measure(outputs: Tensor, targets: Tensor): Tensor;
  /** The figure from the sums over `examples` examples. */
  result(sums: ArrayLike<number>, examples: number): MetricValue;
  readonly better: 'higher' | 'lower';
}

/** Integer labels of a batch: the targets themselves, or the largest of probabilities. */
function labelsOf(operation: string, outputs: Tensor, targets: Tensor): Tensor {
  if (outputs.rank < 1) fail('shape', operation, 'expected outputs [batch, classes], got a scalar');
  if (sameShape(targets.shape, outputs.shape) && isFloating(targets.dtype)) return targets.argMax({ axis: -1 });
  if (!sameShape(targets.shape, outputs.shape.slice(0, -1))) {
    fail(
      'shape',
      operation,
      `outputs ${showShape(outputs.shape)} and targets ${showShape(targets.shape)} do not fit`,
      'Expected outputs [batch, classes] and integer labels [batch].',
    );
  }
  return targets.cast('int32');
}

/** The share of examples whose largest output is at the label. */
export const accuracy = (): Metric => ({
  name: 'accuracy',
  better: 'higher',
  measure: (outputs, targets) => {
    const right = outputs
      .argMax({ axis: -1 })
      .cast('int32')
      .equal(labelsOf('accuracy', outputs, targets));
    return right
      .cast('float32')
      .mean({ axis: right.shape.map((_, i) => i).slice(1) })
      .sum();
  },
  result: (sums, examples) => sums[0] / examples,
});

/** Counts [classes, classes]: row = label, column = prediction. */
export const confusionMatrix = (): Metric => ({
  name: 'confusionMatrix',
  better: 'higher',
  measure: (outputs, targets) => {
    const classes = outputs.shape[outputs.rank - 1];
    const oneHot = (labels: Tensor) => labels.cast('int32').flatten().expandDims(-1).equal(arange(classes)).cast('float32'); // [n, classes]
    return oneHot(labelsOf('confusionMatrix', outputs, targets))
      .transpose()
      .matmul(oneHot(outputs.argMax({ axis: -1 })));
  },
  result: (sums) => {
    const classes = Math.sqrt(sums.length);
    return Array.from({ length: classes }, (_, row) => Array.from({ length: classes }, (_, column) => sums[row * classes + column]));
  },
});

/** The mean of (output − target)² over all elements. */
export const meanSquaredError = (): Metric => ({
  name: 'meanSquaredError',
  better: 'lower',
  measure: (outputs, targets) => outputs.sub(targets).square().mean().mul(outputs.shape[0]),
  result: (sums, examples) => sums[0] / examples,
});

const byName = { accuracy, confusionMatrix, meanSquaredError };
export type MetricName = keyof typeof byName;

/** Metrics from names and objects. */
export function resolveMetrics(operation: string, given: readonly (MetricName | Metric)[]): Metric[] {
  const metrics = given.map((metric) => {
    if (typeof metric !== 'string') return metric;
    const names = Object.keys(byName);
    if (!Object.hasOwn(byName, metric))
      fail('argument', operation, `there is no metric "${String(metric)}"`, didYouMean(metric, names) ?? `It has ${names.join(', ')}.`);
    return byName[metric]();
  });
  const twice = metrics.find(({ name }, i) => metrics.findIndex((other) => other.name === name) !== i);
  if (twice) fail('argument', operation, `the metric ${twice.name} is given twice`);
  return metrics;
}

/** `accuracy` → `valAccuracy` */
export const validationName = (name: string): string => `val${name[0].toUpperCase()}${name.slice(1)}`;
