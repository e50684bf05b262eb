/**
 * A small training run with everything that has a state, to be killed and gone on with: node interrupted-run.mjs DIST FOLDER [WHEN NUMBER]
 * goes on where the folder's checkpoint says, or begins anew. With WHEN it kills itself around the writing of its NUMBER-th checkpoint: 'writing' (half of the
 * bytes are there), 'before' (all are, under another name), 'after' (it has its name).
 */
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, folder, when, number] = process.argv.slice(2);
const { data, nn, optim, seed, train } = await import(pathToFileURL(join(dist, 'index.js')).href);

const isCheckpoint = (path) => path.endsWith('/checkpoint.safetensors');
const die = () => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
};
let renames = 0;
const { open, rename } = files;
files.open = async (path, ...rest) => {
  const file = await open(path, ...rest);
  if (when !== 'writing' || !path.includes('/.checkpoint.safetensors') || renames + 1 !== Number(number)) return file;
  file.writev = async ([header, values]) => {
    await file.write(header);
    await file.write(values.subarray(0, values.length >> 1));
    return die();
  };
  return file;
};
files.rename = async (from, to) => {
  const due = isCheckpoint(to) && ++renames === Number(number);
  if (due && when === 'before') return die();
  await rename(from, to);
  return due && when === 'after' ? die() : undefined;
};
syncBuiltinESMExports();

const random = (i) => ((Math.sin(i * 12.9898) * 43758.5453) % 1) - 0.5;
const points = Array.from({ length: 240 }, (_, i) => Array.from({ length: 6 }, (_, j) => 4 * random(6 * i + j)));
const labels = points.map(([a, b, c]) => (a * b > 0 ? 1 : 0) + (c > 0.5 ? 1 : 0));
const [training, held] = data.fromArrays(points, labels).split([200, 40], { seed: 2, stratify: true });

seed(5);
const model = nn.sequential(nn.linear(12), nn.batchNorm(), nn.relu(), nn.dropout(0.2), nn.linear(3));
const resume = (await train.hasCheckpoint(folder)) ? await train.loadCheckpoint(folder) : undefined;
if (!resume) await files.rm(folder, { recursive: true, force: true });
console.log('training');
await train.fit(model, training, {
  epochs: 10,
  batchSize: 8,
  seed: 9,
  loss: 'crossEntropy',
  metrics: ['accuracy', 'f1'],
  optimizer: optim.adam({ learningRate: 0.01, schedule: optim.cosineDecay({ steps: 1000 }), clipNorm: 1 }),
  accumulate: 2,
  validation: held,
  callbacks: [
    train.earlyStopping({ patience: 1000, restoreBest: true }),
    train.averageWeights({ decay: 0.9 }),
    train.reduceLearningRate({ patience: 3, factor: 0.8 }),
    train.learningRateMonitor(),
    train.checkpoint(folder, { everyBatches: 7, keep: 3 }),
    train.csvLogger(join(folder, 'batches.csv'), { everyBatches: 5 }),
    train.tensorBoard(join(folder, 'events'), { histogramEvery: 5 }),
    // Slow enough on any machine to be caught in the middle.
    { batchEnd: () => new Promise((resolve) => setTimeout(resolve, 3)) },
  ],
  ...(resume && { resume }),
});
console.log('done');
