/** What all recipes with a plan share: training with the settings that suit it, tests, and answers about files. */
import { type Dataset, type Statistics, statistics } from '../../../data/index.ts';
import type { Layer } from '../../../nn/index.ts';
import { adamW, oneCycle } from '../../../optim/index.ts';
import { confusionMatrix, evaluate, predict } from '../../../train/index.ts';
import { confusionTable } from '../../draw.ts';
import { hasColour, type Output, percent } from '../../output.ts';
import type { Figures, Job, Prediction, TestJob } from '../recipe.ts';
import { loadStage, type Trained, trainStage } from '../stage.ts';
import { augmented, exampleOf, type Parts } from './parts.ts';
import { classifierNet, type Plan, readPlan } from './plan.ts';
import { facts } from './words.ts';

/** The mean and deviation of the examples to train on: per channel, of tables per column. */
const figuresOf = (train: Dataset, { input }: Plan): Promise<Statistics> => statistics(train, { per: input.kind === 'table' ? 'value' : 'channel' });

/** A part of a run with several nets, which are told about once; or the only net, with the reasons for what was chosen. */
export type Told = { readonly stage: string } | { readonly reasons: Readonly<Record<string, string>> };

/** Trains the net of a plan. */
export async function trainPlan(job: Job, plan: Plan, parts: Parts, told: Told): Promise<Trained<Layer>> {
  const { settings, output } = job;
  const figures = await figuresOf(parts.train, plan);
  const none = { dataset: parts.train, words: 'not at all' };
  const { dataset: train, words } = settings.augment === 'none' ? none : augmented(parts.train, plan.input, settings.seed, figures);
  if ('reasons' in told) output.text(facts({ examples: parts.division, ...told.reasons, augmented: words }));
  // Among few examples the accuracy of many epochs is the same.
  const monitor = parts.validation.length < 500 ? 'valLoss' : 'valAccuracy';
  return trainStage(job, {
    ...settings,
    ...('stage' in told && { name: told.stage }),
    ...{ train, monitor, validation: parts.validation, loss: 'crossEntropy', metrics: ['accuracy'], unit: 'examples' },
    model: () => classifierNet(plan, figures),
    optimizer: (learningRate, steps) => adamW({ learningRate, weightDecay: 0.01, schedule: oneCycle({ steps }) }),
  });
}

/** Tests a net, shows the confusion matrix, and gives the figures. */
export async function testNet(
  net: Layer,
  test: Dataset,
  output: Output,
): Promise<{ readonly examples: number; readonly testLoss: number; readonly testAccuracy: number }> {
  const result = await evaluate(net, test, { loss: 'crossEntropy', metrics: ['accuracy', confusionMatrix()] });
  const { classes = [] } = test;
  if (classes.length <= 30) output.text(`\n${confusionTable(result.confusionMatrix as number[][], classes, hasColour(output.stream))}`);
  return { examples: test.length, testLoss: Number(result.loss), testAccuracy: Number(result.accuracy) };
}

/** The figures of a run that was trained and tested, in words and for the last event. */
export function outcome({ folder, output }: Job, { best, epochs, figures }: Trained<Layer>, tested: Awaited<ReturnType<typeof testNet>>): Figures {
  output.text(
    `\ntest accuracy ${percent(tested.testAccuracy)} (${tested.examples.toLocaleString('en-US')} examples), weights of epoch ${best.epoch} of ${epochs.length}`,
  );
  output.text(`saved in ${folder}; ask it about files: gradix predict ${folder} FILE …`);
  return { ...figures, trainLoss: best.loss, valLoss: best.valLoss, valAccuracy: best.valAccuracy, ...tested };
}

/** The figures of a later test, in words. */
export function testWords(tested: Awaited<ReturnType<typeof testNet>>, output: Output): Figures {
  output.text(`\naccuracy ${percent(tested.testAccuracy)}, loss ${tested.testLoss.toPrecision(4)} (${tested.examples.toLocaleString('en-US')} examples)`);
  return tested;
}

export const loadPlanned = (job: TestJob, plan: Plan): Promise<Layer> => loadStage(job, classifierNet(plan));

/** The classes of every file, of a table's every row, the most probable first. Errors: those of exampleOf. */
export async function predictFiles(job: TestJob, files: readonly string[]): Promise<readonly Prediction[]> {
  const plan = await readPlan(job);
  const net = await loadPlanned(job, plan);
  const predictions: Prediction[] = [];
  for (const file of files) {
    const examples = await exampleOf(file, plan);
    const probabilities = await (await predict(net, examples)).softmax().data();
    for (let row = 0; row < examples.length; row++) {
      const ranked = plan.classes
        .map((name, i) => ({ name, probability: probabilities[row * plan.classes.length + i] }))
        .sort((a, b) => b.probability - a.probability);
      predictions.push({ file, ...(plan.input.kind === 'table' && { row: row + 1 }), ranked });
    }
  }
  return predictions;
}
