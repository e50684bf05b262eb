/** Layers at work: second derivatives, states kept from step to step of a compiled training, nets with everything in them that learn. */
import { describe, expect, it } from 'vitest';
import * as optim from '../optim/index.ts';
import { checkGradients, compile, grad, random, seed, type Tensor, tensor } from '../tensor/index.ts';
import * as nn from './index.ts';
import type { Layer } from './sequential.ts';

const d64 = { dtype: 'float64' } as const;

describe('second derivatives', () => {
  const cases: [string, () => Layer, number[]][] = [
    ['gru', () => nn.gru(2, d64), [1, 3, 2]],
    ['lstm with peepholes', () => nn.lstm(2, { peepholes: true, ...d64 }), [1, 2, 2]],
    ['multiHeadAttention', () => nn.multiHeadAttention(4, 2, d64), [1, 3, 4]],
    ['convTranspose2d', () => nn.convTranspose2d(2, 3, { stride: 2, ...d64 }), [1, 2, 2, 2]],
    ['groupNorm', () => nn.groupNorm(2, d64), [1, 2, 4]],
    ['localResponseNorm', () => nn.localResponseNorm({ alpha: 0.3 }), [1, 2, 5]],
  ];
  it.each(cases)('%s', (_name, make, shape) => {
    const layer = make();
    const x = random.normal(shape, { seed: 1, ...d64 });
    layer.apply(x);
    checkGradients(grad((value: Tensor) => layer.apply(value).sin().sum()) as (value: Tensor) => Tensor, [x], { tolerance: 1e-5 });
  });

  it('ctc', () => {
    const labels = tensor([[1, 2]], { dtype: 'int32' });
    checkGradients(grad((z: Tensor) => nn.ctc(z, labels)) as (z: Tensor) => Tensor, [random.normal([1, 3, 3], { seed: 1, ...d64 })]);
  });
});

describe('training', () => {
  it('a stateful layer made inside a compiled function goes on from its state', () => {
    const layer = nn.lstm(3, { stateful: true });
    const read = compile((x: Tensor) => layer.apply(x));
    const x = random.normal([2, 3, 2], { seed: 1 });
    const first = [...read(x).dataSync()];
    expect([...read(x).dataSync()]).not.toEqual(first);
    layer.resetState();
    expect([...read(x).dataSync()]).toEqual(first);
  });

  /** First and last loss of a compiled training. */
  const train = (model: Layer, optimizer: optim.Optimizer, x: Tensor, options: { readonly steps: number; readonly loss: (y: Tensor) => Tensor }): number[] => {
    const step = compile((input: Tensor) => {
      const value = options.loss(model.apply(input));
      optimizer.minimize(value, model);
      return value;
    });
    const losses = Array.from({ length: options.steps }, () => step(x).itemSync());
    return [losses[0], losses[options.steps - 1]];
  };

  it('a stateful recurrent net learns', () => {
    seed(1);
    const x = random.normal([4, 5, 2], { seed: 1 });
    const model = nn.sequential(nn.lstm(8, { stateful: true, forgetBias: 1 }), nn.linear(2));
    const [first, last] = train(model, optim.adam({ learningRate: 0.01 }), x, { steps: 60, loss: (y) => nn.meanSquaredError(y, x) });
    expect(last).toBeLessThan(0.1 * first);
  });

  it('a transformer with dropout, groups, clipping and a schedule learns', () => {
    seed(1);
    const x = random.normal([8, 6, 8], { seed: 1 });
    const model = nn.sequential(nn.transformerBlock(8, 2, { dropout: 0.1, causal: true }), nn.linear(3));
    const optimizer = optim.adamW({
      learningRate: 0.01,
      clipNorm: 1,
      groups: [{ match: /bias|Norm/, weightDecay: 0 }],
      schedule: optim.warmUp({ steps: 10, after: optim.cosineDecay({ steps: 200, end: 0.1 }) }),
      average: optim.weightAverage({ decay: 0.9 }),
    });
    const [first, last] = train(model, optimizer, x, { steps: 100, loss: (y) => nn.meanSquaredError(y, x.slice([0, 0, 0], [8, 6, 3])) });
    expect(last).toBeLessThan(0.1 * first);
  });
});
