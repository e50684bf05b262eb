/** Batch normalisation: identities of its gradient, running statistics, evaluation, dropout's statistics. */
import { describe, expect, it } from 'vitest';
import { gradients, random, seed, type Tensor, tensor, variable, zeros } from '../tensor/index.ts';
import * as nn from './index.ts';

const doubles = (values: number[]): Tensor => tensor(Float64Array.from(values));

describe('batchNorm', () => {
  it('has a gradient orthogonal to ones and to x̂ in every channel', () => {
    const x = variable(random.normal([6, 4, 4, 3], { seed: 1, dtype: 'float64' }));
    const r = random.normal([6, 4, 4, 3], { seed: 2, dtype: 'float64' });
    const layer = nn.batchNorm({ dtype: 'float64', affine: false });
    const normal = layer.apply(x);
    const [dx] = gradients(normal.mul(r).sum(), [x]);
    const axis = [0, 1, 2];
    for (const value of dx.sum({ axis }).dataSync()) expect(value).toBeCloseTo(0, 10);
    // Not exactly 0: epsilon makes Σ x̂² a little less than n.
    for (const value of dx.mul(normal).sum({ axis }).dataSync()) expect(value).toBeCloseTo(0, 3);
    for (const value of normal.mean({ axis }).dataSync()) expect(value).toBeCloseTo(0, 12);
  });

  it('has the first and second derivatives that autodiff finds for the plain formula', () => {
    const values = random.normal([5, 2, 3], { seed: 6, dtype: 'float64' });
    const r = random.normal([5, 2, 3], { seed: 7, dtype: 'float64' });
    const layer = nn.batchNorm({ dtype: 'float64' });
    layer.loadStateDict({ weight: doubles([1, 2, 3]), bias: doubles([0, 1, 2]), runningMean: doubles([0.1, 0, -0.2]), runningVariance: doubles([1, 1, 1]) });
    const plain = (x: Tensor): Tensor => {
      const centred = x.sub(x.mean({ axis: [0, 1] }));
      return centred
        .mul(
          centred
            .square()
            .mean({ axis: [0, 1] })
            .add(1e-5)
            .rsqrt(),
        )
        .mul(weight)
        .add(bias);
    };
    const { weight, bias } = layer.namedParameters();
    const derivatives = (f: (x: Tensor) => Tensor): number[] => {
      const x = variable(values);
      const first = gradients(f(x).sin().mul(r).sum(), [x, weight, bias]);
      const second = gradients(
        first.map((g) => g.square().sum()).reduce((a, b) => a.add(b)),
        [x, weight, bias],
      );
      return [...first, ...second].flatMap((g) => [...g.dataSync()]);
    };
    const expected = derivatives(plain);
    derivatives((x) => layer.apply(x)).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 9);
    });
  });

  it('keeps running statistics as PyTorch does and uses them in evaluation', () => {
    const layer = nn.batchNorm({ dtype: 'float64' });
    const x = random.normal([8, 2], { seed: 4, dtype: 'float64' }).mul(3).add(5);
    layer.apply(x);
    const { runningMean, runningVariance } = layer.namedBuffers();
    const data = x.dataSync();
    for (const channel of [0, 1]) {
      const values = [...data].filter((_, i) => i % 2 === channel);
      const mean = values.reduce((a, b) => a + b, 0) / 8;
      const unbiased = values.reduce((s, v) => s + (v - mean) ** 2, 0) / 7;
      expect(runningMean.dataSync()[channel]).toBeCloseTo(0.1 * mean, 12);
      expect(runningVariance.dataSync()[channel]).toBeCloseTo(0.9 + 0.1 * unbiased, 12);
    }
    const before = [...runningMean.dataSync()];
    const y = layer.eval().apply(x);
    const expected = (data[0] - before[0]) / Math.sqrt(runningVariance.dataSync()[0] + 1e-5);
    expect(y.dataSync()[0]).toBeCloseTo(expected, 12);
    expect([...runningMean.dataSync()]).toEqual(before);
  });

  it('stays accurate for float32 inputs far from zero once the running mean is near', () => {
    const layer = nn.batchNorm();
    const x = random.normal([256, 1], { seed: 9 }).add(1000);
    for (let i = 0; i < 80; i++) layer.apply(x).dataSync();
    expect(layer.apply(x).square().mean().itemSync()).toBeCloseTo(1, 3);
  });

  it('refuses a batch of one value', () => {
    expect(() => nn.batchNorm().apply(zeros([1, 3]))).toThrow(
      'batchNorm: a training batch needs more than one value per channel, got [1, 3]. Use a larger batch, or eval().',
    );
  });
});

describe('dropout', () => {
  it('keeps the expectation, drops the asked share, and is the identity in evaluation', () => {
    seed(3);
    const layer = nn.dropout(0.3);
    const x = zeros([100, 100]).add(1);
    const y = layer.apply(x).dataSync();
    const dropped = y.filter((v) => v === 0).length / y.length;
    expect(dropped).toBeCloseTo(0.3, 1.5);
    for (const v of y) if (v !== 0) expect(v).toBeCloseTo(1 / 0.7, 6);
    expect([...layer.apply(x).dataSync()]).not.toEqual([...y]);
    expect(layer.eval().apply(x)).toBe(x);
  });
});
