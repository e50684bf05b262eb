/** The models: sizes, shapes, the summary; layers, losses and optimizers together. */
import { describe, expect, it } from 'vitest';
import * as nn from '../nn/index.ts';
import * as optim from '../optim/index.ts';
import { compile, seed, type Tensor, tensor, zeros } from '../tensor/index.ts';
import { charLstm, lenet, lenet5, mlp, sequenceToSequence, writeText } from './index.ts';

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

describe('models of text', () => {
  it('charLstm reads in pieces as in one go, and writes the same text for the same seed', async () => {
    seed(3);
    const model = charLstm({ characters: 7, units: 8, embedding: 4 });
    const x = tensor([[0, 3, 6, 1, 2, 5]], { dtype: 'int32' });
    const whole = model.eval().apply(x).slice([0, 4]).dataSync();
    model.resetState();
    model.apply(x.slice([0, 0], [1, 4])).dataSync();
    model
      .apply(x.slice([0, 4]))
      .dataSync()
      .forEach((value: number, i: number) => {
        expect(value).toBeCloseTo(whole[i], 5);
      });
    const write = (start: number, temperature: number) => {
      seed(start);
      return writeText(model, { prompt: [0, 3], length: 20, temperature });
    };
    const text = await write(1, 1);
    expect(text).toHaveLength(20);
    expect(text.every((code) => Number.isInteger(code) && code >= 0 && code < 7)).toBe(true);
    expect(await write(1, 1)).toEqual(text);
    expect(await write(2, 1)).not.toEqual(text);
    expect(await write(1, 1e-4)).toEqual(await write(2, 1e-4)); // nearly always the likeliest
    await expect(writeText(model, { prompt: [], length: 3 })).rejects.toThrow('writeText: the prompt is empty.');
  });

  it('sequenceToSequence answers [N, A, K], and every answer depends on every symbol read', () => {
    const model = sequenceToSequence({ symbols: 5, answerLength: 3, units: 6 });
    const ask = (question: number[]) => [...model.apply(tensor([question], { dtype: 'int32' })).dataSync()];
    const base = ask([0, 1, 2, 3]);
    expect(base).toHaveLength(15);
    for (let at = 0; at < 4; at++) {
      const other = ask([0, 1, 2, 3].map((symbol, i) => (i === at ? 4 : symbol)));
      for (const answer of [0, 1, 2]) expect(other.slice(5 * answer, 5 * answer + 5)).not.toEqual(base.slice(5 * answer, 5 * answer + 5));
    }
    expect(() => model.apply(zeros([1, 4]))).toThrow('sequenceToSequence: expected whole numbers [batch, steps], got float32 [1, 4].');
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
