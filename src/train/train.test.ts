/** fit, evaluate, predict and the callbacks, on small nets; exact resume. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fromArrays } from '../data/index.ts';
import { load } from '../io/index.ts';
import * as nn from '../nn/index.ts';
import { adam, type Optimizer, sgd } from '../optim/index.ts';
import { seed } from '../tensor/index.ts';
import { type Callback, checkpoint, confusionMatrix, earlyStopping, evaluate, fit, loadCheckpoint, predict, progress } from './index.ts';
import { bar, duration } from './progress.ts';

const folder = mkdtempSync(join(tmpdir(), 'gradix-train-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two noisy rings: 90 points of 2 classes. */
const points = Array.from({ length: 90 }, (_, i) => {
  const radius = (i % 2 === 0 ? 0.5 : 1.5) + 0.1 * Math.sin(7 * i);
  return [radius * Math.cos(2.4 * i), radius * Math.sin(2.4 * i)];
});
const labels = points.map((_, i) => i % 2);
const [training, held] = fromArrays(points, labels).split([70, 20], { seed: 1, stratify: true });

function make() {
  seed(11);
  return { model: nn.sequential(nn.linear(16), nn.batchNorm(), nn.relu(), nn.dropout(0.1), nn.linear(2)), optimizer: adam({ learningRate: 0.02 }) };
}
const rateSetter = (optimizer: Optimizer) => (rate: number) => {
  optimizer.learningRate = rate;
};
const common = { batchSize: 16, loss: 'crossEntropy', metrics: ['accuracy'], validation: held, seed: 5 } as const;

