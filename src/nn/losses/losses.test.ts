/** The losses: values, gradients, stability, refusals. */
import { describe, expect, it } from 'vitest';
import { checkGradients, gradients, type Tensor, tensor, variable } from '../../tensor/index.ts';
import * as nn from '../index.ts';

const close = (actual: Tensor, expected: readonly number[], digits = 6): void => {
  const data = actual.dataSync();
  expect(data).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(data[i]).toBeCloseTo(value, digits);
  });
};

describe('crossEntropy', () => {
  const values = [
    [1, 2, 0.5],
    [-1, 0, 3],
  ];
  const logits = variable(new Float64Array(values.flat()), { shape: [2, 3] });
  const logSoftmax = values.map((row) => row.map((v) => v - Math.log(row.reduce((s, u) => s + Math.exp(u), 0))));
  const labels = tensor([1, 0], { dtype: 'int32' });

  it('takes labels or probabilities, with every reduction', () => {
    const each = [-logSoftmax[0][1], -logSoftmax[1][0]];
    close(nn.crossEntropy(logits, labels, { reduction: 'none' }), each, 12);
    close(nn.crossEntropy(logits, labels), [(each[0] + each[1]) / 2], 12);
    close(nn.crossEntropy(logits, labels, { reduction: 'sum' }), [each[0] + each[1]], 12);
    close(nn.crossEntropy(logits, tensor(new Float64Array([0, 1, 0, 1, 0, 0]), { shape: [2, 3] })), [(each[0] + each[1]) / 2], 12);
  });

  it('smooths labels', () => {
    const smooth = [0, 1].map((i) => -[0, 1, 2].reduce((s, k) => s + logSoftmax[i][k] * (0.1 / 3 + (k === [1, 0][i] ? 0.9 : 0)), 0));
    close(nn.crossEntropy(logits, labels, { reduction: 'none', labelSmoothing: 0.1 }), smooth, 12);
  });

  it('has the gradient softmax − one-hot', () => {
    const [g] = gradients(nn.crossEntropy(logits, labels, { reduction: 'sum' }), [logits]);
    close(
      g,
      logSoftmax.flatMap((row, i) => row.map((v, k) => Math.exp(v) - (k === [1, 0][i] ? 1 : 0))),
      12,
    );
  });

  it('stays finite for huge logits', () => {
    const loss = nn.crossEntropy(tensor([[1000, -1000]]), tensor([1], { dtype: 'int32' }));
    expect(loss.itemSync()).toBe(2000);
  });

  it('says what does not fit', () => {
    expect(() => nn.crossEntropy(logits, tensor([1, 0]))).toThrow(
      "crossEntropy: logits [2, 3] and targets float32 [2] do not fit. Labels must be integers: cast them to 'int32'.",
    );
    expect(() => nn.crossEntropy(logits, tensor([1], { dtype: 'int32' }))).toThrow('crossEntropy: logits [2, 3] need integer labels [2], got [1].');
    expect(() => nn.crossEntropy(logits, labels, { reduction: 'average' as 'mean' })).toThrow(
      'crossEntropy: reduction must be one of mean, sum, none, got average.',
    );
    expect(() => nn.checkLabels([0, 3, 10], 10, 'fit')).toThrow(
      'fit: label 10 at position 2 is out of range: the model has 10 outputs, so labels are 0 … 9. Labels count from 0.',
    );
  });
});

describe('gradients', () => {
  const x = tensor(new Float64Array([0.3, -1.2, 0.7, 2.1, -0.4, 0.9]), { shape: [2, 3] });
  const t = tensor(new Float64Array([1, 0, 0.5, 0.2, 0.3, 0.9]), { shape: [2, 3] });
  const cases: [string, (x: Tensor) => Tensor][] = [
    ['crossEntropy', (z) => nn.crossEntropy(z, t, { labelSmoothing: 0.2 })],
    ['binaryCrossEntropy of logits', (z) => nn.binaryCrossEntropy(z, t, { withLogits: true })],
    ['binaryCrossEntropy', (z) => nn.binaryCrossEntropy(z.sigmoid(), t, { reduction: 'sum' })],
    ['meanSquaredError', (z) => nn.meanSquaredError(z, t)],
    ['meanAbsoluteError', (z) => nn.meanAbsoluteError(z, t, { reduction: 'none' })],
    ['huber', (z) => nn.huber(z, t, { delta: 0.8 })],
    ['hinge', (z) => nn.hinge(z, t)],
    ['squared hinge', (z) => nn.hinge(z, t, { squared: true })],
    ['crossEntropy of labels, with one to ignore', (z) => nn.crossEntropy(z, tensor([2, 1], { dtype: 'int32' }), { ignoreIndex: 1, classWeights: [1, 2, 3] })],
    ['multiclassHinge', (z) => nn.multiclassHinge(z, tensor([2, 0], { dtype: 'int32' }), { margin: 2 })],
    ['multiclassHinge, squared, largest', (z) => nn.multiclassHinge(z, tensor([2, 0], { dtype: 'int32' }), { squared: true, over: 'largest' })],
    ['klDivergence', (z) => nn.klDivergence(z, t)],
    ['binaryCrossEntropy of logits, positive weight', (z) => nn.binaryCrossEntropy(z, t, { withLogits: true, positiveWeight: 3 })],
  ];
  it.each(cases)('of %s', (_name, loss) => {
    checkGradients(loss, [x]);
  });
});

describe('other losses', () => {
  const p = tensor([0.2, 0.9]);
  const t = tensor([0, 1]);
  it('binaryCrossEntropy', () => {
    const expected = -(Math.log(0.8) + Math.log(0.9)) / 2;
    close(nn.binaryCrossEntropy(p, t), [expected]);
    const z = p.div(p.neg().add(1)).log();
    close(nn.binaryCrossEntropy(z, t, { withLogits: true }), [expected]);
    close(nn.binaryCrossEntropy(tensor([500, -500]), t, { withLogits: true }), [500]);
    close(nn.binaryCrossEntropy(tensor([0, 1]), t), [0]);
  });

  it('regression and hinge', () => {
    const y = tensor([1, -3]);
    const target = tensor([0.5, 1]);
    close(nn.meanSquaredError(y, target), [(0.25 + 16) / 2]);
    close(nn.meanAbsoluteError(y, target), [2.25]);
    close(nn.huber(y, target, { reduction: 'none' }), [0.125, 3.5]);
    close(nn.hinge(tensor([0.5, -2]), tensor([1, -1]), { reduction: 'none' }), [0.5, 0]);
    close(nn.hinge(tensor([0.5, 2]), tensor([1, -1]), { reduction: 'none', squared: true }), [0.25, 9]);
    expect(() => nn.meanSquaredError(tensor([[1], [2]]), target)).toThrow(
      'meanSquaredError: predictions [2, 1] and targets [2] must have one shape. Use reshape or squeeze on the one that is wrong.',
    );
  });
});
