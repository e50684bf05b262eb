/**
 * addition: a net that learns to add by reading and writing characters, "27+8 " → "35 ". 7,000 of the 10,000 questions teach it; those of the test that are not
 * among them turned round either are also judged by themselves.
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
const [trainQuestions, validationQuestions] = [7000, 1000];
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
  defaults: { epochs: 100, batchSize: 50, learningRate: 0.003 },
  async source(asked) {
    if (asked !== undefined && asked !== 'sums') throw new UsageError('addition', 'this recipe makes its own data', 'Leave --data out.');
    return 'sums';
  },

  async train(job) {
    const { settings, output } = job;
    const { train, validation, test, newPairs } = sums(settings.seed);
    await job.begin(`sums of two numbers below 100: ${count(train)} to train, ${count(validation)} to validate, ${count(test)} to test`);
    const stage = { ...settings, ...measures, model, train, validation, monitor: 'valLoss', unit: 'questions' };
    const {
      model: net,
      best,
      figures,
    } = await trainStage(job, {
      ...stage,
      optimizer: (learningRate, steps) => adam({ learningRate, clipNorm: 1, schedule: cosineDecay({ steps, end: 0.01 }) }),
    });
    return { ...figures, trainLoss: best.loss, valLoss: best.valLoss, valAccuracy: best.valAccuracy, ...(await judge(net, { test, newPairs }, output)) };
  },

  test: async (job) => judge(await loadStage(job, model()), sums(job.settings.seed), job.output),
};

const count = (dataset: Dataset): string => dataset.length.toLocaleString('en-US');

interface Sums {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** The part of the test whose questions are not in the training data turned round either. */
  readonly newPairs: Dataset;
}

/** All questions a+b, drawn into parts. */
function sums(seed: number): Sums {
  const order = Array.from(permutation(10_000, generator(seed, 0xadd)));
  const second = trainQuestions + validationQuestions;
  const [seen, test] = [order.slice(0, trainQuestions), order.slice(second)];
  const trained = new Set(seen);
  const turned = (question: number): number => (question % 100) * 100 + Math.floor(question / 100);
  return {
    train: coded(seen),
    validation: coded(order.slice(trainQuestions, second)),
    test: coded(test),
    newPairs: coded(test.filter((question) => !trained.has(turned(question)))),
  };
}

/** Questions (100 a + b) and answers as characters, the questions from their ends: short paths between the digits that are added (Sutskever et al. 2014). */
function coded(questions: readonly number[]): Dataset {
  const codes = (texts: readonly string[]) => Int32Array.from(texts.join(''), (character) => symbols.indexOf(character));
  const terms = questions.map((question) => [Math.floor(question / 100), question % 100]);
  const asked = terms.map(([a, b]) => [...`${a}+${b}`.padEnd(questionLength)].reverse().join(''));
  return fromColumns([
    { name: 'x', shape: [questionLength], dtype: 'int32', values: codes(asked) },
    { name: 'y', shape: [answerLength], dtype: 'int32', values: codes(terms.map(([a, b]) => String(a + b).padEnd(answerLength))) },
  ]);
}

/** Accuracy on the test questions, and some of them with the net's answers. */
async function judge(net: ReturnType<typeof model>, { test, newPairs }: Pick<Sums, 'test' | 'newPairs'>, output: Output): Promise<Record<string, unknown>> {
  const { loss, accuracy, answerAccuracy } = await evaluate(net, test, measures);
  const unturned = await evaluate(net, newPairs, measures);
  const shown = test.take(200);
  const [questions, answers] = await shown.read(Int32Array.from({ length: shown.length }, (_, i) => i));
  const guesses = await (await predict(net, shown)).argMax({ axis: -1 }).data();
  const text = (codes: ArrayLike<number>, i: number, length: number) => Array.from({ length }, (_, at) => symbols[codes[i * length + at]]).join('');
  const lines = Array.from({ length: shown.length }, (_, i) => {
    const [asked, right, guess] = [[...text(questions, i, questionLength)].reverse().join(''), text(answers, i, answerLength), text(guesses, i, answerLength)];
    return { wrong: right !== guess, line: `  ${asked} = ${guess.trimEnd()}${right === guess ? '' : ` (it is ${right.trim()})`}` };
  });
  output.text();
  for (const { line } of [...lines.filter(({ wrong }) => !wrong).slice(0, 6), ...lines.filter(({ wrong }) => wrong).slice(0, 4)]) output.text(line);
  output.text(`\ntest: ${percent(Number(answerAccuracy))} of the answers are right, ${percent(Number(accuracy))} of the characters (${count(test)} questions)`);
  output.text(`of the ${count(newPairs)} that are not in the training data turned round either, ${percent(Number(unturned.answerAccuracy))}`);
  return { examples: test.length, testLoss: loss, testAccuracy: answerAccuracy, testCharacterAccuracy: accuracy, newPairAccuracy: unturned.answerAccuracy };
}
