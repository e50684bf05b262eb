// Runs in a worker of a page, from the built package as it is: long loops, and how much WebAssembly memory they leave in use. Needs gc() (--js-flags=--expose-gc).
import { compiledDevice } from '/dist/engine/devices.js';
import { compile, data, fit, nn, optim, random, tensor } from '/dist/index.js';
import { expose } from '/dist/remote/index.js';

const memory = () => compiledDevice().memory();

/** Memory after everything that is not used any more has been given back. */
async function collected() {
  for (let i = 0; i < 5; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return memory();
}

const points = Array.from({ length: 1600 }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(12.9898 * i + 78.233 * j)));
const labels = points.map(([a, b]) => (a > 0 ? 1 : 0) + (b > 0 ? 2 : 0));
const net = (width) => nn.sequential(nn.linear(width), nn.batchNorm(), nn.relu(), nn.dropout(0.1), nn.linear(4));

function stepOf(model) {
  const optimizer = optim.adam();
  return compile((x, y) => {
    const loss = nn.crossEntropy(model.apply(x), y);
    optimizer.minimize(loss, model);
    return loss;
  });
}

expose({
  /** Training by fit, 100 steps per epoch. */
  async fitted(steps) {
    let early;
    await fit(net(16), data.fromArrays(points, labels), {
      epochs: steps / 100,
      batchSize: 16,
      loss: 'crossEntropy',
      optimizer: optim.adam(),
      callbacks: [
        {
          epochEnd() {
            early ??= memory();
          },
        },
      ],
    });
    return { early, late: memory(), collected: await collected() };
  },
  /** A loop of one's own, which reads every loss. */
  async looped(steps) {
    const step = stepOf(net(16));
    let early;
    for (let i = 0; i < steps; i++) {
      const start = 16 * (i % 100);
      await step(tensor(points.slice(start, start + 16)), tensor(Int32Array.from(labels.slice(start, start + 16)), { shape: [16], dtype: 'int32' })).item();
      if (i === 99) early = memory();
    }
    return { early, late: memory(), collected: await collected() };
  },
  /** Models that are trained for a step and dropped. Each takes 0.2 MB with its optimizer. */
  async dropped(count) {
    const x = random.normal([16, 64], { seed: 1 });
    const y = tensor(
      Int32Array.from({ length: 16 }, (_, i) => i % 4),
      { shape: [16], dtype: 'int32' },
    );
    let early;
    for (let i = 0; i < count; i++) {
      await stepOf(net(256))(x, y).item();
      if (i === 9) early = await collected();
    }
    return { early, late: memory(), collected: await collected() };
  },
});
