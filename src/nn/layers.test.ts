/** Every layer: output shapes, and gradients by input and parameters against finite differences in float64. */
import { describe, expect, it } from 'vitest';
import { gradients, random, seed, type Tensor, tensor, type Variable, variable, zeros } from '../tensor/index.ts';
import * as nn from './index.ts';
import type { Layer } from './sequential.ts';

const float64 = { dtype: 'float64' } as const;

/** Values spread so that no two are near: maxima and kinks stay where they are under a small step. */
const spread = (shape: readonly number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, (_, i) => (((i * 7919) % size) + 0.5) / size - 0.5),
    { shape },
  ).mul(3);
};

/** A layer of one input or several. */
type Checked = nn.Module & { apply(...inputs: Tensor[]): Tensor };

/** Compares d Σ r·layer(inputs) with central differences, for the inputs and every parameter. */
function checkLayer(layer: Checked, ...inputs: Variable[]): void {
  const weights = random.normal(layer.apply(...inputs).shape, { seed: 5, dtype: 'float64' });
  const buffers = Object.values(layer.namedBuffers()).map((v) => ({ v, value: v.snapshot() }));
  const loss = (): Tensor => {
    for (const { v, value } of buffers) v.assign(value);
    return layer
      .apply(...inputs)
      .mul(weights)
      .sum();
  };
  const parameters = [...inputs, ...layer.parameters()];
  const exact = layer.kind === 'heaviside' ? [new Float64Array(inputs[0].size)] : gradients(loss(), parameters).map((g) => g.dataSync());
  parameters.forEach((v, which) => {
    const start = v.dataSync();
    const at = (i: number, change: number): number => {
      const moved = start.slice();
      moved[i] += change;
      v.assign(tensor(moved, { shape: v.shape }));
      return loss().itemSync();
    };
    for (let i = 0; i < start.length; i += Math.max(1, Math.floor(start.length / 12))) {
      const numeric = (at(i, 1e-5) - at(i, -1e-5)) / 2e-5;
      expect(exact[which][i], `parameter ${which}, entry ${i}`).toBeCloseTo(numeric, 6);
    }
    v.assign(tensor(start, { shape: v.shape }));
  });
}

