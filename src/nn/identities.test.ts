/** What must be true of layers, exactly: adjoints, dropout's mean, LSTM's memory, attention's weights, states and masks of recurrent nets, shared weights, graphs. */
import { describe, expect, it } from 'vitest';
import { compile, gradients, ones, random, seed, type Tensor, tensor, variable, zeros } from '../tensor/index.ts';
import * as nn from './index.ts';

const d64 = { dtype: 'float64' } as const;
const draw = (shape: readonly number[], seed: number): Tensor => random.normal(shape, { seed, ...d64 });
const near = (actual: Tensor, expected: Tensor, digits = 12): void => {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  a.forEach((value: number, i: number) => {
    expect(value, `entry ${i}`).toBeCloseTo(b[i], digits);
  });
};

describe('convolutions', () => {
  it('the textbook picture: a binary image and the 3×3 cross kernel', () => {
    const image = [
      [1, 1, 1, 0, 0],
      [0, 1, 1, 1, 0],
      [0, 0, 1, 1, 1],
      [0, 0, 1, 1, 0],
      [0, 1, 1, 0, 0],
    ];
    const layer = nn.conv2d(1, 3, { bias: false });
    const x = tensor(image).reshape([1, 5, 5, 1]);
    layer.apply(x);
    layer.loadStateDict({ weight: tensor([1, 0, 1, 0, 1, 0, 1, 0, 1]).reshape([3, 3, 1, 1]) });
    expect(layer.apply(x).reshape([3, 3]).arraySync()).toEqual([
      [4, 3, 4],
      [2, 4, 3],
      [2, 3, 4],
    ]);
  });

  it('convTranspose is the adjoint of conv: ⟨conv x, y⟩ = ⟨x, convTranspose y⟩', () => {
    const options = { stride: 2, padding: 1, groups: 2, bias: false, ...d64 } as const;
    const [down, up] = [nn.conv2d(6, 3, options), nn.convTranspose2d(4, 3, options)];
    const [x, y] = [draw([2, 7, 5, 4], 1), draw([2, 4, 3, 6], 2)];
    [down.apply(x), up.apply(y)];
    up.loadStateDict({ weight: down.weight.snapshot() });
    near(down.apply(x).mul(y).sum(), x.mul(up.apply(y)).sum(), 11);
  });

  it('shifts with its input, away from the borders', () => {
    const layer = nn.conv2d(3, 3, { padding: 1, ...d64 });
    const x = draw([1, 9, 9, 2], 4);
    const moved = x.slice([0, 0, 0], [1, 7, 8]).pad([
      [0, 0],
      [2, 0],
      [1, 0],
      [0, 0],
    ]); // 2 down, 1 right
    near(layer.apply(moved).slice([0, 3, 2], [1, 5, 6]), layer.apply(x).slice([0, 1, 1], [1, 5, 6]));
  });

  it("AlexNet's maps are 55, 27, 13, 13, 13, 6", () => {
    const stages = [nn.conv2d(4, 11, { stride: 4 }), nn.maxPool2d(3, { stride: 2 }), nn.conv2d(4, 5, { padding: 2 }), nn.maxPool2d(3, { stride: 2 })];
    const more = [nn.conv2d(4, 3, { padding: 1 }), nn.conv2d(4, 3, { padding: 1 }), nn.conv2d(4, 3, { padding: 1 }), nn.maxPool2d(3, { stride: 2 })];
    const sizes: number[] = [];
    [...stages, ...more].reduce(
      (x: Tensor, layer) => {
        const y = layer.apply(x);
        sizes.push(y.shape[1]);
        return y;
      },
      zeros([1, 227, 227, 3]),
    );
    expect(sizes).toEqual([55, 27, 27, 13, 13, 13, 13, 6]);
  });

  it('batch normalisation folded into the convolution before it changes nothing', () => {
    const [conv, norm] = [nn.conv2d(3, 3, d64), nn.batchNorm(d64)];
    const x = draw([4, 6, 6, 2], 3);
    norm.apply(conv.apply(x)).dataSync();
    norm.eval();
    const { weight, bias, runningMean, runningVariance } = norm.namedVariables();
    const scale = weight.mul(runningVariance.add(1e-5).rsqrt());
    const folded = x.conv(conv.weight.mul(scale)).add((conv.bias as Tensor).sub(runningMean).mul(scale).add(bias));
    near(norm.apply(conv.apply(x)), folded);
  });
});

