/** The callbacks, each on a small run; resumption with another model or other data; a full disk. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { fromArrays } from '../data/index.ts';
import * as nn from '../nn/index.ts';
import { adam, cosineDecay, type Optimizer, sgd, stepDecay } from '../optim/index.ts';
import { seed, tensor } from '../tensor/index.ts';
import {
  averageWeights,
  type Callback,
  checkpoint,
  csvLogger,
  type FitOptions,
  fit,
  learningRateMonitor,
  learningRateScheduler,
  loadCheckpoint,
  progress,
  reduceLearningRate,
  timeLimit,
} from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'gradix-callbacks-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const labels = inputs.map(([a, b]) => (a > b ? 1 : 0));
const data = fromArrays(inputs, labels);
const model = (units = 4) => {
  seed(4);
  return nn.sequential(nn.linear(units), nn.tanh(), nn.linear(2));
};
const run = (callbacks: readonly Callback[], options: Partial<FitOptions> = {}, net = model()) =>
  fit(net, data, { ...{ loss: 'crossEntropy', batchSize: 10, epochs: 4 }, optimizer: sgd({ learningRate: 0.1 }), callbacks, ...options });
const rows = (name: string): string[][] =>
  readFileSync(at(name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
/** Interrupts after so many batches. */
function interruption(batches: number): { readonly signal: AbortSignal; readonly callback: Callback } {
  const controller = new AbortController();
  let done = 0;
  return { signal: controller.signal, callback: { batchEnd: () => void (++done === batches && controller.abort()) } };
}

describe('checkpoint', () => {
  test('every n epochs, the last one in any case; keep k', async () => {
    const earlier = (...epochs: number[]) => epochs.map((epoch) => `checkpoint-00000${epoch}-00000.safetensors`);
    const now = 'checkpoint.safetensors';
    const expected = [[], [now], [now], ...Array(2).fill([...earlier(2), now]), ...Array(2).fill([...earlier(2, 4), now]), [...earlier(4, 6), now]];
    const files = () => readdirSync(at('keep')).filter((name) => name.startsWith('checkpoint'));
    const watch: Callback = {
      saves: true,
      // Files are written while the run goes on.
      epochEnd: ({ epoch }) => vi.waitFor(() => expect(files()).toEqual(expected[epoch - 1] ?? files())),
    };
    await run([checkpoint(at('keep'), { everyEpochs: 2, keep: 3 }), watch], { epochs: 9 });
    expect(files()).toEqual([...earlier(6, 8), now]);
    expect((await loadCheckpoint(at('keep'), earlier(8)[0])).state).toMatchObject({ epoch: 8, batch: 0 });
    expect((await loadCheckpoint(at('keep'))).state).toMatchObject({ epoch: 9, batch: 0 });
    await expect(loadCheckpoint(at('keep'), earlier(2)[0])).rejects.toThrow('holds no checkpoint (checkpoint-000002-00000.safetensors)');
  });

  test('goes on only with the same model, optimizer, data, options', async () => {
    await run([checkpoint(at('same'))], { optimizer: adam() });
    const resume = await loadCheckpoint(at('same'));
    const again = (options: Partial<FitOptions>, dataset = data, net = model()) =>
      fit(net, dataset, { ...{ loss: 'crossEntropy', batchSize: 10, epochs: 6 }, optimizer: adam(), resume, ...options });
    const other = fromArrays(inputs, labels.toReversed());
    await expect(again({}, other)).rejects.toThrow(
      'resume: the run was saved with other data: its labels are not the same. Resume with the model, data and options of the first start.',
    );
    const moved = inputs.map((row) => row.map((x) => x + 1));
    await expect(again({}, fromArrays(moved, labels))).rejects.toThrow('resume: the run was saved with other data: its examples are not the same.');
    await expect(
      again(
        {},
        fromArrays(
          inputs.map((row) => [...row, 1]),
          labels,
        ),
      ),
    ).rejects.toThrow('resume: the run was saved with fields x float32 [2], y int32 [], but now it is x float32 [3], y int32 [].');
    await expect(again({ batchSize: 20 })).rejects.toThrow('resume: the run was saved with batchSize 10, but now it is 20.');
    await expect(again({ metrics: ['accuracy'] })).rejects.toThrow('resume: the run was saved with metrics , but now it is accuracy.');
    await expect(again({}, data, model(5))).rejects.toThrow(
      'resume: the checkpoint does not fit this model: loadStateDict: 0.weight is [2, 4] in the state but [2, 5] in the model.',
    );
    await expect(again({ optimizer: sgd({ momentum: 0.9 }) })).rejects.toThrow(
      'resume: the checkpoint does not fit this optimizer: loadStateDict: sgd has no firstMoment.0.weight',
    );
    expect((await again({})).epochs).toHaveLength(6);
  });
});

