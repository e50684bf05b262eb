/**
 * Feeding. `lenet3`, `resnet20`: the time of a training step (32 × 32 pictures, batches of 32, loss read) on batches that lie in memory, and on batches from an image
 * folder in a tar with augmentation, in turns; and what a batch costs in reading, decoding, augmenting and copying when nothing else runs.
 * `stream`: resident memory while a set ten times as large as its cache passes several times. Argument 2: a tar with train/<class>/*.jpg.
 */
import { compile, data, nn, optim, tensor } from 'gradix';
import { lenet3, resnet20 } from '../networks.mjs';

const [question, tar] = process.argv.slice(2);
const [batchSize, turns, steps] = [32, 5, 100];
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const rounded = (value) => Number(value.toFixed(3));
const report = (row) => console.log(JSON.stringify(row));

/** Batches without end. */
async function* endless(loader) {
  for (;;) yield* loader;
}

/** Calls `body` `count` times; milliseconds of each. */
async function timed(count, body) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await body(i);
    times.push(performance.now() - start);
  }
  return times;
}

function trainer(make) {
  const [model, optimizer] = [make(), optim.sgd({ learningRate: 0.01, momentum: 0.9 })];
  return compile((x, y) => {
    const loss = nn.crossEntropy(model.apply(x), y);
    optimizer.minimize(loss, model);
    return loss;
  });
}

async function pipelines() {
  const folder = await data.imageFolder(tar, { under: 'train' });
  const { augment } = data;
  const normal = augment.normalize(await data.statistics(folder.take(1000)));
  const changes = [augment.flip(), augment.crop({ size: 32, padding: 4 }), normal];
  const cached = folder.cache();
  await cached.read(Int32Array.from({ length: cached.length }, (_, i) => i)); // full
  const feed = (dataset, workers) => data.loader(dataset.augment(changes, { seed: 1 }), { batchSize, shuffle: true, dropLast: true, prefetch: 2, workers });
  return {
    folder,
    cached,
    augmented: cached.augment(changes, { seed: 1 }),
    feeds: { cached: feed(cached, 0), cached_workers: feed(cached, 2), decoded: feed(folder, 0), decoded_workers: feed(folder, 2) },
  };
}

/** Milliseconds per batch of every part, each alone on the main thread. */
async function costs({ folder, cached, augmented }) {
  const rows = (i) => Int32Array.from({ length: batchSize }, (_, k) => (i * batchSize * 7 + k * 131) % folder.length);
  const all = async (body) => median((await timed(60, (i) => body(rows(i), i))).slice(10));
  const read = await all((chosen) => folder.job(chosen));
  const readAndDecode = await all((chosen) => folder.readStored(chosen));
  const fromCache = await all((chosen) => cached.readStored(chosen));
  const cacheAndAugment = await all((chosen, i) => augmented.readStored(chosen, i));
  const values = await augmented.read(rows(0));
  const copy = await all(async () => {
    for (const [i, { shape, dtype }] of augmented.fields.entries()) await tensor(values[i], { shape: [batchSize, ...shape], dtype }).realize();
  });
  return { read, decode: readAndDecode - read, augment: cacheAndAugment - fromCache, copy };
}

async function measureSteps(make) {
  const pipes = await pipelines();
  const parts = await costs(pipes);
  const step = trainer(make);
  const batches = [];
  for (let i = 0; i < 50; i++) batches.push(await pipes.augmented.tensors(Int32Array.from({ length: batchSize }, (_, k) => i * batchSize + k)));
  for (const batch of batches) for (const value of batch) await value.realize();
  const from = { memory: async (i) => step(...batches[i % batches.length]).itemSync() };
  for (const [name, loader] of Object.entries(pipes.feeds)) {
    const stream = endless(loader);
    from[name] = async () => step(...(await stream.next()).value).itemSync();
  }
  const times = Object.fromEntries(Object.keys(from).map((name) => [name, []]));
  for (const body of Object.values(from)) await timed(20, body); // compiles, starts workers
  // The mean of a turn, not the median of its steps: a batch that comes late is waited for in one step of several.
  for (let turn = 0; turn < turns; turn++)
    for (const [name, body] of Object.entries(from)) times[name].push((await timed(steps, body)).reduce((sum, ms) => sum + ms, 0) / steps);
  report(verdict(Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])), parts));
}

/** Whether training or data is the bound (more than a tenth above training from memory), and by how much. */
function verdict({ memory, ...fed }, parts) {
  const [best] = Object.entries(fed).sort(([, a], [, b]) => a - b)[0];
  const total = Object.values(parts).reduce((a, b) => a + b, 0);
  const over = fed[best] / memory;
  return {
    memory_ms: rounded(memory),
    ...Object.fromEntries(Object.entries(fed).map(([name, ms]) => [`${name}_ms`, rounded(ms)])),
    ...Object.fromEntries(Object.entries(parts).map(([name, ms]) => [`${name}_ms_per_batch`, rounded(ms)])),
    ...Object.fromEntries(Object.entries(parts).map(([name, ms]) => [`${name}_share`, rounded(ms / total)])),
    best,
    best_over_memory: rounded(over),
    bound: over > 1.1 ? 'data' : 'training',
  };
}

/** Pictures are made larger, so that the set is 480 MB decoded. */
async function measureStream() {
  const folder = await data.imageFolder(tar, { under: 'train', size: 128 });
  const bytes = folder.length * 128 * 128 * 3;
  const allowed = bytes / 10;
  const loader = data.loader(folder.cache({ bytes: allowed }), { batchSize, prefetch: 2, workers: 2 });
  const megabytes = () => rounded(process.memoryUsage.rss() / 2 ** 20);
  const passes = [];
  const before = megabytes();
  for (let pass = 0; pass < 4; pass++) {
    let most = 0;
    for await (const { size } of loader.raw()) if (size > 0) most = Math.max(most, megabytes());
    passes.push(most);
  }
  report({ set_mb: rounded(bytes / 2 ** 20), allowed_mb: rounded(allowed / 2 ** 20), rss_before_mb: before, rss_most_mb_by_pass: passes.join(' ') });
}

const nets = { lenet3, resnet20 };
await (question in nets ? measureSteps(nets[question]) : measureStream());
process.exit(0);
