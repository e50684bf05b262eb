/** fine-tune: what a net learned of the digits 0–4 serves the digits 5–9: its convolutions are kept as they are, only a new head is trained. */

import type { TypedArray } from '../../core/dtype.ts';
import { Dataset } from '../../data/index.ts';
import * as nn from '../../nn/index.ts';
import { adam, oneCycle } from '../../optim/index.ts';
import { evaluate } from '../../train/index.ts';
import { percent } from '../output.ts';
import { digitData, resolveSource, testDigits } from './digit-data.ts';
import type { Recipe } from './recipe.ts';
import { loadStage, trainStage } from './stage.ts';

const measures = { loss: 'crossEntropy', metrics: ['accuracy'] } as const;
const optimizer = (learningRate: number, steps: number) => adam({ learningRate, schedule: oneCycle({ steps }) });

/** [N, 28, 28, 1] → [N, 512] */
const makeFeatures = () =>
  // biome-ignore format: a line per stage
  nn.sequential(
    nn.conv2d(16, 5), nn.relu(), nn.maxPool2d(2), // [N, 12, 12, 16]
    nn.conv2d(32, 5), nn.relu(), nn.maxPool2d(2), // [N, 4, 4, 32]
    nn.flatten(),
  );
const makeHead = () => nn.sequential(nn.linear(128), nn.relu(), nn.dropout(0.5), nn.linear(5));
const whole = (features: nn.Layer = makeFeatures()) => nn.sequential(features, makeHead());

export const fineTune: Recipe = {
  name: 'fine-tune',
  summary: 'a convolutional net for the digits 0–4; then its convolutions frozen and a new head for 5–9; Adam, one cycle',
  defaults: { epochs: 3, batchSize: 64, learningRate: 0.003 },
  source: resolveSource,

  async train(job) {
    const { output, settings } = job;
    const { train, validation, test, description } = await digitData(job.data, settings.seed);
    await job.begin(description);
    const stage = (name: string, first: number) => ({
      ...settings,
      ...measures,
      name,
      optimizer,
      train: five(train, first),
      validation: five(validation, first),
    });
    output.text('first the digits 0–4, all of the net');
    const low = await trainStage(job, { ...stage('digits-0-4', 0), model: () => whole() });
    output.text('then the digits 5–9, a new head on the same convolutions');
    const [features] = low.model.layers;
    const high = await trainStage(job, { ...stage('digits-5-9', 5), model: () => whole(features.freeze()) });
    const accuracy = async (net: nn.Layer, first: number) => Number((await evaluate(net, five(test, first), measures)).accuracy);
    const [lowAccuracy, highAccuracy] = [await accuracy(low.model, 0), await accuracy(high.model, 5)];
    const trainable = Object.values(high.model.trainableParameters()).reduce((sum, { size }) => sum + size, 0);
    output.text(
      `\ntest accuracy ${percent(lowAccuracy)} on 0–4; ${percent(highAccuracy)} on 5–9, with ${trainable.toLocaleString('en-US')} of ${high.parameters.toLocaleString('en-US')} parameters trained again`,
    );
    output.text(`saved in ${job.folder}`);
    return { ...high.figures, valAccuracy: high.best.valAccuracy, firstTestAccuracy: lowAccuracy, testAccuracy: highAccuracy };
  },

  async test(job) {
    const test = five(await testDigits(job.data), 5);
    const { loss, accuracy } = await evaluate(await loadStage(job, whole(), 'digits-5-9'), test, measures);
    job.output.text(`accuracy ${percent(Number(accuracy))}, loss ${Number(loss).toPrecision(4)} (${test.length.toLocaleString('en-US')} digits 5–9)`);
    return { examples: test.length, testLoss: loss, testAccuracy: accuracy };
  },
};

/** The five digits from `first` on, labelled 0 … 4. */
function five(digits: Dataset, first: number): Dataset {
  const labels = digits.labels() ?? [];
  const rows = Int32Array.from({ length: digits.length }, (_, i) => i).filter((i) => labels[i] >= first && labels[i] < first + 5);
  const chosen = digits.select(rows);
  const relabelled = ([x, y]: readonly TypedArray[]): TypedArray[] => [x, y.map((label: number) => label - first) as TypedArray];
  return new Dataset({
    length: rows.length,
    fields: chosen.fields,
    classes: Array.from({ length: 5 }, (_, i) => String(first + i)),
    read: async (some) => relabelled(await chosen.read(some)),
    readStored: async (some) => relabelled(await chosen.readStored(some)),
    labels: () => Array.from(rows, (row) => labels[row] - first),
  });
}
