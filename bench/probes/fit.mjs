/**
 * What fit costs over the bare compiled step: argument 1 names the net, argument 2 the number of epochs. Within one fit, with progress on a terminal, a metric and
 * a checkpoint after every epoch, each epoch stands between two rounds of the same batches through the bare step of a second net of the same kind, each loss read.
 * The ratio is the median, over the epochs, of the mean time of the two rounds by the epoch's.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, data, nn, optim, train } from 'gradix';
import { lenet3, mlp } from '../networks.mjs';

const nets = {
  'lenet3-b32': { make: lenet3, batchSize: 32, examples: 9600, optimizer: () => optim.sgd({ learningRate: 0.01, momentum: 0.9 }) },
  'mlp-b64': { make: () => nn.sequential(nn.flatten(), ...mlp().layers), batchSize: 64, examples: 57_600, optimizer: () => optim.adam() },
};
const [name, epochs] = [process.argv[2], Number(process.argv[3])];
const { make, batchSize, examples, optimizer } = nets[name];
/** Different digits; an epoch goes over them several times, so that it is of a usual length beside its checkpoint. */
const different = 9600;
const dataset = data.digits({ count: different, seed: 1 }).select(Int32Array.from({ length: examples }, (_, i) => i % different));

async function bareLoop() {
  const batches = [];
  for (let start = 0; start < different; start += batchSize) {
    const tensors = await dataset.get(start, start + batchSize);
    for (const value of tensors) await value.realize();
    batches.push(tensors);
  }
  const [model, bareOptimizer] = [make(), optimizer()];
  const step = compile((x, y) => {
    const loss = nn.crossEntropy(model.apply(x), y);
    bareOptimizer.minimize(loss, model);
    return loss;
  });
  return () => {
    const start = performance.now();
    for (let i = 0; i < examples / batchSize; i++) step(...batches[i % batches.length]).itemSync();
    return performance.now() - start;
  };
}

const bare = await bareLoop();
bare();
const times = { bare: [], fit: [] };
let begun;
/** Comes first, so that the time of an epoch ends after its checkpoint. */
const clock = {
  epochStart() {
    if (begun !== undefined) times.fit.push(performance.now() - begun);
    times.bare.push(bare());
    begun = performance.now();
  },
};
const folder = await mkdtemp(join(tmpdir(), 'gradix-bench-fit-'));
try {
  const terminal = { write: () => true, isTTY: true, columns: 80 };
  await train.fit(make(), dataset, {
    epochs: epochs + 2,
    batchSize,
    loss: 'crossEntropy',
    optimizer: optimizer(),
    metrics: ['accuracy'],
    callbacks: [clock, train.progress({ output: terminal, format: 'bar' }), train.checkpoint(folder)],
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
// The first epoch compiles.
const [bareMs, fitMs] = [median(times.bare.slice(1)), median(times.fit.slice(1))];
const ratios = times.fit.map((ms, i) => (times.bare[i] + times.bare[i + 1]) / 2 / ms).slice(1);
const perSecond = (ms) => Math.round((1000 * examples) / ms);
console.log(JSON.stringify({ bare_images_per_s: perSecond(bareMs), fit_images_per_s: perSecond(fitMs), ratio: Number(median(ratios).toFixed(3)), epochs }));
process.exit(0);
