/** Every metric, streamed over batches of unequal sizes, against a plain computation over the whole set in float64; and what they refuse. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromArrays } from '../../data/index.ts';
import { generator } from '../../data/random.ts';
import * as nn from '../../nn/index.ts';
import { type Tensor, tensor } from '../../tensor/index.ts';
import {
  accuracy,
  areaUnderCurve,
  binaryAccuracy,
  confusionMatrix,
  evaluate,
  f1,
  type Metric,
  type MetricValue,
  meanAbsoluteError,
  meanSquaredError,
  perplexity,
  precision,
  recall,
  rSquared,
  topKAccuracy,
} from '../index.ts';
import { areaOf } from './area-under-curve.ts';

class Identity extends nn.Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

type Rows = readonly (readonly number[])[];
const float64 = (rows: Rows | readonly number[]): Tensor => tensor(rows as number[][], { dtype: 'float64' });
/** The metric of outputs that are the inputs themselves, in batches of 7. */
async function measured(metric: Metric, outputs: Rows | readonly number[], targets: Tensor | readonly unknown[]): Promise<MetricValue> {
  const result = await evaluate(new Identity(), fromArrays(float64(outputs), targets), { metrics: [metric], batchSize: 7 });
  return result[metric.name];
}

const random = generator(42);
const count = 52;
const scores = (classes: number): number[][] => Array.from({ length: count }, () => Array.from({ length: classes }, () => random.normal()));
const labels = (classes: number): number[] => Array.from({ length: count }, () => random.below(classes));
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const largest = (row: readonly number[]): number => row.indexOf(Math.max(...row));

const [four, fourLabels] = [scores(4), labels(4)];
const [two, twoLabels] = [scores(2), labels(2)];
const probabilities = Array.from({ length: count }, () => Math.round(random.uniform() * 20) / 20); // with ties
const yesNo = labels(2);
const [predicted, wanted] = [scores(3), scores(3).map((row) => row.map((value) => 1000 + value))];
const offset = predicted.map((row) => row.map((value) => 1000 + 0.5 * value));

/** Counts [true positives, predicted, actual] of one class. */
const counts = (guesses: readonly number[], truths: readonly number[], k: number): [number, number, number] => [
  guesses.filter((guess, i) => guess === k && truths[i] === k).length,
  guesses.filter((guess) => guess === k).length,
  truths.filter((truth) => truth === k).length,
];
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const ofCounts = {
  precision: ([tp, guessed]: readonly number[]) => share(tp, guessed),
  recall: ([tp, , actual]: readonly number[]) => share(tp, actual),
  f1: ([tp, guessed, actual]: readonly number[]) => share(2 * tp, guessed + actual),
};
const guesses = four.map(largest);
const perClass = [0, 1, 2, 3].map((k) => counts(guesses, fourLabels, k));
const summed = [0, 1, 2].map((j) => perClass.reduce((sum, row) => sum + row[j], 0));

const pairsAbove = (values: readonly number[], truths: readonly number[]): number => {
  let [wins, pairs] = [0, 0];
  for (const [i, a] of values.entries())
    for (const [j, b] of values.entries()) {
      if (truths[i] !== 1 || truths[j] !== 0) continue;
      pairs++;
      wins += a > b ? 1 : a === b ? 0.5 : 0;
    }
  return wins / pairs;
};

const negativeLogLikelihood = (row: readonly number[], label: number): number => Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label];
const flat = (rows: Rows): number[] => rows.flat();
const errors = flat(offset).map((value, i) => value - flat(wanted)[i]);
const coefficient = (k: number): number => {
  const column = wanted.map((row) => row[k]);
  const total = column.reduce((sum, y) => sum + (y - mean(column)) ** 2, 0);
  return 1 - offset.reduce((sum, row, i) => sum + (row[k] - column[i]) ** 2, 0) / total;
};
const column = (values: readonly number[]): number[][] => values.map((value) => [value]);