describe('regularisation and activations', () => {
  it('dropout before a softmax: the normalised geometric mean over all masks is the scaled net', () => {
    const [x, w, b] = [draw([1, 6], 1), draw([6, 4], 2), draw([4], 3)];
    const logits = (mask: readonly number[]): Tensor =>
      x
        .mul(tensor(Float64Array.from(mask), { shape: [1, 6] }))
        .matmul(w)
        .add(b);
    // As the layer does it in training at rate ½: kept units count double.
    const all = Array.from({ length: 64 }, (_, bits) => logits(Array.from({ length: 6 }, (__, i) => ((bits >> i) & 1) * 2)).logSoftmax());
    const mean = all.reduce((a, c) => a.add(c)).div(64);
    near(mean.softmax(), nn.dropout(0.5).eval().apply(x).matmul(w).add(b).softmax());
  });

  it('spatialDropout drops whole channels; gaussianNoise has its deviation; both are the identity in evaluation', () => {
    const x = ones([4, 5, 5, 8]);
    const y = nn.spatialDropout(0.5).apply(x).dataSync();
    for (let n = 0; n < 4; n++) for (let c = 0; c < 8; c++) for (let at = 1; at < 25; at++) expect(y[(n * 25 + at) * 8 + c]).toBe(y[n * 200 + c]);
    expect(new Set(y)).toEqual(new Set([0, 2]));
    const noise = nn.gaussianNoise(0.5).apply(zeros([100, 100]));
    expect(noise.square().mean().sqrt().itemSync()).toBeCloseTo(0.5, 1);
    expect(nn.gaussianNoise(0.5).eval().apply(x)).toBe(x);
    expect(nn.spatialDropout(0.5).eval().apply(x)).toBe(x);
  });

  it('randomShift moves whole images, each by its own way within the limit; the identity in evaluation', () => {
    seed(1);
    const image = Array.from({ length: 7 }, (_, row) => Array.from({ length: 7 }, (__, column) => (row === 3 && column === 3 ? 1 : 0)));
    const x = tensor(image).reshape([1, 7, 7, 1]).broadcastTo([64, 7, 7, 1]);
    const layer = nn.randomShift(2);
    const places = layer.apply(x).reshape([64, 49]).argMax({ axis: 1 }).dataSync();
    expect(
      layer
        .apply(x)
        .sum({ axis: [1, 2, 3] })
        .dataSync()
        .every((sum: number) => sum === 1),
    ).toBe(true);
    for (const of of [(place: number) => Math.floor(place / 7), (place: number) => place % 7])
      expect(new Set([...places].map(of))).toEqual(new Set([1, 2, 3, 4, 5]));
    expect(
      layer
        .apply(ones([4, 7, 7, 1]))
        .sum()
        .itemSync(),
    ).toBeLessThan(4 * 49); // zeros come in
    expect(layer.eval().apply(x)).toBe(x);
  });

  it("PReLU's slope has the gradient Σ over x < 0 of x g", () => {
    const [x, g] = [draw([7, 3], 4), draw([7, 3], 5)];
    const layer = nn.prelu(d64);
    layer.apply(x);
    const [slope] = gradients(layer.apply(x).mul(g).sum(), layer.parameters());
    near(slope, x.minimum(0).mul(g).sum({ axis: 0 }));
  });

  it("ensembles: the mean error is the ensemble's plus the ambiguity; NLL of the mean ≤ mean NLL", () => {
    const [members, target] = [draw([5, 9], 6), draw([9], 7)];
    const mean = members.mean({ axis: 0 });
    const ambiguity = members.sub(mean).square().mean();
    near(nn.meanSquaredError(mean, target), members.sub(target).square().mean().sub(ambiguity));
    const p = members.sigmoid();
    expect(p.mean({ axis: 0 }).log().neg().mean().itemSync()).toBeLessThanOrEqual(p.log().neg().mean().itemSync());
  });
});