const cases: [string, () => Layer, number[], number[]][] = [
  ['linear', () => nn.linear(3, float64), [4, 5], [4, 3]],
  ['linear without bias on a sequence', () => nn.linear(3, { ...float64, bias: false }), [2, 3, 4], [2, 3, 3]],
  ['conv1d', () => nn.conv1d(3, 3, { ...float64, padding: 1 }), [2, 5, 2], [2, 5, 3]],
  ['conv2d', () => nn.conv2d(4, 3, { ...float64, padding: 1 }), [2, 5, 4, 3], [2, 5, 4, 4]],
  ['conv2d strided, dilated, grouped', () => nn.conv2d(4, [2, 3], { ...float64, stride: [2, 1], dilation: [1, 2], groups: 2 }), [2, 6, 7, 2], [2, 3, 3, 4]],
  ['conv2d same', () => nn.conv2d(2, 4, { ...float64, padding: 'same', stride: 2 }), [1, 7, 5, 1], [1, 4, 3, 2]],
  ['conv3d', () => nn.conv3d(2, 2, float64), [1, 3, 3, 4, 2], [1, 2, 2, 3, 2]],
  ['batchNorm', () => nn.batchNorm(float64), [4, 3, 2, 3], [4, 3, 2, 3]],
  ['layerNorm', () => nn.layerNorm(float64), [4, 6], [4, 6]],
  ['standardize', () => nn.standardize({ mean: [1, 2, 3], deviation: [2, 0, 4], dtype: 'float64' }), [4, 2, 3], [4, 2, 3]],
  ['maxPool2d', () => nn.maxPool2d(2), [2, 5, 4, 2], [2, 2, 2, 2]],
  ['maxPool2d overlapping, padded', () => nn.maxPool2d(3, { stride: 2, padding: 1 }), [1, 6, 5, 2], [1, 3, 3, 2]],
  ['avgPool2d', () => nn.avgPool2d([2, 3], { stride: 1 }), [1, 4, 5, 2], [1, 3, 3, 2]],
  ['globalAvgPool', () => nn.globalAvgPool(), [2, 3, 4, 5], [2, 5]],
  ['flatten', () => nn.flatten(), [2, 3, 4], [2, 12]],
  ['relu', () => nn.relu(), [3, 4], [3, 4]],
  ['leakyRelu', () => nn.leakyRelu({ slope: 0.2 }), [3, 4], [3, 4]],
  ['elu', () => nn.elu(), [3, 4], [3, 4]],
  ['gelu', () => nn.gelu(), [3, 4], [3, 4]],
  ['silu', () => nn.silu(), [3, 4], [3, 4]],
  ['softplus', () => nn.softplus(), [3, 4], [3, 4]],
  ['tanh', () => nn.tanh(), [3, 4], [3, 4]],
  ['sigmoid', () => nn.sigmoid(), [3, 4], [3, 4]],
  ['softmax', () => nn.softmax(), [3, 4], [3, 4]],
  ['logSoftmax', () => nn.logSoftmax(), [3, 4], [3, 4]],
  ['lstm', () => nn.lstm(3, { ...float64, forgetBias: 1 }), [2, 4, 2], [2, 4, 3]],
  ['lstm with peepholes', () => nn.lstm(3, { ...float64, peepholes: true }), [2, 4, 2], [2, 4, 3]],
  ['lstm stacked, bidirectional, last', () => nn.lstm(2, { ...float64, layers: 2, bidirectional: true, output: 'last' }), [2, 3, 2], [2, 4]],
  ['gru', () => nn.gru(3, float64), [2, 4, 2], [2, 4, 3]],
  ['gru of the paper', () => nn.gru(3, { ...float64, resetAfter: false }), [2, 4, 2], [2, 4, 3]],
  ['rnn', () => nn.rnn(3, float64), [2, 4, 2], [2, 4, 3]],
  ['convTranspose2d', () => nn.convTranspose2d(3, 3, { ...float64, stride: 2 }), [2, 3, 4, 2], [2, 7, 9, 3]],
  ['depthwiseConv2d', () => nn.depthwiseConv2d(3, { ...float64, multiplier: 2, padding: 'same', stride: 2 }), [2, 5, 4, 2], [2, 3, 2, 4]],
  ['separableConv2d', () => nn.separableConv2d(3, 3, float64), [2, 4, 5, 2], [2, 2, 3, 3]],
  ['maxPool1d', () => nn.maxPool1d(3, { stride: 2 }), [2, 7, 2], [2, 3, 2]],
  ['maxPool3d', () => nn.maxPool3d(2), [2, 4, 2, 4, 2], [2, 2, 1, 2, 2]],
  ['adaptiveMaxPool2d', () => nn.adaptiveMaxPool2d([3, 2]), [1, 5, 4, 2], [1, 3, 2, 2]],
  ['adaptiveAvgPool2d', () => nn.adaptiveAvgPool2d([3, 2]), [1, 5, 4, 2], [1, 3, 2, 2]],
  ['globalMaxPool', () => nn.globalMaxPool(), [2, 3, 4, 5], [2, 5]],
  ['groupNorm', () => nn.groupNorm(2, float64), [2, 3, 2, 4], [2, 3, 2, 4]],
  ['instanceNorm', () => nn.instanceNorm({ ...float64, affine: true }), [2, 3, 2, 3], [2, 3, 2, 3]],
  ['localResponseNorm', () => nn.localResponseNorm({ alpha: 0.3 }), [2, 2, 7], [2, 2, 7]],
  ['prelu', () => nn.prelu(float64), [3, 4], [3, 4]],
  ['maxout', () => nn.maxout(3, 4, float64), [3, 2], [3, 3]],
  ['upsample', () => nn.upsample(2, { method: 'linear' }), [2, 3, 2, 2], [2, 6, 4, 2]],
  ['zeroPadding', () => nn.zeroPadding([[1, 0], 2]), [2, 3, 2, 2], [2, 4, 6, 2]],
  ['reshape', () => nn.reshape([2, -1]), [3, 4, 2], [3, 2, 4]],
  ['permute', () => nn.permute([2, 1]), [3, 4, 2], [3, 2, 4]],
  ['positionalEncoding', () => nn.positionalEncoding(), [2, 3, 5], [2, 3, 5]],
  ['multiHeadAttention', () => nn.multiHeadAttention(4, 2, { ...float64, headSize: 3, causal: true }), [2, 3, 4], [2, 3, 4]],
  ['transformerBlock', () => nn.transformerBlock(4, 2, float64), [2, 3, 4], [2, 3, 4]],
  ['hardSwish', () => nn.hardSwish(), [3, 4], [3, 4]],
  ['mish', () => nn.mish(), [3, 4], [3, 4]],
  ['selu', () => nn.selu(), [3, 4], [3, 4]],
  ['heaviside', () => nn.heaviside(), [3, 4], [3, 4]],
  ['logSigmoid', () => nn.logSigmoid(), [3, 4], [3, 4]],
  ['softsign', () => nn.softsign(), [3, 4], [3, 4]],
  ['relu6', () => nn.relu6(), [3, 4], [3, 4]],
  ['hardTanh', () => nn.hardTanh(), [3, 4], [3, 4]],
  ['hardSigmoid', () => nn.hardSigmoid(), [3, 4], [3, 4]],
  ['convTranspose1d', () => nn.convTranspose1d(3, 3, { ...float64, stride: 2, outputPadding: 1 }), [2, 4, 2], [2, 10, 3]],
  ['convTranspose3d', () => nn.convTranspose3d(2, 2, float64), [1, 2, 2, 3, 2], [1, 3, 3, 4, 2]],
  ['depthwiseConv1d', () => nn.depthwiseConv1d(3, float64), [2, 5, 2], [2, 3, 2]],
  ['depthwiseConv3d', () => nn.depthwiseConv3d(2, float64), [1, 3, 2, 3, 2], [1, 2, 1, 2, 2]],
  ['separableConv1d', () => nn.separableConv1d(3, 3, float64), [2, 5, 2], [2, 3, 3]],
  ['separableConv3d', () => nn.separableConv3d(3, 2, float64), [1, 3, 2, 3, 2], [1, 2, 1, 2, 3]],
  ['avgPool1d', () => nn.avgPool1d(3, { stride: 2, padding: 1 }), [2, 7, 2], [2, 4, 2]],
  ['avgPool3d', () => nn.avgPool3d(2), [2, 4, 2, 4, 2], [2, 2, 1, 2, 2]],
  ['adaptiveMaxPool1d', () => nn.adaptiveMaxPool1d(3), [2, 7, 2], [2, 3, 2]],
  ['adaptiveMaxPool3d', () => nn.adaptiveMaxPool3d(2), [1, 3, 4, 5, 1], [1, 2, 2, 2, 1]],
  ['adaptiveAvgPool1d', () => nn.adaptiveAvgPool1d(3), [2, 7, 2], [2, 3, 2]],
  ['adaptiveAvgPool3d', () => nn.adaptiveAvgPool3d(2), [1, 3, 4, 5, 1], [1, 2, 2, 2, 1]],
  ['upsample nearest', () => nn.upsample([2, 3]), [2, 3, 2, 2], [2, 6, 6, 2]],
  ['prelu shared', () => nn.prelu({ ...float64, shared: true }), [3, 4], [3, 4]],
  ['gelu tanh', () => nn.gelu({ approximate: 'tanh' }), [3, 4], [3, 4]],
  ['transformerBlock, norm after', () => nn.transformerBlock(4, 2, { ...float64, norm: 'after', activation: 'silu' }), [2, 3, 4], [2, 3, 4]],
];