describe('metrics equal the whole set in plain numbers', () => {
  test.each<[string, Metric, Rows | readonly number[], Tensor | readonly unknown[], MetricValue]>([
    ['accuracy', accuracy(), four, fourLabels, mean(guesses.map((guess, i) => (guess === fourLabels[i] ? 1 : 0)))],
    [
      'top-2 accuracy',
      topKAccuracy({ k: 2 }),
      four,
      fourLabels,
      mean(four.map((row, i) => (row.filter((value) => value > row[fourLabels[i]]).length < 2 ? 1 : 0))),
    ],
    ['binary accuracy', binaryAccuracy(), probabilities, float64(yesNo), mean(probabilities.map((p, i) => (p > 0.5 === (yesNo[i] === 1) ? 1 : 0)))],
    [
      'confusion matrix',
      confusionMatrix(),
      four,
      fourLabels,
      [0, 1, 2, 3].map((label) => [0, 1, 2, 3].map((guess) => guesses.filter((g, i) => g === guess && fourLabels[i] === label).length)),
    ],
    ['area under the curve, with ties', areaUnderCurve(), probabilities, float64(yesNo), pairsAbove(probabilities, yesNo)],
    [
      'area under the curve of two outputs',
      areaUnderCurve(),
      two,
      twoLabels,
      pairsAbove(
        two.map(([a, b]) => b - a),
        twoLabels,
      ),
    ],
    ['mean squared error', meanSquaredError(), offset, float64(wanted), mean(errors.map((e) => e * e))],
    ['mean absolute error', meanAbsoluteError(), offset, float64(wanted), mean(errors.map(Math.abs))],
    ['R², far from zero', rSquared(), offset, float64(wanted), mean([0, 1, 2].map(coefficient))],
    ['perplexity', perplexity(), four, fourLabels, Math.exp(mean(four.map((row, i) => negativeLogLikelihood(row, fourLabels[i]))))],
    [
      'perplexity without padding',
      perplexity({ ignoreIndex: 3 }),
      four,
      fourLabels,
      Math.exp(mean(four.flatMap((row, i) => (fourLabels[i] === 3 ? [] : [negativeLogLikelihood(row, fourLabels[i])])))),
    ],
  ])('%s', async (_name, metric, outputs, targets, expected) => {
    const value = await measured(metric, outputs, targets);
    if (typeof expected !== 'number') expect(value).toEqual(expected);
    else expect(value).toBeCloseTo(expected, 11);
  });

  test.each(['precision', 'recall', 'f1'] as const)('%s: macro, micro, binary', async (name) => {
    const [make, figure] = [{ precision, recall, f1 }[name], ofCounts[name]];
    expect(await measured(make(), four, fourLabels)).toBeCloseTo(mean(perClass.map(figure)), 12);
    expect(await measured(make({ average: 'micro' }), four, fourLabels)).toBeCloseTo(figure(summed), 12);
    const twoGuesses = two.map(largest);
    expect(await measured(make(), two, twoLabels)).toBeCloseTo(figure(counts(twoGuesses, twoLabels, 1)), 12);
    expect(await measured(make({ positive: 0 }), two, twoLabels)).toBeCloseTo(figure(counts(twoGuesses, twoLabels, 0)), 12);
    const at = (threshold: number) =>
      counts(
        probabilities.map((p) => (p > threshold ? 1 : 0)),
        yesNo,
        1,
      );
    expect(await measured(make(), column(probabilities), float64(column(yesNo)))).toBeCloseTo(figure(at(0.5)), 12);
    expect(await measured(make({ threshold: 0.8 }), probabilities, float64(yesNo))).toBeCloseTo(figure(at(0.8)), 12);
  });

  test('a class that is never seen counts 0', async () => {
    expect(await measured(f1(), [[1, 0, 0]], [0])).toBeCloseTo(1 / 3, 12);
    expect(await measured(precision(), [0.1, 0.2], float64([1, 0]))).toBe(0);
  });

  test('sequences: every position counts', async () => {
    const outputs = tensor([
      [
        [2, 1],
        [0, 1],
      ],
      [
        [0, 3],
        [5, 4],
      ],
    ]); // [2, 2, 2]
    const set = fromArrays(
      outputs,
      tensor(
        [
          [0, 1],
          [0, 1],
        ],
        { dtype: 'int32' },
      ),
    );
    const result = await evaluate(new Identity(), set, { metrics: ['accuracy', 'perplexity'], batchSize: 1 });
    expect(result.accuracy).toBe(0.5);
    const nats = [
      [2, 1],
      [0, 1],
      [0, 3],
      [5, 4],
    ].map((row, i) => negativeLogLikelihood(row, i % 2));
    expect(result.perplexity).toBeCloseTo(Math.exp(mean(nats)), 5);
  });

  test('the area by ranks equals the count of pairs for any scores', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1 })), { minLength: 2, maxLength: 30 }), (pairs) => {
        const expected = pairsAbove(
          pairs.map(([score]) => score),
          pairs.map(([, label]) => label),
        );
        if (Number.isNaN(expected)) expect(areaOf(pairs.flat())).toBeNaN();
        else expect(areaOf(pairs.flat())).toBeCloseTo(expected, 12);
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(areaOf([0.2, 1, Number.NaN, 0])).toBeNaN();
  });
});

describe('metrics refuse what does not fit', () => {
  test.each<[string, Metric, Rows | readonly number[], Tensor | readonly unknown[], RegExp]>([
    ['accuracy of numbers', accuracy(), [1, 2], [0, 1], /^accuracy: expected outputs \[batch, classes\], got \[2\]\. The metric is for classifiers/],
    ['accuracy with numbers as targets', accuracy(), two, float64(probabilities), /^accuracy: expected integer labels, got float64 \[7\]\. .*meanSquaredError/],
    ['accuracy of one output', accuracy(), [[1], [0]], [0, 0], /^accuracy: one output per example \(\[2, 1\]\) leaves nothing to choose\. Use binaryAccuracy/],
    [
      'labels of another shape',
      confusionMatrix(),
      [[1, 2]],
      tensor([[0, 1]], { dtype: 'int32' }),
      /^confusionMatrix: outputs \[1, 2\] and targets \[1, 2\] do not fit/,
    ],
    ['k above the classes', topKAccuracy(), four, fourLabels, /^topKAccuracy: k is 5, but the model has 4 outputs/],
    [
      'targets that would broadcast',
      meanSquaredError(),
      column(probabilities),
      float64(probabilities),
      /^meanSquaredError: outputs \[7, 1\] and targets \[7\] must have one shape/,
    ],
    ['R² likewise', rSquared(), column(probabilities), float64(probabilities), /^rSquared: outputs \[7, 1\] and targets \[7\] must have one shape/],
    ['the area for four classes', areaUnderCurve(), four, fourLabels, /^areaUnderCurve: outputs \[7, 4\] and targets \[7\] are not of two classes/],
    ['binary F1 of four classes', f1({ average: 'binary' }), four, fourLabels, /^f1: average 'binary' needs one or two outputs, but the model has 4/],
    ['perplexity of numbers', perplexity(), [1, 2], [0, 1], /^perplexity: expected outputs \[batch, classes\], got \[2\]/],
  ])('%s', async (_name, metric, outputs, targets, message) => {
    await expect(measured(metric, outputs, targets)).rejects.toThrow(message);
  });
});
