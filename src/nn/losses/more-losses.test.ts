/** Weights of samples and classes, mixtures of Gaussians, CTC against enumeration, distances, heads: what PyTorch's numbers (test/layers.test.ts) do not show. */
import { describe, expect, it } from 'vitest';
import { checkGradients, gradients, random, seed, type Tensor, tensor, variable } from '../../tensor/index.ts';
import * as nn from '../index.ts';

const draw = (shape: readonly number[], key: number): Tensor => random.normal(shape, { seed: key, dtype: 'float64' });
const doubles = (...values: number[]): Tensor => tensor(Float64Array.from(values));
const int32 = (values: number[] | number[][]): Tensor => tensor(values, { dtype: 'int32' });

describe('weights', () => {
  const [z, t] = [draw([4, 3], 1), draw([4, 3], 2)];
  const labels = int32([0, 2, 1, 2]);
  const w = doubles(1, 2, 0, 0.5);
  const cases: [string, (options: nn.LossOptions) => Tensor][] = [
    ['crossEntropy', (o) => nn.crossEntropy(z, labels, o)],
    ['crossEntropy with probabilities', (o) => nn.crossEntropy(z, t.softmax(), o)],
    ['binaryCrossEntropy', (o) => nn.binaryCrossEntropy(z, t.sigmoid(), { withLogits: true, ...o })],
    ['multiclassHinge', (o) => nn.multiclassHinge(z, labels, o)],
    ['hinge', (o) => nn.hinge(z, t.sign(), o)],
    ['meanSquaredError', (o) => nn.meanSquaredError(z, t, o)],
    ['meanAbsoluteError', (o) => nn.meanAbsoluteError(z, t, o)],
    ['huber', (o) => nn.huber(z, t, o)],
    ['klDivergence', (o) => nn.klDivergence(z, t.softmax(), o)],
    ['contrastive', (o) => nn.contrastive(z, t, labels, o)],
    ['triplet', (o) => nn.triplet(z, t, t.neg(), o)],
    ['ctc', (o) => nn.ctc(draw([4, 5, 3], 3), int32([[1], [2], [1], [2]]), o)],
    ['bivariateMixtureLoss', (o) => nn.bivariateMixtureLoss(draw([4, 7], 4), t.sigmoid(), o)],
  ];
  it.each(cases)('%s: the mean is Σ w ℓ / Σ w; weights of 1 change nothing', (_name, loss) => {
    const each = loss({ reduction: 'none' });
    const rows = each.rank === 1 ? each : each.mean({ axis: 1 });
    expect(loss({ sampleWeights: w }).itemSync()).toBeCloseTo(rows.mul(w).sum().div(w.sum()).itemSync(), 12);
    expect(loss({ sampleWeights: doubles(1, 1, 1, 1) }).itemSync()).toBeCloseTo(loss({}).itemSync(), 12);
    expect(() => loss({ sampleWeights: doubles(1, 2) })).toThrow('sampleWeights [2] do not fit losses');
  });

  it('class weights together with sample weights and an ignored label', () => {
    const classWeights = [0.5, 2, 3];
    const each = nn.crossEntropy(z, labels, { reduction: 'none' }).dataSync();
    const weights = [1 * 0.5, 2 * 3, 0 * 2, 0.5 * 3];
    const mean = (kept: readonly number[]) => kept.reduce((s, i) => s + weights[i] * each[i], 0) / kept.reduce((s, i) => s + weights[i], 0);
    expect(nn.crossEntropy(z, labels, { classWeights, sampleWeights: w }).itemSync()).toBeCloseTo(mean([0, 1, 2, 3]), 12);
    expect(nn.crossEntropy(z, labels, { classWeights, sampleWeights: w, ignoreIndex: 0 }).itemSync()).toBeCloseTo(mean([1, 2, 3]), 12);
    expect(() => nn.crossEntropy(z, labels, { classWeights: [1, 2] })).toThrow('crossEntropy: classWeights must be [3], one per class, got [2].');
    expect(() => nn.crossEntropy(z, t.softmax(), { ignoreIndex: 0 })).toThrow('crossEntropy: ignoreIndex is for integer labels');
  });

  it('padding labels of −1 have no gradient', () => {
    const x = variable(z);
    const [g] = gradients(nn.crossEntropy(x, int32([0, -1, 1, -1]), { ignoreIndex: -1 }), [x]);
    expect([...g.slice([1], [1]).dataSync(), ...g.slice([3]).dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('mixtures of bivariate Gaussians', () => {
  const outputs = draw([1, 13], 5).mul(0.5);

  it('equals the equations of Graves (2013)', () => {
    const o = outputs.dataSync();
    const [x1, x2, end] = [0.3, -0.4, 1];
    const pi = [1, 2].map((i) => Math.exp(o[i]));
    const density = [0, 1].reduce((sum, m) => {
      const [mu1, mu2, s1, s2, rho] = [o[3 + m], o[5 + m], Math.exp(o[7 + m]), Math.exp(o[9 + m]), Math.tanh(o[11 + m])];
      const z = ((x1 - mu1) / s1) ** 2 + ((x2 - mu2) / s2) ** 2 - (2 * rho * (x1 - mu1) * (x2 - mu2)) / (s1 * s2);
      return sum + ((pi[m] / (pi[0] + pi[1])) * Math.exp(-z / (2 * (1 - rho ** 2)))) / (2 * Math.PI * s1 * s2 * Math.sqrt(1 - rho ** 2));
    }, 0);
    const expected = -Math.log(density) - Math.log(1 / (1 + Math.exp(-o[0])));
    expect(nn.bivariateMixtureLoss(outputs, doubles(x1, x2, end).reshape([1, 3])).itemSync()).toBeCloseTo(expected, 12);
  });

  it('integrates to 1 on a grid', () => {
    const [n, width] = [200, 40];
    const grid = Float64Array.from({ length: n * n * 3 }, (_, i) => {
      const [at, which] = [Math.floor(i / 3), i % 3];
      return which === 2 ? 0 : (((which === 0 ? Math.floor(at / n) : at % n) + 0.5) / n - 0.5) * width;
    });
    const rows = outputs.broadcastTo([n * n, 13]);
    const density = nn
      .bivariateMixtureLoss(rows, tensor(grid, { shape: [n * n, 3] }), { reduction: 'none' })
      .neg()
      .exp();
    const open = outputs.slice([0, 0], [1, 1]).neg().sigmoid().itemSync(); // the probability that the stroke goes on
    expect(density.sum().itemSync() * (width / n) ** 2).toBeCloseTo(open, 6);
  });

  it('offsets scaled by s cost exactly 2 ln s more', () => {
    const s = 3;
    const targets = draw([1, 3], 6).sigmoid();
    const parts = outputs.split([3, 4, 4, 2], 1);
    const scaled = parts[0].concat([parts[1].mul(s), parts[2].add(Math.log(s)), parts[3]], 1);
    const moved = targets.mul(doubles(s, s, 1));
    const difference = nn.bivariateMixtureLoss(scaled, moved).sub(nn.bivariateMixtureLoss(outputs, targets));
    expect(difference.itemSync()).toBeCloseTo(2 * Math.log(s), 12);
  });

  it("samples have the mixture's moments; a bias narrows them", () => {
    seed(4);
    const n = 20000;
    const rows = outputs.broadcastTo([n, 13]);
    const { logWeights, means, logDeviations, correlation, endLogit } = nn.bivariateMixture(outputs);
    const pi = logWeights.exp();
    const mean = means.map((m) => pi.mul(m).sum().itemSync());
    const covariance =
      pi
        .mul(logDeviations[0].add(logDeviations[1]).exp().mul(correlation).add(means[0].mul(means[1])))
        .sum()
        .itemSync() -
      mean[0] * mean[1];
    const [x1, x2, end] = nn.sampleBivariateMixture(rows).split(3, 1);
    expect(x1.mean().itemSync()).toBeCloseTo(mean[0], 1);
    expect(x2.mean().itemSync()).toBeCloseTo(mean[1], 1);
    expect(end.mean().itemSync()).toBeCloseTo(endLogit.sigmoid().itemSync(), 1);
    expect(x1.sub(mean[0]).mul(x2.sub(mean[1])).mean().itemSync()).toBeCloseTo(covariance, 1);
    const narrow = nn.sampleBivariateMixture(rows, { bias: 5 }).slice([0, 0], [n, 1]);
    expect(narrow.std().itemSync()).toBeLessThan(x1.std().itemSync());
  });

  it('its gradient', () => {
    const targets = draw([3, 3], 7).sigmoid();
    checkGradients((o) => nn.bivariateMixtureLoss(o, targets), [draw([3, 13], 8)]);
    expect(() => nn.bivariateMixture(draw([2, 8], 1))).toThrow('bivariateMixture: expected outputs [..., 6 · components + 1], got [2, 8].');
  });
});

describe('ctc', () => {
  /** Σ over all paths that collapse to the labels. */
  const byEnumeration = (probabilities: number[][], labels: number[]): number => {
    const classes = probabilities[0].length;
    let total = 0;
    for (let code = 0; code < classes ** probabilities.length; code++) {
      const path = probabilities.map((_, t) => Math.floor(code / classes ** t) % classes);
      const collapsed = path.filter((k, t) => k !== 0 && k !== path[t - 1]);
      if (collapsed.join() === labels.join()) total += path.reduce((p, k, t) => p * probabilities[t][k], 1);
    }
    return -Math.log(total);
  };

  it('equals the sum over all paths, repeated labels and none included', () => {
    const logits = draw([1, 5, 3], 9);
    const p = logits.softmax().reshape([5, 3]).arraySync() as number[][];
    for (const labels of [[1], [1, 2], [1, 1], [2, 1, 2]]) {
      expect(nn.ctc(logits, int32([labels])).itemSync()).toBeCloseTo(byEnumeration(p, labels), 12);
    }
    const none = { labelLengths: int32([0]) };
    expect(nn.ctc(logits, int32([[1]]), none).itemSync()).toBeCloseTo(byEnumeration(p, []), 12);
    checkGradients(
      (z) =>
        nn.ctc(
          z,
          int32([
            [1, 1],
            [2, 1],
          ]),
          { labelLengths: int32([2, 1]) },
        ),
      [draw([2, 4, 3], 10)],
    );
  });

  it('labels that do not fit cost infinity, or nothing', () => {
    const logits = draw([1, 2, 3], 11);
    expect(nn.ctc(logits, int32([[1, 1]])).itemSync()).toBe(Number.POSITIVE_INFINITY);
    expect(nn.ctc(logits, int32([[1, 1]]), { zeroInfinity: true }).itemSync()).toBe(0);
    expect(() => nn.ctc(logits, int32([[1], [2]]))).toThrow('ctc: expected logits [N, T, K] and labels [N, L], got [1, 2, 3] and [2, 1].');
  });
});

describe('distances', () => {
  it('triplet with squared distances, and gradients', () => {
    const [a, p, n] = [draw([4, 3], 12), draw([4, 3], 13), draw([4, 3], 14)];
    const each = a
      .sub(p)
      .square()
      .sum({ axis: 1 })
      .sub(a.sub(n).square().sum({ axis: 1 }))
      .add(0.2)
      .maximum(0);
    expect(nn.triplet(a, p, n, { margin: 0.2, squared: true }).itemSync()).toBeCloseTo(each.mean().itemSync(), 12);
    checkGradients((x, y, z) => nn.triplet(x, y, z), [a, p, n]);
    checkGradients((x, y) => nn.contrastive(x, y, int32([1, 0, 1, 0]), { margin: 5 }), [a, p]);
    expect(() => nn.contrastive(a, p, int32([1, 0]))).toThrow('contrastive: embeddings [4, 3] need one flag per pair [4], got [2].');
  });

  it('klDivergence is 0 for equal distributions and forgives zeros', () => {
    const z = draw([2, 4], 15);
    expect(nn.klDivergence(z, z.softmax()).itemSync()).toBeCloseTo(0, 12);
    expect(nn.klDivergence(doubles(0, 0).reshape([1, 2]), doubles(1, 0).reshape([1, 2])).itemSync()).toBeCloseTo(Math.log(2), 12);
    expect(nn.klDivergence(z.logSoftmax(), z.neg().softmax(), { logProbabilities: true }).itemSync()).toBeGreaterThan(0);
  });

  it('multiclassHinge over the largest violation', () => {
    const scores = doubles(1, 3, 2.5).reshape([1, 3]);
    expect(nn.multiclassHinge(scores, int32([0])).itemSync()).toBeCloseTo(3 + 2.5, 12);
    expect(nn.multiclassHinge(scores, int32([0]), { over: 'largest' }).itemSync()).toBeCloseTo(3, 12);
    expect(() => nn.multitask([])).toThrow('multitask: there are no heads.');
  });
});
