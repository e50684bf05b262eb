/** Recipes that read digits with one net: trained, tested, shown with pictures and a confusion matrix. */
import type { Dataset } from '../../data/index.ts';
import type { Layer } from '../../nn/index.ts';
import { confusionMatrix, evaluate, predict } from '../../train/index.ts';
import { confusionTable, pictures } from '../draw.ts';
import { hasColour, type Output, percent } from '../output.ts';
import { augmentedDigits, digitAugmentations, digitData, resolveSource, testDigits } from './digit-data.ts';
import type { Recipe } from './recipe.ts';
import { loadStage, type Stage, trainStage } from './stage.ts';

export interface Classifier extends Pick<Recipe, 'name' | 'summary' | 'defaults'>, Pick<Stage<Layer>, 'model' | 'optimizer'> {}

export const classifier = ({ name, summary, defaults, model, optimizer }: Classifier): Recipe => ({
  name,
  summary,
  defaults,
  augmentations: digitAugmentations,
  source: resolveSource,
  subject: async (job) => ({ model: await loadStage(job, model()), test: await testDigits(job.data) }),
  async train(job) {
    const { output, settings, folder } = job;
    const { train, validation, test, description } = await digitData(job.data, settings.seed);
    await job.begin(description);
    const trained = await trainStage(job, {
      ...settings,
      model,
      optimizer,
      train: augmentedDigits(train, settings),
      validation,
      loss: 'crossEntropy',
      metrics: ['accuracy'],
    });
    const { loss, accuracy, matrix } = await tested(trained.model, test);
    if (!output.json) await showOutcome(trained.model, test, matrix, output);
    const { best, epochs, figures } = trained;
    output.text(`test accuracy ${percent(accuracy)} (${count(test)} digits), weights of epoch ${best.epoch} of ${epochs.length}`);
    output.text(`saved in ${folder}; test it again: gradix eval ${folder}`);
    return { ...figures, trainLoss: best.loss, valLoss: best.valLoss, valAccuracy: best.valAccuracy, testLoss: loss, testAccuracy: accuracy };
  },
  async test(job) {
    const { output, data } = job;
    const test = await testDigits(data);
    const { loss, accuracy, matrix } = await tested(await loadStage(job, model()), test);
    output.text(confusionTable(matrix, test.classes ?? [], hasColour(output.stream)));
    const set = data === 'digits' ? 'generated digits' : data;
    output.text(`\n${name} on ${set}: accuracy ${percent(accuracy)}, loss ${loss.toPrecision(4)} (${count(test)} digits)`);
    return { examples: test.length, testLoss: loss, testAccuracy: accuracy };
  },
});

const count = (test: Dataset): string => test.length.toLocaleString('en-US');

type Matrix = readonly (readonly number[])[];

async function tested(model: Layer, test: Dataset): Promise<{ readonly loss: number; readonly accuracy: number; readonly matrix: Matrix }> {
  const result = await evaluate(model, test, { loss: 'crossEntropy', metrics: ['accuracy', confusionMatrix()] });
  return { loss: Number(result.loss), accuracy: Number(result.accuracy), matrix: result.confusionMatrix as Matrix };
}

/** A few digits with their predictions, mistakes among them, and the confusion matrix. */
async function showOutcome(model: Layer, test: Dataset, matrix: Matrix, output: Output): Promise<void> {
  const shown = test.take(1000);
  const scores = await (await predict(model, shown)).softmax().data();
  const [images, labels] = await shown.read(Int32Array.from({ length: shown.length }, (_, i) => i));
  const classes = test.classes ?? matrix.map((_, i) => String(i));
  const size = test.fields[0].shape[0];
  const judged = Array.from({ length: shown.length }, (_, i) => {
    const row = scores.subarray(i * classes.length, (i + 1) * classes.length);
    const guess = row.indexOf(Math.max(...row));
    return { i, guess, share: row[guess], right: guess === labels[i] };
  });
  const wrong = judged.filter(({ right }) => !right).slice(0, 5);
  const right = judged.filter((one) => one.right).slice(0, 10 - wrong.length);
  const list = [...right, ...wrong].map(({ i, guess, share, right: fits }) => ({
    image: images.subarray(i * size * size, (i + 1) * size * size),
    caption: fits ? `${classes[guess]}  ${Math.floor(100 * share)} %` : `${classes[guess]}? it is ${classes[labels[i]]}`,
  }));
  const columns = Math.min(output.stream.columns || 80, 120);
  output.text(`\n${pictures(list, { size, columns, colour: hasColour(output.stream) })}`);
  output.text(`${confusionTable(matrix, classes, hasColour(output.stream))}\n`);
}