describe('fit', () => {
  test('learns, and its history says so', async () => {
    const { model, optimizer } = make();
    const history = await fit(model, training, { ...common, optimizer, epochs: 12 });
    expect(history.stopReason).toBe('finished');
    expect(history.epochs).toHaveLength(12);
    expect(Object.keys(history.epochs[0])).toEqual(['epoch', 'loss', 'accuracy', 'valLoss', 'valAccuracy']);
    expect(history.epochs[11].loss).toBeLessThan(0.7 * history.epochs[0].loss);
    const result = await evaluate(model, held, { loss: 'crossEntropy', metrics: ['accuracy', confusionMatrix()] });
    expect(result.accuracy).toBe(history.epochs[11].valAccuracy);
    expect(result.loss).toBeCloseTo(history.epochs[11].valLoss as number, 12);
    const matrix = result.confusionMatrix as number[][];
    expect(matrix.flat().reduce((a, b) => a + b)).toBe(20);
    expect((matrix[0][0] + matrix[1][1]) / 20).toBe(result.accuracy);
    const scores = (await (await predict(model, held, { batchSize: 7 })).array()) as number[][];
    const right = scores.filter(([a, b], i) => (b > a ? 1 : 0) === held.labels()?.[i]).length;
    expect(right / 20).toBe(result.accuracy);
    expect(model.training).toBe(true);
  });

  test('hooks come in order', async () => {
    const { model, optimizer } = make();
    const calls: string[] = [];
    const note = (name: string) => () => void calls.push(name);
    const callback: Callback = {
      start: note('start'),
      epochStart: note('epochStart'),
      batchEnd: (run) => void calls.push(`batch ${run.batch}`),
      batchInterval: 2,
      validationStart: note('validationStart'),
      epochEnd: note('epochEnd'),
      end: note('end'),
      close: note('close'),
    };
    await fit(model, training, { ...common, optimizer, epochs: 2, callbacks: [callback] });
    const epoch = ['epochStart', 'batch 2', 'batch 4', 'validationStart', 'epochEnd'];
    expect(calls).toEqual(['start', ...epoch, ...epoch, 'end', 'close']);
  });

  test('a run that is interrupted and resumed has the bits of one that was not', async () => {
    const whole = make();
    await fit(whole.model, training, { ...common, optimizer: whole.optimizer, epochs: 4, callbacks: [checkpoint(join(folder, 'whole'))] });
    for (const stopAt of [1, 5, 12]) {
      const target = join(folder, `stopped-${stopAt}`);
      const controller = new AbortController();
      let batches = 0;
      const abort: Callback = { batchEnd: () => void (++batches === stopAt && controller.abort()) };
      const first = make();
      const broken = await fit(first.model, training, {
        ...common,
        optimizer: first.optimizer,
        epochs: 4,
        signal: controller.signal,
        callbacks: [abort, checkpoint(target)],
      });
      expect(broken.stopReason).toBe('interrupted');
      const second = make();
      seed(999);
      const elsewhere = stopAt === 1;
      const goesOn = elsewhere ? `${target}-elsewhere` : target;
      const history = await fit(second.model, training, {
        ...common,
        optimizer: second.optimizer,
        epochs: 4,
        resume: await loadCheckpoint(target),
        callbacks: [checkpoint(goesOn, { keep: elsewhere ? 2 : 1 })],
      });
      expect(history.epochs).toHaveLength(4);
      for (const file of ['checkpoint.safetensors', 'model.safetensors', 'best.safetensors']) {
        expect(readFileSync(join(goesOn, file)).equals(readFileSync(join(folder, 'whole', file)))).toBe(true);
      }
    }
    expect(readdirSync(join(folder, 'whole')).sort()).toEqual(['best.safetensors', 'checkpoint.safetensors', 'history.jsonl', 'model.safetensors']);
    const { model } = make();
    await load(model, join(folder, 'whole/model.safetensors'));
    expect((await evaluate(model, held, { metrics: ['accuracy'] })).accuracy).toBe((await evaluate(whole.model, held, { metrics: ['accuracy'] })).accuracy);
  });

  test('early stopping stops and brings back the best weights', async () => {
    const { model } = make();
    const optimizer = sgd({ learningRate: 0.05 });
    const setRate = rateSetter(optimizer);
    const worsen: Callback = { epochEnd: (run) => (run.history.length >= 3 ? setRate(30) : undefined) };
    const history = await fit(model, training, {
      ...common,
      optimizer,
      epochs: 30,
      callbacks: [worsen, earlyStopping({ patience: 2, restoreBest: true, monitor: 'valLoss' })],
    });
    const losses = history.epochs.map((record) => record.valLoss as number);
    expect(history.stopReason).toBe('stopped');
    expect(history.because).toMatch(/valLoss has not improved for 2 epochs/);
    const { loss } = await evaluate(model, held, { loss: 'crossEntropy' });
    expect(loss).toBeCloseTo(Math.min(...losses), 12);
  });

  test('a loss that is not finite ends the run and keeps what was saved', async () => {
    const target = join(folder, 'exploding');
    const { model } = make();
    const optimizer = sgd({ learningRate: 0.01 });
    const setRate = rateSetter(optimizer);
    const explode: Callback = { epochEnd: (run) => (run.history.length === 1 ? setRate(1e30) : undefined) };
    await expect(fit(model, training, { ...common, optimizer, epochs: 5, callbacks: [checkpoint(target), explode] })).rejects.toThrow(
      /^fit: the loss is (NaN|-?Infinity) in epoch 2, batch \d of 5\. Lower the learning rate \(now 1e\+30\)/,
    );
    expect((await loadCheckpoint(target)).state).toMatchObject({ epoch: 1, batch: 0 });
  });
});

describe('progress', () => {
  const lines = async (isTTY: boolean) => {
    const { model, optimizer } = make();
    const parts: string[] = [];
    await fit(model, training, {
      ...common,
      optimizer,
      epochs: 2,
      callbacks: [progress({ output: { write: (part) => parts.push(part), isTTY, columns: 80 } })],
    });
    return parts.join('');
  };

  test('plain lines where there is no terminal', async () => {
    expect(await lines(false)).toMatch(/^epoch 1\/2 {2}loss \d\.\d+ {2}accuracy \d+\.\d\d% {2}validation \d\.\d+ \d+\.\d\d% {2}[\d,]+\/s\nepoch 2\/2 .*\n$/);
  });

  test('bars and times', () => {
    expect(bar(0.5, 4)).toBe('██░░');
    expect(bar(0.53, 4)).toBe('██▏░');
    expect([3.25, 42.4, 65, 3723].map(duration)).toEqual(['3.3 s', '42 s', '1:05', '1:02:03']);
  });
});
