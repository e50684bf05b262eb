/** What fit can be asked: epochs of other lengths, accumulation, weights, several inputs and outputs, anomalies; and its errors. */
import { describe, expect, test } from 'vitest';
import { Dataset, fromArrays } from '../data/index.ts';
import * as nn from '../nn/index.ts';
import { adam, type Optimizer, sgd } from '../optim/index.ts';
import { seed, type Tensor, tensor } from '../tensor/index.ts';
import { type Callback, checkpoint, evaluate, type FitOptions, fit, lambda, predict } from './index.ts';

const inputs = Array.from({ length: 50 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const data = fromArrays(
  inputs,
  inputs.map(([a, b]) => (a > b ? 1 : 0)),
);
const small = () => {
  seed(4);
  return nn.sequential(nn.linear(8), nn.tanh(), nn.linear(2));
};
const base = { loss: 'crossEntropy', batchSize: 10 } as const;
const weightsOf = (model: nn.Module): number[] => model.parameters().flatMap((v) => [...v.dataSync()]);

/** The batches of a run, as the first input of each example. */
async function seen(options: Partial<FitOptions>, dataset = data): Promise<string[]> {
  const marks: string[] = [];
  const counted = new Dataset({
    length: dataset.length,
    fields: dataset.fields,
    read(rows) {
      marks.push(Array.from(rows).join(' '));
      return dataset.read(rows);
    },
  });
  await fit(small(), counted, { ...base, optimizer: sgd({ learningRate: 0.1 }), ...options });
  return marks;
}

describe('epochs', () => {
  test('overfitBatches repeats the first batches in their order', async () => {
    const marks = await seen({ overfitBatches: 2, epochs: 2 });
    const rows = (start: number) => Array.from({ length: 10 }, (_, i) => start + i).join(' ');
    expect(marks).toEqual([rows(0), rows(10), rows(0), rows(10)]);
  });

  test('limitBatches ends epochs early, each with a new order; validation too', async () => {
    const whole = await seen({ epochs: 2 });
    const limited = await seen({ epochs: 2, limitBatches: 2 });
    expect(limited).toEqual([...whole.slice(0, 2), ...whole.slice(5, 7)]);
    const sizes: number[] = [];
    const watched = new Dataset({
      length: 50,
      fields: data.fields,
      read(rows) {
        sizes.push(rows.length);
        return data.read(rows);
      },
    });
    await fit(small(), data, { ...base, optimizer: sgd(), validation: watched, limitBatches: 1 });
    expect(sizes).toEqual([50]);
  });

  test('stepsPerEpoch goes on in the data, also over their end and after a resume', async () => {
    const whole = await seen({ epochs: 2 });
    const stepped = await seen({ epochs: 3, stepsPerEpoch: 3 });
    expect(stepped).toEqual(whole.slice(0, 9));
    const epochs: number[] = [];
    await seen({ epochs: 3, stepsPerEpoch: 3, callbacks: [{ batchEnd: (run) => void epochs.push(run.epoch * 10 + run.batch) }] });
    expect(epochs).toEqual([1, 2, 3, 11, 12, 13, 21, 22, 23]);
  });

  test('endless data come in their order', async () => {
    const read: number[][] = [];
    const endless = new Dataset({
      length: Number.POSITIVE_INFINITY,
      fields: data.fields,
      read(rows) {
        read.push(Array.from(rows));
        return [Float32Array.from({ length: 2 * rows.length }, (_, i) => Math.sin(rows[i >> 1] + i)), Int32Array.from(rows as number[], (row) => row % 2)];
      },
    });
    const { epochs } = await fit(small(), endless, { ...base, optimizer: sgd(), epochs: 2, stepsPerEpoch: 2, batchSize: 3 });
    expect(read).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
      [9, 10, 11],
    ]);
    expect(epochs).toHaveLength(2);
    await expect(fit(small(), endless, { ...base, optimizer: sgd() })).rejects.toThrow(
      'fit: the dataset is endless, so an epoch needs a length. Pass stepsPerEpoch',
    );
  });

  test('fastDevRun is one batch of everything, without saving', async () => {
    const hooks: string[] = [];
    const note = (name: string) => () => void hooks.push(name);
    const callback: Callback = {
      start: note('start'),
      batchEnd: note('batch'),
      validationStart: note('validation'),
      epochEnd: note('epoch'),
      end: note('end'),
    };
    const { epochs } = await fit(small(), data, {
      ...base,
      optimizer: sgd(),
      validation: data,
      epochs: 9,
      fastDevRun: true,
      callbacks: [callback, checkpoint('/nowhere/at/all')],
    });
    expect(epochs).toHaveLength(1);
    expect(hooks).toEqual(['start', 'batch', 'validation', 'epoch', 'end']);
  });
});

