/** The models: sizes, shapes, the summary; layers, losses and optimizers together. */
import { describe, expect, it } from 'vitest';
import * as nn from '../nn/index.ts';
import * as optim from '../optim/index.ts';
import { compile, seed, type Tensor, tensor, zeros } from '../tensor/index.ts';
import { lenet, lenet5, mlp } from './index.ts';

describe('models', () => {
  it('lenet has 180,880 parameters and prints them', () => {
    const model = lenet();
    const table = model.summary([28, 28, 1]);
    expect(table).toMatch(/^total +180,880 +2,076,532$/m);
    expect(table).toMatch(/^0 conv2d +\[28, 28, 16\] +160 +112,896$/m);
    expect(table).toMatch(/^1 batchNorm +\[28, 28, 16\] +32 +0$/m);
    expect(model.training).toBe(true);
    expect(model.apply(zeros([2, 28, 28, 1])).shape).toEqual([2, 10]);
  });

  it('lenet5 has 61,706 parameters, mlp 203,530', () => {
    const count = (model: ReturnType<typeof mlp>) => {
      model.apply(zeros([2, 28, 28, 1]));
      return model.parameters().reduce((sum, p) => sum + p.size, 0);
    };
    expect(count(lenet5())).toBe(61706);
    expect(count(mlp())).toBe(203530);
    expect(count(mlp({ hidden: [], classes: 3 }))).toBe(784 * 3 + 3);
    expect(() => mlp({ layers: 3 } as object)).toThrow('mlp: unknown option layers.');
  });
});

describe('training', () => {
  it('a small net learns XOR, and frozen layers stay as they are', () => {
    seed(2);
    const model = nn.sequential(nn.linear(8), nn.tanh(), nn.linear(2));
    const optimizer = optim.adam({ learningRate: 0.05 });
    const x = tensor([0, 0, 0, 1, 1, 0, 1, 1]).reshape([4, 2]);
    const y = tensor([0, 1, 1, 0], { dtype: 'int32' });
    const step = compile((inputs: Tensor, labels: Tensor) => {
      const loss = nn.crossEntropy(model.apply(inputs), labels);
      optimizer.minimize(loss, model);
      return loss;
    });
    let loss = Number.NaN;
    for (let i = 0; i < 150; i++) loss = step(x, y).itemSync();
    expect(loss).toBeLessThan(0.02);
    model.layers[0].freeze();
    const before = [...model.layers[0].weight.dataSync()];
    const head = [...model.layers[2].weight.dataSync()];
    step(x, y);
    expect([...model.layers[0].weight.dataSync()]).toEqual(before);
    expect([...model.layers[2].weight.dataSync()]).not.toEqual(head);
  });
});