describe('csvLogger', () => {
  test('a line per epoch, with what other callbacks log', async () => {
    const { epochs } = await run([learningRateMonitor(), csvLogger(at('epochs.csv'))], { metrics: ['accuracy', 'confusionMatrix'], validation: data });
    const [head, ...lines] = rows('epochs.csv');
    expect(head).toEqual(['epoch', 'loss', 'accuracy', 'learningRate', 'valLoss', 'valAccuracy']);
    expect(lines.map((line) => line.map(Number))).toEqual(epochs.map((record) => head.map((name) => record[name] as number)));
  });

  test('goes on after the line of the checkpoint, byte for byte', async () => {
    const logger = (name: string) => csvLogger(at(name), { everyBatches: 1 });
    await run([logger('whole.csv')]);
    const { signal, callback } = interruption(7);
    await run([checkpoint(at('csv')), logger('parts.csv'), callback], { signal });
    const resume = await loadCheckpoint(at('csv'));
    for (let i = 0; i < 2; i++) await run([logger('parts.csv')], { resume }); // the second cuts off what the first wrote
    expect(readFileSync(at('parts.csv'), 'utf8')).toBe(readFileSync(at('whole.csv'), 'utf8'));
    expect(rows('whole.csv')).toHaveLength(17);
    rmSync(at('parts.csv'));
    await expect(run([logger('parts.csv')], { resume })).rejects.toThrow('fit: the callback csvLogger failed in start: csvLogger:');
  });
});

describe('learning rates', () => {
  const rates = async (callbacks: readonly Callback[], optimizer: Optimizer, options: Partial<FitOptions> = {}) =>
    (await run([...callbacks, learningRateMonitor()], { optimizer, ...options })).epochs.map((record) =>
      Number((record.learningRate as number).toPrecision(9)),
    );

  test('a schedule per epoch, per batch, and on a plateau', async () => {
    expect(await rates([learningRateScheduler(stepDecay({ every: 2, factor: 0.5 }))], sgd({ learningRate: 0.4 }))).toEqual([0.4, 0.4, 0.2, 0.2]);
    const halfway = cosineDecay({ steps: 16 });
    expect(await rates([], sgd({ learningRate: 0.4, schedule: halfway }))).toEqual(
      [0, 4, 8, 12].map((t) => Number((0.2 * (1 + Math.cos((Math.PI * t) / 16))).toPrecision(9))),
    );
    expect(await rates([reduceLearningRate({ patience: 0, factor: 0.1, threshold: 0.99 })], sgd({ learningRate: 0.1 }))).toEqual([0.1, 0.1, 0.01, 0.001]);
    expect(() => reduceLearningRate({ factor: 2 })).toThrow('reduceOnPlateau: factor must be a finite number in [0, 1), got 2.');
  });

  test('a resumed run has the same', async () => {
    const make = () => [learningRateScheduler(stepDecay({ every: 1, factor: 0.5 })), reduceLearningRate({ patience: 1, threshold: 0.99 })];
    const whole = await rates(make(), sgd({ learningRate: 0.4 }), { epochs: 6 });
    const { signal, callback } = interruption(14);
    await rates([...make(), checkpoint(at('rates')), callback], sgd({ learningRate: 0.4 }), { epochs: 6, signal });
    expect(await rates(make(), sgd({ learningRate: 9 }), { epochs: 6, resume: await loadCheckpoint(at('rates')) })).toEqual(whole);
  });
});

describe('averageWeights', () => {
  test('measures and ends with the average of the path', async () => {
    const path: number[] = [];
    const net = nn.sequential(nn.linear(1, { bias: false }));
    const line = fromArrays([[1], [1]], tensor([[2], [2]]));
    const weight = () => net.parameters()[0].itemSync();
    await fit(net, line, {
      ...{ loss: 'meanSquaredError', batchSize: 1, epochs: 3, validation: line, optimizer: sgd({ learningRate: 0.1 }) },
      callbacks: [{ batchEnd: () => void path.push(weight()) }, averageWeights(), { epochEnd: () => void path.push(weight()) }],
    });
    const steps = path.filter((_, i) => i % 3 !== 2);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
    [2, 5, 8].forEach((i, epoch) => {
      expect(path[i]).toBeCloseTo(mean(steps.slice(0, 2 * (epoch + 1))), 5);
    });
    for (const i of [1, 2, 3, 4, 5]) expect(steps[i] - 2).toBeCloseTo(0.8 * (steps[i - 1] - 2), 5); // the path itself is not disturbed
    expect(weight()).toBe(path[8]);
  });
});