describe('steps', () => {
  test('accumulate: two batches of 5 are one of 10', async () => {
    const whole = small();
    await fit(whole, data, { ...base, optimizer: adam({ learningRate: 0.05 }), shuffle: false, epochs: 2 });
    const parts = small();
    await fit(parts, data, { ...base, optimizer: adam({ learningRate: 0.05 }), shuffle: false, epochs: 2, batchSize: 5, accumulate: 2 });
    weightsOf(parts).forEach((value, i) => {
      expect(value).toBeCloseTo(weightsOf(whole)[i], 5);
    });
  });

  test('classWeights and sampleWeights are those of the loss', async () => {
    const weights = inputs.map((_, i) => 1 + (i % 3));
    const weighted = new Dataset({
      length: 50,
      fields: [...data.fields, { name: 'weight', shape: [], dtype: 'float32' }],
      read: async (rows) => [...(await data.read(rows)), Float32Array.from(rows as number[], (row) => weights[row])],
    });
    const { epochs } = await fit(small(), weighted, {
      ...base,
      batchSize: 50,
      optimizer: sgd({ learningRate: 0 }),
      sampleWeights: 'weight',
      classWeights: [1, 5],
    });
    const [x, y] = await data.get(0, 50);
    const model = small();
    const options = { sampleWeights: tensor(weights), classWeights: [1, 5] };
    expect(epochs[0].loss).toBeCloseTo(await nn.crossEntropy(model.apply(x), y, options).item(), 5);
    const plain = await evaluate(model, weighted, { loss: 'crossEntropy', sampleWeights: 'weight' });
    expect(plain.loss).toBeCloseTo(await nn.crossEntropy(model.apply(x), y, { sampleWeights: tensor(weights) }).item(), 5);
    await expect(fit(small(), data, { ...base, optimizer: sgd(), sampleWeights: 'wieght' })).rejects.toThrow(
      'fit: the dataset has no field wieght for the weights of examples',
    );
  });

  test('the learning rate can be set while it runs', async () => {
    const optimizer = sgd({ learningRate: 0.1 });
    let frozen: number[] = [];
    const model = small();
    await fit(model, data, {
      ...base,
      optimizer,
      epochs: 2,
      callbacks: [
        {
          epochEnd(run) {
            if (run.epoch === 1) frozen = weightsOf(model);
            optimizer.learningRate = 0;
          },
        },
      ],
    });
    expect(weightsOf(model)).toEqual(frozen);
  });
});