describe('layers', () => {
  it.each(cases)('%s', (_name, make, input, output) => {
    seed(1);
    const layer = make();
    const x = variable(spread(input));
    expect(layer.apply(x).shape).toEqual(output);
    checkLayer(layer, x);
  });

  const [a, b, c] = [1, 2, 3].map((key) => random.normal([2, 3, 4], { seed: key, ...float64 }));
  const several: [string, () => Checked, Tensor[]][] = [
    ['bilinear', () => nn.bilinear(2, float64), [a, b]],
    ['additiveAttention', () => nn.additiveAttention(5, float64), [a, b, c]],
    ['multiHeadAttention over a memory', () => nn.multiHeadAttention(4, 2, float64), [a, b, c]],
    ['add', () => nn.add(), [a, b, c]],
    ['multiply', () => nn.multiply(), [a, b, c]],
    ['average', () => nn.average(), [a, b, c]],
    ['maximum', () => nn.maximum(), [a, b, c]],
    ['concatenate', () => nn.concatenate({ axis: 1 }), [a, b, c]],
  ];
  it.each(several)('%s, by every input', (_name, make, inputs) => checkLayer(make(), ...inputs.map((value) => variable(value))));

  it('layers that draw: the gradient is what the draw did to the input', () => {
    const x = variable(random.normal([2, 6, 6, 3], { seed: 9, ...float64 }).add(5));
    for (const layer of [nn.dropout(0.4), nn.spatialDropout(0.4)]) {
      const y = layer.apply(x);
      const [dx] = gradients(y.sum(), [x]);
      const [got, kept] = [dx.dataSync(), y.div(x).dataSync()]; // one program: one draw
      got.forEach((value: number, i: number) => {
        expect(value).toBeCloseTo(kept[i], 12);
      });
    }
    const [noise] = gradients(nn.gaussianNoise(0.3).apply(x).sum(), [x]);
    expect(new Set(noise.dataSync())).toEqual(new Set([1]));
    // A border of zeros as wide as the longest way: nothing is lost, and every value that counts gets its gradient once.
    const [moved] = gradients(
      nn
        .randomShift(2)
        .apply(
          x.pad([
            [0, 0],
            [2, 2],
            [2, 2],
            [0, 0],
          ]),
        )
        .sum(),
      [x],
    );
    expect(new Set(moved.dataSync())).toEqual(new Set([1]));
  });

  it('embedding looks rows up and adds their gradients', () => {
    const layer = nn.embedding(4, 2, float64);
    const indices = tensor([[1, 3, 1]], { dtype: 'int32' });
    expect(layer.apply(indices).shape).toEqual([1, 3, 2]);
    const [g] = gradients(layer.apply(indices).sum(), [layer.weight]);
    expect(g.arraySync()).toEqual([
      [0, 0],
      [2, 2],
      [0, 0],
      [1, 1],
    ]);
  });

  it('layerNorm gives rows of mean 0 and variance 1', () => {
    const y = nn.layerNorm({ ...float64, epsilon: 0 }).apply(spread([3, 8]));
    for (const mean of y.mean({ axis: 1 }).dataSync()) expect(mean).toBeCloseTo(0, 12);
    for (const variance of y.square().mean({ axis: 1 }).dataSync()) expect(variance).toBeCloseTo(1, 12);
  });

  it('standardize keeps its figures in the state, trains nothing, and refuses another number of channels', () => {
    const layer = nn.standardize({ mean: [1, 2], deviation: [2, 0] });
    const x = tensor([
      [3, 5],
      [-1, 2],
    ]);
    const expected = [
      [1, 3],
      [-1, 0],
    ];
    expect(layer.apply(x).arraySync()).toEqual(expected);
    expect(Object.keys(layer.namedParameters())).toEqual([]);
    const loaded = nn.standardize();
    loaded.loadStateDict(layer.stateDict());
    expect(loaded.apply(x).arraySync()).toEqual(expected);
    expect(() => nn.standardize({ mean: [1, 2, 3] }).apply(x)).toThrow(/mean has 3 figures, but the input has 2 channels/);
  });

  it('lstm equals its equations written out, and continues from a state', () => {
    const layer = nn.lstm(2, float64);
    const x = spread([1, 3, 2]);
    const { outputs, state } = layer.run(x);
    const [w, u, b] = layer.parameters().map((v) => v.dataSync());
    const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
    let [h, c] = [
      [0, 0],
      [0, 0],
    ];
    const values = x.dataSync();
    for (let t = 0; t < 3; t++) {
      const z = Array.from({ length: 8 }, (_, j) => b[j] + values[2 * t] * w[j] + values[2 * t + 1] * w[8 + j] + h[0] * u[j] + h[1] * u[8 + j]);
      c = c.map((old, k) => sigmoid(z[2 + k]) * old + sigmoid(z[k]) * Math.tanh(z[4 + k]));
      h = c.map((cell, k) => sigmoid(z[6 + k]) * Math.tanh(cell));
      for (let k = 0; k < 2; k++) expect(outputs.dataSync()[2 * t + k]).toBeCloseTo(h[k], 12);
    }
    expect([...state.cell.dataSync()].map((v, k) => Math.abs(v - c[k]) < 1e-12)).toEqual([true, true]);
    const first = layer.run(x.slice([0, 0, 0], [1, 2, 2]));
    const rest = layer.run(x.slice([0, 2, 0], [1, 1, 2]), first.state);
    expect(rest.state.hidden.dataSync()[1]).toBeCloseTo(h[1], 12);
  });
});