describe('recurrent nets', () => {
  const state = (seed: number): { hidden: Tensor; cell: Tensor } => ({ hidden: draw([2, 3], seed), cell: draw([2, 3], seed + 1) });

  it('an LSTM with open forget and closed input gates holds its cell for 1,000 steps, and the gradient through it is the product of the gates', () => {
    const layer = nn.lstm(1, d64);
    const x = zeros([1, 1000, 1], d64);
    layer.apply(x);
    const gates = (forget: number) => ({
      inputWeight: zeros([1, 4], d64),
      recurrentWeight: zeros([1, 4], d64),
      bias: tensor(Float64Array.from([-1e4, forget, 0, 0])),
    });
    const from = (cell: Tensor) => layer.run(x, { hidden: zeros([1, 1], d64), cell: cell.reshape([1, 1]) }).state.cell;
    layer.loadStateDict(gates(1e4));
    expect(from(tensor(Float64Array.of(0.7))).itemSync()).toBe(0.7);
    layer.loadStateDict(gates(5));
    const c0 = variable(Float64Array.of(0.7));
    const [slope] = gradients(from(c0).sum(), [c0]);
    expect(slope.itemSync()).toBeCloseTo((1 / (1 + Math.exp(-5))) ** 1000, 12);
  });

  it('peepholes as in Gers & Schmidhuber (2000), and the GRU of Cho et al. (2014), written out', () => {
    const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
    const x = draw([1, 3, 1], 1);
    const [lstm, gru] = [nn.lstm(1, { peepholes: true, ...d64 }), nn.gru(1, { resetAfter: false, ...d64 })];
    const [ys, zs] = [lstm.apply(x).dataSync(), gru.apply(x).dataSync()];
    const v = Object.fromEntries(Object.entries(lstm.namedParameters()).map(([name, p]) => [name, p.dataSync()]));
    const w = Object.fromEntries(Object.entries(gru.namedParameters()).map(([name, p]) => [name, p.dataSync()]));
    let [h, c, s] = [0, 0, 0];
    x.dataSync().forEach((input: number, t: number) => {
      const [i, f, g, o] = [0, 1, 2, 3].map((k) => input * v.inputWeight[k] + h * v.recurrentWeight[k] + v.bias[k]);
      const next = sigmoid(f + v.peephole[1] * c) * c + sigmoid(i + v.peephole[0] * c) * Math.tanh(g);
      h = sigmoid(o + v.peephole[2] * next) * Math.tanh(next);
      c = next;
      expect(ys[t]).toBeCloseTo(h, 12);
      const [r, z] = [0, 1].map((k) => sigmoid(input * w.inputWeight[k] + s * w.recurrentWeight[k] + w.bias[k]));
      const n = Math.tanh(input * w.inputWeight[2] + w.bias[2] + r * s * w.recurrentWeight[2]);
      s = z * s + (1 - z) * n;
      expect(zs[t]).toBeCloseTo(s, 12);
    });
  });

  it('a stateful layer reads a sequence in pieces as in one go, compiled too; resetState begins anew', () => {
    const x = draw([2, 6, 3], 2);
    const [whole, parts] = [nn.gru(4, { layers: 2, ...d64 }), nn.gru(4, { layers: 2, stateful: true, ...d64 })];
    const expected = whole.apply(x);
    parts.apply(x);
    parts.loadStateDict(whole.stateDict());
    parts.resetState();
    const read = compile((piece: Tensor) => parts.apply(piece));
    const pieces = [0, 2, 4].map((at) => read(x.slice([0, at], [2, 2])));
    near(pieces[0].concat(pieces.slice(1), 1), expected);
    parts.resetState();
    near(read(x.slice([0, 0], [2, 2])), expected.slice([0, 0], [2, 2]));
  });

  it('truncated back-propagation: with k ≥ T the full gradient, with k < T that of pieces whose first state is a constant', () => {
    const x = draw([2, 5, 3], 3);
    const make = (truncate?: number) => nn.lstm(3, truncate === undefined ? d64 : { truncate, ...d64 });
    const full = make();
    const weights = draw(full.apply(x).shape, 4);
    const slopes = (layer: nn.Lstm, loss: () => Tensor): Tensor[] => gradients(loss(), Object.values(layer.namedParameters()));
    const exact = slopes(full, () => full.apply(x).mul(weights).sum());
    const of = (k: number): Tensor[] => {
      const layer = make(k);
      layer.apply(x);
      layer.loadStateDict(full.stateDict());
      return slopes(layer, () => layer.apply(x).mul(weights).sum());
    };
    of(5).forEach((slope, i) => near(slope, exact[i]));
    const part = (t: Tensor, at: number, size: number): Tensor => t.slice([0, at], [2, size]);
    const manual = slopes(full, () => {
      let loss: Tensor = zeros([], d64);
      let from = { hidden: zeros([2, 3], d64), cell: zeros([2, 3], d64) };
      for (const [at, size] of [
        [0, 2],
        [2, 2],
        [4, 1],
      ]) {
        const { outputs, state: next } = full.run(part(x, at, size), from);
        loss = loss.add(outputs.mul(part(weights, at, size)).sum());
        from = { hidden: next.hidden.stopGradient(), cell: next.cell.stopGradient() };
      }
      return loss;
    });
    of(2).forEach((slope, i) => near(slope, manual[i]));
  });

  it('masked steps have no influence and no gradient; the last state is that of the last step that counts', () => {
    const layer = nn.gru(3, { bidirectional: true, output: 'last', ...d64 });
    const x = variable(draw([2, 5, 2], 5));
    const mask = nn.lengthMask(tensor([3, 5], { dtype: 'int32' }), 5);
    const y = layer.apply(x, mask);
    near(y.slice([0], [1]), layer.apply(x.slice([0, 0], [1, 3])));
    const [dx] = gradients(y.sum(), [x]);
    expect([...dx.slice([0, 3], [1, 2]).dataSync()]).toEqual([0, 0, 0, 0]);
    expect(dx.slice([0, 2], [1, 1]).abs().sum().itemSync()).toBeGreaterThan(0);
  });

  it('run continues from given states of all layers', () => {
    const layer = nn.lstm(3, { layers: 2, ...d64 });
    const x = draw([2, 4, 2], 6);
    const { outputs, states } = layer.run(x, { state: [state(1), state(3)] });
    const first = layer.run(x.slice([0, 0], [2, 1]), { state: [state(1), state(3)] });
    near(layer.run(x.slice([0, 1]), { state: first.states }).outputs, outputs.slice([0, 1]));
    expect(states).toHaveLength(2);
    expect(Object.keys(layer.namedParameters())).toContain('1.recurrentWeight');
  });
});