describe('timeLimit', () => {
  test('stops, and the run can go on', async () => {
    const { stopReason, because, epochs } = await run([timeLimit({ seconds: 0 }), checkpoint(at('time'))]);
    expect([stopReason, because]).toEqual(['stopped', 'the time limit of 0.0 s is up']);
    expect(epochs.length).toBeLessThan(4);
    const resumed = await run([checkpoint(at('time'))], { resume: await loadCheckpoint(at('time')) });
    expect(resumed.epochs).toHaveLength(4);
    expect(() => timeLimit({})).toThrow('timeLimit: there is no limit. Such as { minutes: 30 }.');
  });
});

const withoutCodes = (line: string): string =>
  line
    .split('\x1b[')
    .map((part, i) => (i === 0 ? part : part.replace(/^\??\d*[A-Za-z]/, '')))
    .join('');

describe('progress', () => {
  const written = async (options: Parameters<typeof progress>[0], metrics: FitOptions['metrics'] = ['accuracy']) => {
    const parts: string[] = [];
    await run([progress({ output: { write: (text) => parts.push(text), columns: 80 }, ...options })], { epochs: 2, metrics, validation: data });
    return parts.join('');
  };

  test('figures that a line has no room for go on below', async () => {
    const lines = (await written({ format: 'plain' }, ['accuracy', 'precision', 'recall', 'f1'])).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length).toBeLessThan(80);
    expect(lines[2]).toMatch(/^epoch 2\/2 {2}loss \S+ {2}accuracy \S+%/);
    expect(lines[3]).toMatch(/^ {11}validation \S+ \S+% \S+ \S+ \S+ {2}[\d,]+\/s$/);
  });

  test('JSON, one object per line', async () => {
    const events = (await written({ format: 'json' }))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual(['epoch', 'epoch', 'end']);
    expect(Object.keys(events[0])).toEqual(['event', 'epoch', 'loss', 'accuracy', 'valLoss', 'valAccuracy', 'epochs', 'examplesPerSecond']);
    expect(events[2]).toEqual({ event: 'end', stopReason: 'finished' });
  });

  test('a bar is at most 79 wide and gives the cursor back', async () => {
    const text = await written({ format: 'bar' });
    expect(text).toContain('validating');
    for (const line of text.split(/[\r\n]/)) expect([...withoutCodes(line)].length).toBeLessThan(80);
    expect(text.split('\x1b[?25l').length).toBe(text.split('\x1b[?25h').length);
    await expect(written({ format: 'pie' as 'bar' })).rejects.toThrow('progress: format must be one of bar, plain, json, got pie.');
  });
});

/** A file system of a megabyte, where this process may mount one. */
const mounted = process.platform === 'linux' && process.getuid?.() === 0;
test.runIf(mounted)('a full disk: the error says so, the checkpoint before is kept, nothing half-written is left', async (context) => {
  const target = mkdtempSync(join(tmpdir(), 'gradix-full-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'gradix-test', target]).status !== 0) return context.skip();
  try {
    const growing: Callback = {
      name: 'growing',
      epochEnd() {},
      state: () => ({
        values: null,
        tensors:
          existsSync(join(target, 'best.safetensors')) && statSync(join(target, 'checkpoint.safetensors'), { throwIfNoEntry: false })
            ? { large: { dtype: 'float32', shape: [60_000], data: new Float32Array(60_000) } }
            : {},
      }),
    };
    const net = model();
    await expect(run([growing, checkpoint(target)], {}, net)).rejects.toThrow(
      /^fit: the callback checkpoint failed in epochEnd: checkpoint: no space left on the disk of .*checkpoint\.safetensors\. Free some space; what was saved before is untouched\.$/,
    );
    expect((await loadCheckpoint(target)).state).toMatchObject({ epoch: 1 });
    expect(readdirSync(target).filter((name) => name.includes('.tmp'))).toEqual([]);
    const resumed = await run([{ name: 'growing', state: () => ({ values: null }) }], { resume: await loadCheckpoint(target) });
    expect(resumed.epochs).toHaveLength(4);
  } finally {
    spawnSync('umount', [target]);
    rmSync(target, { recursive: true });
  }
});