describe('initialisers', () => {
  const fans = { fanIn: 50, fanOut: 100 };
  const variance = (values: Float64Array) => values.reduce((s, v) => s + v * v, 0) / values.length;
  it.each([
    ['glorotUniform', nn.initializers.glorotUniform(), 2 / 150],
    ['glorotNormal', nn.initializers.glorotNormal(), 2 / 150],
    ['heNormal', nn.initializers.heNormal(), 2 / 50],
    ['kaimingUniform', nn.initializers.kaimingUniform(), 2 / 50],
    ['lecunNormal', nn.initializers.lecunNormal(), 1 / 50],
    ['fanInUniform', nn.initializers.fanInUniform(), 1 / 150],
  ])('%s has its variance', (_name, initializer, expected) => {
    seed(3);
    expect(variance(initializer([100, 200], fans)) / expected).toBeCloseTo(1, 1);
  });

  it('orthogonal columns or rows are orthonormal', () => {
    for (const [rows, columns] of [
      [6, 4],
      [4, 6],
      [5, 5],
    ]) {
      const q = tensor(nn.initializers.orthogonal()([rows, columns], fans), { shape: [rows, columns] });
      const product = rows >= columns ? q.transpose().matmul(q) : q.matmul(q.transpose());
      const data = product.dataSync();
      const n = Math.min(rows, columns);
      for (let i = 0; i < n * n; i++) expect(data[i]).toBeCloseTo(i % (n + 1) === 0 ? 1 : 0, 12);
    }
  });

  it('the same seed gives the same parameters', () => {
    const weights = () => {
      seed(11);
      const layer = nn.linear(3);
      layer.apply(zeros([1, 4]));
      return [...layer.weight.dataSync()];
    };
    expect(weights()).toEqual(weights());
    expect(Math.max(...weights().map(Math.abs))).toBeLessThanOrEqual(0.5);
  });
});