describe('attention', () => {
  const [query, key, value] = [draw([2, 3, 4], 1), draw([2, 5, 4], 2), draw([2, 5, 6], 3)];

  it('weights sum to 1; padding has weight 0 and gradient 0; a query that may look nowhere gets 0', () => {
    const v = variable(value);
    const mask = nn.lengthMask(tensor([3, 0], { dtype: 'int32' }), 5).expandDims(1);
    const { outputs, weights } = nn.dotProductAttention(query, key, v, { mask });
    near(weights.slice([0], [1]).sum({ axis: -1 }), ones([1, 3], d64));
    expect(weights.slice([0, 0, 3]).abs().sum().itemSync()).toBe(0);
    expect(outputs.slice([1]).abs().sum().itemSync()).toBe(0);
    const [dv] = gradients(outputs.square().sum(), [v]);
    expect(dv.slice([0, 3]).abs().sum().itemSync()).toBe(0);
    expect(dv.slice([1]).abs().sum().itemSync()).toBe(0);
  });

  it('permuting the annotations permutes the weights, additive and multi-head', () => {
    const order = [3, 0, 4, 1, 2];
    const [additive, heads] = [nn.additiveAttention(7, d64), nn.multiHeadAttention(4, 2, d64)];
    const [a, b] = [additive.attend(query, key, value), additive.attend(query, key.take(order, 1), value.take(order, 1))];
    near(b.weights, a.weights.take(order, 2));
    near(b.outputs, a.outputs);
    const [c, d] = [heads.attend(query, key, value), heads.attend(query, key.take(order, 1), value.take(order, 1))];
    near(d.weights, c.weights.take(order, 3));
    near(d.outputs, c.outputs);
  });

  it('a causal block does not see the future', () => {
    const block = nn.transformerBlock(4, 2, { causal: true, ...d64 });
    const x = variable(draw([1, 5, 4], 7));
    const [dx] = gradients(block.apply(x).slice([0, 0], [1, 3]).square().sum(), [x]);
    expect(dx.slice([0, 3]).abs().sum().itemSync()).toBe(0);
  });
});

