/** Metrics of classifiers that count right answers. Letters: N examples, K classes. */
import { fail, showShape } from '../../core/errors.ts';
import { checkOptions, checkWhole } from '../../nn/options.ts';
import { arange, type Tensor, where } from '../../tensor/index.ts';
import { checkSameShapes, labelsFor, type Metric } from './metric.ts';

/** The sum over examples of the mean over an example's positions (one, or many as in a sequence). */
const sumOfMeans = (right: Tensor): Tensor =>
  right
    .cast('float32')
    .mean({ axis: right.shape.map((_, i) => i).slice(1) })
    .sum();

/** The share of examples whose largest output is at the label. */
export const accuracy = (): Metric => ({
  name: 'accuracy',
  measure(outputs, targets) {
    const labels = labelsFor('accuracy', outputs, targets);
    if (outputs.shape[outputs.rank - 1] === 1)
      fail('shape', 'accuracy', `one output per example (${showShape(outputs.shape)}) leaves nothing to choose`, 'Use binaryAccuracy for yes/no outputs.');
    return sumOfMeans(outputs.argMax({ axis: -1 }).cast('int32').equal(labels));
  },
  result: (sums, examples) => sums[0] / examples,
});

/** The share of yes/no outputs on the right side of the threshold: 0.5 for probabilities, 0 for logits. Targets 0 or 1, of the outputs' shape. */
export function binaryAccuracy({ threshold = 0.5 }: { readonly threshold?: number } = {}): Metric {
  return {
    name: 'binaryAccuracy',
    measure(outputs, targets) {
      checkSameShapes('binaryAccuracy', outputs, targets);
      return sumOfMeans(outputs.greater(threshold).equal(targets.greater(0.5)));
    },
    result: (sums, examples) => sums[0] / examples,
  };
}

/** The share of examples whose label is among the k largest outputs; named `top5Accuracy` for k = 5 (default). */
export function topKAccuracy(options: { readonly k?: number } = {}): Metric {
  checkOptions('topKAccuracy', options, ['k']);
  const k = checkWhole('topKAccuracy', 'k', options.k ?? 5);
  return {
    name: `top${k}Accuracy`,
    measure(outputs, targets) {
      const labels = labelsFor('topKAccuracy', outputs, targets); // [N, …]
      const classes = outputs.shape[outputs.rank - 1];
      if (k > classes) fail('argument', 'topKAccuracy', `k is ${k}, but the model has ${classes} outputs`);
      const own = where(labels.expandDims(-1).equal(arange(classes)), outputs, 0).sum({ axis: -1, keepDims: true });
      const place = outputs.greaterEqual(own).cast('int32').sum({ axis: -1 }); // 1 for the largest, 0 where an output is not a number
      return sumOfMeans(place.greaterEqual(1).logicalAnd(place.lessEqual(k)));
    },
    result: (sums, examples) => sums[0] / examples,
  };
}

/** 1 at each label: [N, K]. */
export const oneHotRows = (labels: Tensor, classes: number): Tensor => labels.cast('int32').flatten().expandDims(-1).equal(arange(classes)).cast('float32');

/** Counts [K, K]: row = label, column = prediction. */
export const confusionMatrix = (): Metric => ({
  name: 'confusionMatrix',
  measure(outputs, targets) {
    const labels = labelsFor('confusionMatrix', outputs, targets);
    const classes = outputs.shape[outputs.rank - 1];
    return oneHotRows(labels, classes)
      .transpose()
      .matmul(oneHotRows(outputs.argMax({ axis: -1 }), classes));
  },
  result(sums) {
    const classes = Math.sqrt(sums.length);
    return Array.from({ length: classes }, (_, row) => Array.from({ length: classes }, (_, column) => sums[row * classes + column]));
  },
});
