/** early-stop: a net with too little data overfits; early stopping ends the run and brings the best epoch's weights back. The last epoch's are compared with them. */
import { fromArrayValues } from '../../io/model.ts';
import { mlp } from '../../models/index.ts';
import type { Layer } from '../../nn/index.ts';
import { adam } from '../../optim/index.ts';
import { evaluate, loadCheckpoint } from '../../train/index.ts';
import { percent } from '../output.ts';
import { digitData, resolveSource, testDigits } from './digit-data.ts';
import type { Recipe } from './recipe.ts';
import { loadStage, trainStage } from './stage.ts';

const examples = 1000;
const patience = 5;
const model = () => mlp({ hidden: [256] });
const measures = { loss: 'crossEntropy', metrics: ['accuracy'] } as const;

export const earlyStop: Recipe = {
  name: 'early-stop',
  summary: `mlp on ${examples} digits; stops once the validation loss has not improved for ${patience} epochs`,
  defaults: { epochs: 100, batchSize: 50, learningRate: 0.001 },
  source: resolveSource,
  subject: async (job) => ({ model: await loadStage(job, model()), test: await testDigits(job.data) }),

  async train(job) {
    const { output, settings } = job;
    const { train: all, validation, test, description } = await digitData(job.data, settings.seed);
    const train = all.take(examples);
    await job.begin(`${description}; of the training digits the first ${train.length}`);
    const stage = {
      ...settings,
      ...measures,
      model,
      train,
      validation,
      patience,
      monitor: 'valLoss',
      optimizer: (rate: number) => adam({ learningRate: rate }),
    };
    const { model: restored, epochs, best, because, figures } = await trainStage(job, stage);
    const last = model();
    last.loadStateDict(fromArrayValues(Object.entries((await loadCheckpoint(job.folder)).model)));
    const [before, after] = [await figuresOf(last, validation, test), await figuresOf(restored, validation, test)];
    const row = (epoch: number, { valLoss, testAccuracy }: typeof after, note: string) =>
      output.text(`  epoch ${String(epoch).padStart(3)}   validation loss ${valLoss.toFixed(4)}   test accuracy ${percent(testAccuracy)}   ${note}`);
    output.text(`\n${because === undefined ? 'It did not stop by itself.' : `Stopped after ${epochs.length} epochs of ${settings.epochs}.`}`);
    row(epochs.length, before, 'the last weights');
    row(best.epoch, after, 'the restored weights');
    output.text(`saved in ${job.folder}`);
    return {
      ...figures,
      stopped: because !== undefined,
      bestValLoss: best.valLoss,
      ...after,
      lastValLoss: before.valLoss,
      lastTestAccuracy: before.testAccuracy,
    };
  },

  async test(job) {
    const test = await testDigits(job.data);
    const { loss, accuracy } = await evaluate(await loadStage(job, model()), test, measures);
    job.output.text(`accuracy ${percent(Number(accuracy))}, loss ${Number(loss).toPrecision(4)} (${test.length.toLocaleString('en-US')} digits)`);
    return { examples: test.length, testLoss: loss, testAccuracy: accuracy };
  },
};

type Digits = Awaited<ReturnType<typeof testDigits>>;

async function figuresOf(net: Layer, validation: Digits, test: Digits) {
  const [seen, unseen] = [await evaluate(net, validation, measures), await evaluate(net, test, measures)];
  return { valLoss: Number(seen.loss), testLoss: Number(unseen.loss), testAccuracy: Number(unseen.accuracy) };
}