describe('graphs and shared weights', () => {
  it('split then concatenate is the identity; copies add their gradients', () => {
    const x = variable(draw([3, 6], 1));
    near(nn.concatenate().apply(...nn.split([1, 2, 3]).apply(x)), x);
    const [dx] = gradients(
      nn
        .add()
        .apply(...nn.copy(3).apply(x))
        .sum(),
      [x],
    );
    expect([...dx.dataSync()]).toEqual(new Array(18).fill(3));
  });

  it('a graph with two inputs and two outputs', () => {
    const make = () =>
      nn.graph({
        inputs: ['image', 'age'],
        layers: {
          seen: [nn.sequential(nn.flatten(), nn.linear(4, d64)), 'image'],
          halves: [nn.split(2), 'seen'],
          sum: [nn.add(), 'halves.0', 'halves.1'],
          both: [nn.concatenate(), 'sum', 'age'],
          kind: [nn.linear(3, d64), 'both'],
          size: [nn.linear(1, d64), 'both'],
        },
        outputs: ['kind', 'size'],
      });
    const [net, other] = [make(), make()];
    const [image, age] = [draw([2, 3, 3, 1], 2), draw([2, 1], 3)];
    const [kind, size] = net.apply(image, age);
    expect([kind.shape, size.shape]).toEqual([
      [2, 3],
      [2, 1],
    ]);
    expect(Object.keys(net.namedParameters())).toEqual(['seen.1.weight', 'seen.1.bias', 'kind.weight', 'kind.bias', 'size.weight', 'size.bias']);
    other.loadStateDict(net.stateDict());
    near(other.apply(image, age)[1], size);
    expect(net.summary([[3, 3, 1], [1]], d64)).toMatch(/^total +56 /m);
    const reads = (from: string) => () => nn.graph({ inputs: ['x'], layers: { a: [nn.relu(), from], b: [nn.relu(), 'a'] }, outputs: 'b' });
    expect(reads('y')).toThrow('graph: a reads y, which is neither an input nor a layer.');
    expect(reads('b')).toThrow('graph: a reads b, which comes later. Put layers in order.');
    expect(() => net.apply(image)).toThrow('graph: expected 2 inputs (image, age), got 1.');
  });

  it("multitask: the trunk's gradient is the sum of its heads'", () => {
    const [trunk, left, right] = [nn.linear(4, d64), nn.linear(3, d64), nn.linear(1, d64)];
    const [x, labels, sizes] = [draw([5, 2], 1), tensor([0, 2, 1, 1, 0], { dtype: 'int32' }), draw([5, 1], 2)];
    const heads = () => {
      const seen = trunk.apply(x).tanh();
      return [nn.crossEntropy(left.apply(seen), labels), nn.meanSquaredError(right.apply(seen), sizes).mul(0.3)];
    };
    const both = () => {
      const seen = trunk.apply(x).tanh();
      const loss = nn.multitask([{ loss: nn.crossEntropy }, { loss: nn.meanSquaredError, weight: 0.3 }]);
      return loss([left.apply(seen), right.apply(seen)], [labels, sizes]);
    };
    heads();
    const slope = (loss: Tensor): Tensor => gradients(loss, [trunk.weight])[0];
    near(slope(both()), slope(heads()[0]).add(slope(heads()[1])));
  });

  it('a residual block whose branch is zero is the identity', () => {
    const branch = nn.conv2d(2, 3, { padding: 1, weightInitializer: nn.initializers.zeros(), biasInitializer: nn.initializers.zeros(), ...d64 });
    const block = nn.graph({ inputs: ['x'], layers: { branch: [branch, 'x'], sum: [nn.add(), 'branch', 'x'] }, outputs: 'sum' });
    const x = draw([2, 4, 4, 2], 3);
    expect([...block.apply(x).dataSync()]).toEqual([...x.dataSync()]);
  });

  it('tied weights count once and get the gradients of both uses', () => {
    const encoder = nn.linear(3, { bias: false, ...d64 });
    const decoder = nn.tiedLinear(encoder, { bias: false });
    const model = nn.sequential(encoder, decoder);
    const x = draw([4, 5], 4);
    expect(model.apply(x).shape).toEqual([4, 5]);
    expect(Object.keys(model.namedParameters())).toEqual(['0.weight']);
    const [slope] = gradients(model.apply(x).sum(), [encoder.weight]);
    const w = encoder.weight;
    const sum = ones([4, 5], d64);
    near(
      slope,
      x
        .transpose()
        .matmul(sum.matmul(w))
        .add(sum.transpose().matmul(x.matmul(w))),
    );
    const [words, scores] = [nn.embedding(7, 3, d64), (source: nn.Embedding) => nn.tiedLinear(source)];
    const head = scores(words);
    expect(head.apply(words.apply(tensor([[1, 2]], { dtype: 'int32' }))).shape).toEqual([1, 2, 7]);
    expect(Object.keys(nn.sequential(words, head).namedParameters())).toEqual(['0.weight', '1.bias']);
  });
});