describe('several inputs and outputs', () => {
  const joint = new Dataset({
    length: 50,
    fields: [
      { name: 'a', shape: [1], dtype: 'float32' },
      { name: 'b', shape: [1], dtype: 'float32' },
      { name: 'kind', shape: [], dtype: 'int32' },
      { name: 'size', shape: [1], dtype: 'float32' },
    ],
    read(rows) {
      const of = (value: (row: readonly number[]) => number) => Array.from(rows, (row) => value(inputs[row]));
      return [
        Float32Array.from(of(([a]) => a)),
        Float32Array.from(of(([, b]) => b)),
        Int32Array.from(of(([a, b]) => (a > b ? 1 : 0))),
        Float32Array.from(of(([a, b]) => a + b)),
      ];
    },
  });
  const graph = () => {
    seed(6);
    return nn.graph({
      inputs: ['a', 'b'],
      layers: {
        both: [nn.concatenate(), 'a', 'b'],
        trunk: [nn.linear(16), 'both'],
        bent: [nn.tanh(), 'trunk'],
        kind: [nn.linear(2), 'bent'],
        size: [nn.linear(1), 'bent'],
      },
      outputs: ['kind', 'size'],
    });
  };
  const losses = { kind: 'crossEntropy', size: { loss: 'meanSquaredError', weight: 0.5 } } as const;

  test('losses by target, weighted, with metrics by target', async () => {
    const model = graph();
    const { epochs } = await fit(model, joint, {
      ...{ loss: losses, metrics: { kind: ['accuracy'], size: ['meanAbsoluteError'] }, epochs: 30, batchSize: 10, validation: joint },
      optimizer: adam({ learningRate: 0.02 }),
    });
    const last = epochs[29];
    expect(Object.keys(last)).toEqual([
      ...['epoch', 'loss', 'kindLoss', 'sizeLoss', 'kindAccuracy', 'sizeMeanAbsoluteError'],
      ...['valLoss', 'valKindLoss', 'valSizeLoss', 'valKindAccuracy', 'valSizeMeanAbsoluteError'],
    ]);
    expect(last.loss).toBeCloseTo((last.kindLoss as number) + 0.5 * (last.sizeLoss as number), 5);
    expect(last.loss).toBeLessThan(0.3 * epochs[0].loss);
    expect(last.valKindAccuracy).toBeGreaterThan(0.9);
    const [kind, size] = await predict(model, joint, { inputs: ['a', 'b'], batchSize: 20 });
    expect([kind.shape, size.shape]).toEqual([
      [50, 2],
      [50, 1],
    ]);
    const columns = await joint.get(0, 50);
    const [again] = await predict(model, columns.slice(0, 2));
    expect([...(await again.data())]).toEqual([...(await kind.data())]);
  });

  test('outputs by name', async () => {
    class ByName extends nn.Module {
      readonly net = graph();
      forward(a: Tensor, b: Tensor) {
        const [kind, size] = this.net.apply(a, b);
        return { size, kind };
      }
    }
    const model = new ByName();
    const { epochs } = await fit(model, joint, { loss: losses, optimizer: sgd(), batchSize: 50 });
    const { epochs: listed } = await fit(graph(), joint, { loss: losses, optimizer: sgd(), batchSize: 50 });
    expect(epochs[0].loss).toBeCloseTo(listed[0].loss, 6);
    const { size } = await predict(model, joint, { inputs: ['a', 'b'] });
    expect(size.shape).toEqual([50, 1]);
  });

  const train = (options: object) => fit(graph(), joint, { loss: losses, optimizer: sgd(), ...options } as FitOptions);
  test.each<[string, object, string]>([
    ['a loss for no field', { loss: { kind: 'crossEntropy', sise: 'huber' } }, 'fit: the dataset has no field sise for the targets. Did you mean size?'],
    [
      'one loss for two outputs',
      { loss: 'crossEntropy', inputs: ['a', 'b'] },
      'fit: the model has 2 outputs but there is 1 target (kind). Pass losses by the names of the targets',
    ],
    [
      'metrics without an output',
      { metrics: ['accuracy'] },
      'fit: the model has 2 outputs (kind, size), so metrics go by output. Pass metrics: { kind: [...] }.',
    ],
    ['metrics of no output', { metrics: { kinds: ['accuracy'] } }, 'fit: metrics name the output kinds, but the loss does not. Did you mean kind?'],
    ['a metric of the wrong output', { metrics: { size: ['accuracy'] } }, 'accuracy: one output per example'],
    ['class weights', { classWeights: [1, 2] }, 'fit: classWeights are for models of one output.'],
  ])('refuses %s', async (_name, options, message) => {
    await expect(train(options)).rejects.toThrow(message);
  });
});

