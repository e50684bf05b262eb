/** bag: nets trained on bootstrap samples of the data, their probabilities averaged (Breiman 1996). The bag is compared with its members. */
import type { Dataset } from '../../data/index.ts';
import { generator } from '../../data/random.ts';
import { mlp } from '../../models/index.ts';
import type { Layer } from '../../nn/index.ts';
import { adam } from '../../optim/index.ts';
import type { Tensor } from '../../tensor/index.ts';
import { predict } from '../../train/index.ts';
import { percent } from '../output.ts';
import { digitData, resolveSource, testDigits } from './digit-data.ts';
import type { Recipe, TestJob } from './recipe.ts';
import { loadStage, trainStage } from './stage.ts';

const members = 5;
const model = () => mlp({ hidden: [256] });
const memberName = (i: number): string => `member-${i + 1}`;

export const bag: Recipe = {
  name: 'bag',
  summary: `${members} mlps on bootstrap samples, their probabilities averaged; Adam`,
  defaults: { epochs: 5, batchSize: 64, learningRate: 0.001 },
  source: resolveSource,

  async train(job) {
    const { settings } = job;
    const { train, validation, test, description } = await digitData(job.data, settings.seed);
    await job.begin(description);
    const nets: Layer[] = [];
    let [seconds, parameters] = [0, 0];
    for (let i = 0; i < members; i++) {
      const seed = settings.seed * members + i;
      const trained = await trainStage(job, {
        ...settings,
        ...{ name: memberName(i), seed, model, train: bootstrap(train, seed), validation, loss: 'crossEntropy', metrics: ['accuracy'] },
        optimizer: (rate) => adam({ learningRate: rate }),
      });
      nets.push(trained.model);
      seconds += trained.figures.seconds;
      parameters += trained.parameters;
    }
    return { parameters, epochs: settings.epochs, seconds: Number(seconds.toFixed(3)), ...(await compare(job, nets, test)) };
  },

  async test(job) {
    const nets: Layer[] = [];
    for (let i = 0; i < members; i++) nets.push(await loadStage(job, model(), memberName(i)));
    return compare(job, nets, await testDigits(job.data));
  },
};

/** As many examples as there are, drawn with replacement. */
function bootstrap(dataset: Dataset, seed: number): Dataset {
  const random = generator(seed, 0xba6);
  return dataset.select(Int32Array.from({ length: dataset.length }, () => random.below(dataset.length)));
}

/** Every member's accuracy and loss on the test set, their means, and those of the averaged probabilities. */
async function compare({ output, folder }: TestJob, nets: readonly Layer[], test: Dataset): Promise<Record<string, unknown>> {
  const labels = Int32Array.from(test.labels() ?? []);
  const each: Tensor[] = [];
  for (const net of nets) each.push((await predict(net, test)).softmax());
  const mean = each.reduce((a, b) => a.add(b)).div(each.length);
  const scores = await Promise.all([...each, mean].map((p) => score(p, labels)));
  const bagged = scores[members];
  const average = (of: (s: (typeof scores)[number]) => number) => scores.slice(0, members).reduce((sum, s) => sum + of(s), 0) / members;
  const row = (name: string, accuracy: number, loss: number) => output.text(`  ${name.padEnd(14)} accuracy ${percent(accuracy)}   loss ${loss.toFixed(4)}`);
  output.text();
  scores.slice(0, members).forEach(({ accuracy, loss }, i) => {
    row(memberName(i), accuracy, loss);
  });
  const memberAccuracy = average((s) => s.accuracy);
  row(
    'their mean',
    memberAccuracy,
    average((s) => s.loss),
  );
  row('the bag', bagged.accuracy, bagged.loss);
  output.text(`saved in ${folder}`);
  const best = Math.max(...scores.slice(0, members).map((s) => s.accuracy));
  return { examples: labels.length, testAccuracy: bagged.accuracy, testLoss: bagged.loss, memberTestAccuracy: memberAccuracy, bestMemberTestAccuracy: best };
}

/** Accuracy and mean −log p of probabilities [n, classes]. */
async function score(probabilities: Tensor, labels: Int32Array): Promise<{ readonly accuracy: number; readonly loss: number }> {
  const values = await probabilities.data();
  const classes = values.length / labels.length;
  let [right, loss] = [0, 0];
  labels.forEach((label, i) => {
    const row = values.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
    loss -= Math.log(Math.max(row[label], 1e-30));
  });
  return { accuracy: right / labels.length, loss: loss / labels.length };
}