it('summaries tell the shapes of stacked recurrent layers and the products of attention', () => {
  const table = nn.sequential(nn.lstm(4, { layers: 2 }), nn.multiHeadAttention(4, 2)).summary([5, 3]);
  expect(table).toMatch(/^0\.1 lstm +\[5, 4\] +144 +640$/m);
  expect(table).toMatch(/^1 multiHeadAttention +\[5, 4\] +0 +200$/m);
});

describe('what layers refuse', () => {
  const cases: [string, () => unknown, string][] = [
    ['rank', () => nn.maxPool1d(2).apply(zeros([2, 4, 4, 1])), 'maxPool1d: expected an input of rank 3 [N, length, channels], got [2, 4, 4, 1].'],
    ['groups of channels', () => nn.groupNorm(3).apply(zeros([2, 4, 4])), 'groupNorm: 4 channels cannot be divided into 3 groups.'],
    [
      'same for transposed',
      () => nn.convTranspose2d(4, 3, { padding: 'same' as never }),
      'convTranspose2d: padding must be a number or a list of 2, got same.',
    ],
    ['options of others', () => nn.gru(4, { forgetBias: 1 } as object), 'gru: unknown option forgetBias.'],
    ['stateful and bidirectional', () => nn.lstm(4, { stateful: true, bidirectional: true }), 'lstm: a stateful layer cannot be bidirectional.'],
    ['mask', () => nn.rnn(4).apply(zeros([2, 5, 3]), zeros([2, 4])), 'rnn: the mask must be [2, 5], got [2, 4].'],
    ['heads', () => nn.multiHeadAttention(10, 4), 'multiHeadAttention: 10 features cannot be divided into 4 heads.'],
    ['merge shapes', () => nn.add().apply(zeros([2, 3]), zeros([2, 1])), 'add: inputs [2, 3] and [2, 1] must have one shape.'],
    ['reshape', () => nn.reshape([5, -1]).apply(zeros([2, 4])), 'reshape: examples of [4] (4 numbers) do not fit [5, -1].'],
    ['state names', () => nn.lstm(2).run(zeros([1, 2, 3]), { hidden: zeros([1, 2]) } as never), 'lstm: the state lacks cell. It has hidden and cell.'],
  ];
  it.each(cases)('%s', (_name, wrong, message) => {
    expect(wrong).toThrow(message);
  });
});
