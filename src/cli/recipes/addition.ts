/**
 * addition: a net that learns to add by reading and writing characters, "27+8 " → "35 ". Both orders of a pair of numbers are on the same side of the split, so that
 * no question of the test is a question of the training turned round.
 */

import { fromColumns } from '../../data/arrays.ts';
import type { Dataset } from '../../data/index.ts';
import { generator, permutation } from '../../data/random.ts';
import { sequenceToSequence } from '../../models/index.ts';
import { adam, cosineDecay } from '../../optim/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import { evaluate, type Metric, predict } from '../../train/index.ts';
import { UsageError } from '../arguments.ts';
import { type Output, percent } from '../output.ts';
import type { Recipe } from './recipe.ts';
import { loadStage, trainStage } from './stage.ts';

const symbols = '0123456789+ ';
const [questionLength, answerLength] = [5, 3]; // 99+99 = 198
const [trainQuestions, validationQuestions] = [5000, 1000];
const model = () => sequenceToSequence({ symbols: symbols.length, answerLength, units: 128 });

/** The share of answers that are right in every character. */
const wholeAnswers: Metric = {
  name: 'answerAccuracy',
  better: 'higher',
  measure: (logits: Tensor, targets: Tensor) => logits.argMax({ axis: -1 }).cast('int32').equal(targets).all({ axis: 1 }).cast('float32').sum(),
  result: (sums, examples) => sums[0] / examples,
};
const measures = { loss: 'crossEntropy', metrics: ['accuracy', wholeAnswers] } as const;

export const addition: Recipe = {
  name: 'addition',
  summary: 'sums of two numbers below 100 as text, by an LSTM encoder and decoder of 128 units; Adam, cosine decay',
  defaults: { epochs: 300, batchSize: 50, learningRate: 0.003 },
  async source(asked) {
    if (asked !== undefined && asked !== 'sums') throw new UsageError('addition', 'this recipe makes its own data', 'Leave --data out.');
    return 'sums';
  },

  async train(job) {
    const { settings, output } = job;
    const { train, validation, test } = sums(settings.seed);
    await job.begin(`sums of two numbers below 100: ${train.length} to train, ${validation.length} to validate, ${test.length} to test`);
    const stage = { ...settings, ...measures, model, train, validation, monitor: 'valAnswerAccuracy', unit: 'questions' };
    const {
      model: net,
      best,
      figures,
    } = await trainStage(job, {
      ...stage,
      optimizer: (learningRate, steps) => adam({ learningRate, clipNorm: 1, schedule: cosineDecay({ steps, end: 0.01 }) }),
    });
    return { ...figures, trainLoss: best.loss, valLoss: best.valLoss, valAccuracy: best.valAccuracy, ...(await judge(net, test, output)) };
  },

  test: async (job) => judge(await loadStage(job, model()), sums(job.settings.seed).test, job.output),
};

/** All questions a+b, each pair of numbers drawn to one of the parts. */
function sums(seed: number): Readonly<Record<'train' | 'validation' | 'test', Dataset>> {
  const pairs = Array.from({ length: 100 }, (_, a) => Array.from({ length: a + 1 }, (__, b) => [a, b] as const)).flat();
  const order = permutation(pairs.length, generator(seed, 0xadd));
  const questions = Array.from(order, (i) => pairs[i]).flatMap(([a, b]) =>
    a === b
      ? [[a, b]]
      : [
          [a, b],
          [b, a],
        ],
  );
  const part = (from: number, to?: number): Dataset => {
    const list = questions.slice(from, to);
    const coded = (texts: readonly string[]) => Int32Array.from(texts.join(''), (character) => symbols.indexOf(character));
    return fromColumns([
      // Read from the end: short paths between the digits that are added (Sutskever et al. 2014).
      { name: 'x', shape: [questionLength], dtype: 'int32', values: coded(list.map(([a, b]) => [...`${a}+${b}`.padEnd(questionLength)].reverse().join(''))) },
      { name: 'y', shape: [answerLength], dtype: 'int32', values: coded(list.map(([a, b]) => String(a + b).padEnd(answerLength))) },
    ]);
  };
  const second = trainQuestions + validationQuestions;
  return { train: part(0, trainQuestions), validation: part(trainQuestions, second), test: part(second) };
}

/** Accuracy on the test questions, and some of them with the net's answers. */
async function judge(net: ReturnType<typeof model>, test: Dataset, output: Output): Promise<Record<string, unknown>> {
  const { loss, accuracy, answerAccuracy } = await evaluate(net, test, measures);
  const shown = test.take(200);
  const [questions, answers] = await shown.read(Int32Array.from({ length: shown.length }, (_, i) => i));
  const guesses = await (await predict(net, shown)).argMax({ axis: -1 }).data();
  const text = (codes: ArrayLike<number>, i: number, length: number) => Array.from({ length }, (_, at) => symbols[codes[i * length + at]]).join('');
  const lines = Array.from({ length: shown.length }, (_, i) => {
    const [asked, right, guess] = [[...text(questions, i, questionLength)].reverse().join(''), text(answers, i, answerLength), text(guesses, i, answerLength)];
    return { wrong: right !== guess, line: `  ${asked} = ${guess}${right === guess ? '' : ` (it is ${right.trim()})`}` };
  });
  output.text();
  for (const { line } of [...lines.filter(({ wrong }) => !wrong).slice(0, 6), ...lines.filter(({ wrong }) => wrong).slice(0, 4)]) output.text(line);
  output.text(
    `\ntest: ${percent(Number(answerAccuracy))} of the answers are right, ${percent(Number(accuracy))} of the characters (${test.length.toLocaleString('en-US')} questions)`,
  );
  return { examples: test.length, testLoss: loss, testAccuracy: answerAccuracy, testCharacterAccuracy: accuracy };
}