describe('anomalies', () => {
  class Broken extends nn.Module {
    readonly body: (x: Tensor) => Tensor;
    constructor(body: (x: Tensor) => Tensor) {
      super();
      this.body = body;
    }
    forward(x: Tensor): Tensor {
      return this.body(x);
    }
  }
  const run = (broken: nn.Module & { apply(x: Tensor): Tensor }, dataset = data) =>
    fit(nn.sequential(nn.linear(4), broken, nn.linear(2)), dataset, { ...base, optimizer: sgd(), shuffle: false, detectAnomaly: true });

  test('a healthy net trains as without', async () => {
    const watched = small();
    await fit(watched, data, { ...base, optimizer: adam(), detectAnomaly: true });
    const plain = small();
    await fit(plain, data, { ...base, optimizer: adam() });
    weightsOf(watched).forEach((value, i) => {
      expect(value).toBeCloseTo(weightsOf(plain)[i], 6);
    });
  });

  test('names the layer whose output breaks first', async () => {
    await expect(run(new Broken((x) => x.abs().neg().sub(1).log()))).rejects.toThrow(
      /^fit: in epoch 1, batch 1 of 5: layer 1 \(Broken\) is the first whose output is not finite \(forward pass\)\. Lower the learning rate/,
    );
  });

  test('names the layer whose gradient breaks first, although all outputs are finite', async () => {
    await expect(run(new Broken((x) => x.mul(0).sqrt().add(x)))).rejects.toThrow(
      /^fit: in epoch 1, batch 1 of 5: layer 1 \(Broken\) is the first whose gradient is not finite \(backward pass\)\./,
    );
  });

  test('says when the data are to blame, and in which batch', async () => {
    const bad = fromArrays(
      inputs.map(([a, b], i) => (i === 37 ? [Number.NaN, b] : [a, b])),
      inputs.map(() => 1),
    );
    await expect(run(nn.tanh(), bad)).rejects.toThrow('fit: in epoch 1, batch 4 of 5: the inputs hold values that are not finite.');
  });
});

describe('callbacks that fail', () => {
  const failing = (callback: Callback) => fit(small(), data, { ...base, optimizer: sgd(), epochs: 3, validation: data, callbacks: [lambda(callback)] });
  const boom = () => {
    throw new Error('boom');
  };
  test.each(['start', 'epochStart', 'batchEnd', 'validationStart', 'epochEnd', 'end', 'close'] as const)(
    '%s: the error names callback and hook',
    async (hook) => {
      await expect(failing({ name: 'mine', [hook]: boom })).rejects.toThrow(`fit: the callback mine failed in ${hook}: boom.`);
      await expect(failing({ [hook]: async () => boom() })).rejects.toThrow(`fit: the callback number 1 failed in ${hook}: boom.`);
    },
  );

  test('the error that ended the run is the one that is thrown; all are closed; the model keeps its weights', async () => {
    const closed: string[] = [];
    const model = small();
    const close = (name: string) => () => {
      closed.push(name);
      throw new Error(`${name} cannot close`);
    };
    const callbacks = [{ close: close('a'), epochEnd: () => (closed.length === 0 ? boom() : undefined) }, { close: close('b') }];
    await predict(model, data);
    const before = JSON.stringify(weightsOf(model));
    await expect(fit(model, data, { ...base, optimizer: sgd({ learningRate: 0.1 }), callbacks })).rejects.toThrow('failed in epochEnd: boom');
    expect(closed).toEqual(['a', 'b']);
    expect(JSON.stringify(weightsOf(model))).not.toBe(before);
    expect(model.training).toBe(true);
  });

  test('what is no callback', async () => {
    const refused = (callback: unknown) => fit(small(), data, { ...base, optimizer: sgd(), callbacks: [callback as Callback] });
    await expect(refused(lambda)).rejects.toThrow('fit: callback 1 is a function, not a callback. Call it: progress(), not progress');
    await expect(refused({ epochEnd: 3 })).rejects.toThrow('fit: epochEnd of callback 1 is not a function.');
    expect(() => lambda({ epochend: boom } as Callback)).toThrow('lambda: there is no hook epochend. Did you mean epochEnd?');
    const twin = { name: 'twin', state: () => ({ values: 1 }) };
    await expect(fit(small(), data, { ...base, optimizer: sgd(), callbacks: [twin, { ...twin }] })).rejects.toThrow('fit: two callbacks are named twin');
  });

  test('accumulate and averages are for new optimizers', async () => {
    const optimizer: Optimizer = sgd();
    await fit(small(), data, { ...base, optimizer });
    await expect(fit(small(), data, { ...base, optimizer, accumulate: 2 })).rejects.toThrow(
      'sgd: accumulate cannot change once the optimizer has taken a step.',
    );
  });
});
