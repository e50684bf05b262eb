/** Module: finding parameters, names, modes, states, summaries, and what is refused. */
import { describe, expect, it } from 'vitest';
import { compile, ones, seed, type Tensor, tensor, variable, zeros } from '../tensor/index.ts';
import * as nn from './index.ts';

class Residual extends nn.Module {
  conv1 = nn.conv2d(4, 3, { padding: 1 });
  conv2 = nn.conv2d(4, 3, { padding: 1 });
  extras = { scale: variable([1]), list: [nn.linear(2), nn.batchNorm()] };
  note = 'not a parameter';

  forward(x: Tensor): Tensor {
    const y = this.conv2.apply(this.conv1.apply(x).relu()).add(x).mul(this.extras.scale);
    return this.extras.list.reduce((value: Tensor, layer) => layer.apply(value), y);
  }
}

describe('Module', () => {
  it('names parameters and buffers by their path', () => {
    const model = new Residual();
    model.apply(ones([2, 5, 5, 4]));
    const convolutions = ['conv1.weight', 'conv1.bias', 'conv2.weight', 'conv2.bias'];
    const extras = ['extras.list.0.weight', 'extras.list.0.bias', 'extras.list.1.weight', 'extras.list.1.bias'];
    expect(Object.keys(model.namedParameters())).toEqual(['extras.scale', ...convolutions, ...extras]);
    expect(Object.keys(model.namedBuffers())).toEqual(['extras.list.1.runningMean', 'extras.list.1.runningVariance']);
    expect(model.parameters()).toHaveLength(9);
    expect(Object.keys(nn.sequential(nn.relu(), model).stateDict())).toContain('1.conv1.weight');
  });

  it('refuses to list parameters that do not exist yet', () => {
    expect(() => nn.sequential(nn.relu(), nn.linear(2)).parameters()).toThrow(
      'namedParameters: layer 1 (linear) has no parameters yet: it learns its input size at the first call. Call the model once, or model.summary(inputShape), before this.',
    );
  });

  it('switches modes and freezes down the tree', () => {
    const model = nn.sequential(nn.linear(2), nn.sequential(nn.linear(3), nn.dropout()));
    model.apply(zeros([1, 2]));
    expect(model.eval().layers[1].training).toBe(false);
    expect(model.train().training).toBe(true);
    model.layers[1].freeze();
    expect(Object.keys(model.trainableParameters())).toEqual(['0.weight', '0.bias']);
    expect(model.parameters()).toHaveLength(4);
    expect(Object.keys(model.unfreeze().trainableParameters())).toHaveLength(4);
  });

  it('counts a shared layer once', () => {
    const shared = nn.linear(4);
    const model = nn.sequential(shared, nn.relu(), shared);
    expect(model.summary([4])).toMatch(/total +20 +32/);
    expect(Object.keys(model.namedParameters())).toEqual(['0.weight', '0.bias']);
  });

  it('takes a state over, also before the first call', () => {
    const make = () => nn.sequential(nn.conv2d(4, 3), nn.batchNorm(), nn.flatten(), nn.linear(2));
    const [a, b] = [make(), make()];
    const x = ones([3, 5, 5, 2]);
    a.apply(x);
    b.loadStateDict(a.stateDict());
    expect([...b.eval().apply(x).dataSync()]).toEqual([...a.eval().apply(x).dataSync()]);
    expect(Object.keys(b.stateDict())).toEqual(['0.weight', '0.bias', '1.weight', '1.bias', '1.runningMean', '1.runningVariance', '3.weight', '3.bias']);
  });

  it('keeps snapshots of states apart from later training', () => {
    const model = nn.linear(1);
    model.apply(ones([1, 2]));
    const state = model.stateDict();
    const before = [...state.weight.dataSync()];
    model.weight.assign(model.weight.add(1));
    model.weight.dataSync();
    expect([...state.weight.dataSync()]).toEqual(before);
    model.loadStateDict(state);
    expect([...model.weight.dataSync()]).toEqual(before);
  });

  it('refuses states that do not fit, changing nothing', () => {
    const model = nn.linear(2);
    model.apply(zeros([1, 3]));
    const { weight } = model.stateDict();
    expect(() => model.loadStateDict({ weight })).toThrow('loadStateDict: the state lacks bias. Pass { strict: false } to load what is there.');
    expect(() => model.loadStateDict({ ...model.stateDict(), extra: weight })).toThrow(
      'loadStateDict: the model has no extra. Pass { strict: false } to load what fits.',
    );
    expect(() => model.loadStateDict({ weight: zeros([3, 3]), bias: zeros([2]) })).toThrow(
      'loadStateDict: weight is [3, 3] in the state but [3, 2] in the model. Was it saved from another model?',
    );
    expect(model.loadStateDict({ weight, extra: weight }, { strict: false })).toEqual({ missing: ['bias'], unexpected: ['extra'] });
  });

  it('makes parameters while a function is being recorded', () => {
    const model = nn.sequential(nn.linear(3), nn.batchNorm(), nn.relu(), nn.linear(2));
    const step = compile((x: Tensor) => model.apply(x));
    const x = tensor([
      [1, 2],
      [3, 5],
    ]);
    const first = [...step(x).dataSync()];
    expect(model.parameters()).toHaveLength(6);
    expect([...model.apply(x).dataSync()].every((v, i) => Math.abs(v - first[i]) < 1e-4)).toBe(true);
  });

  it('follows train() and eval() in compiled functions', () => {
    seed(1); // that exactly half of the units stay is possible
    const model = nn.dropout(0.5);
    const step = compile((x: Tensor) => model.apply(x).sum());
    const x = ones([1000]);
    expect(step(x).itemSync()).not.toBe(1000);
    model.eval();
    expect(step(x).itemSync()).toBe(1000);
    model.train();
    expect(step(x).itemSync()).not.toBe(1000);
  });
});

describe('what layers refuse', () => {
  const cases: [string, () => unknown, string][] = [
    ['unknown option', () => nn.conv2d(4, 3, { strides: 2 } as object), 'conv2d: unknown option strides. Did you mean stride?'],
    [
      'options of another layer',
      () => nn.linear(4, { groups: 2 } as object),
      'linear: unknown option groups. It has bias, weightInitializer, biasInitializer, dtype.',
    ],
    ['bad size', () => nn.linear(0), 'linear: features must be a whole number ≥ 1, got 0.'],
    ['bad kernel list', () => nn.conv2d(4, [3, 3, 3]), 'conv2d: kernelSize must be a number or a list of 2, got a list of 3.'],
    ['groups', () => nn.conv2d(4, 3, { groups: 3 }), 'conv2d: 4 filters cannot be divided into 3 groups.'],
    [
      'wrong rank',
      () => nn.conv2d(4, 3).apply(zeros([28, 28, 1])),
      'conv2d: expected an input of rank 4 [N, height, width, channels], got [28, 28, 1]. Channels come last; a single example needs a batch dimension.',
    ],
    [
      'vector to linear',
      () => nn.linear(4).apply(zeros([3])),
      'linear: expected [batch, …, features], got [3]. A single example needs a batch dimension: x.expandDims(0).',
    ],
    ['dropout rate', () => nn.dropout(1), 'dropout: rate must be a finite number in [0, 1), got 1.'],
    ['function for a layer', () => nn.sequential(nn.relu as never), 'sequential: argument 0 is not a layer. Call the layer functions: nn.relu(), not nn.relu.'],
    ['floats to embedding', () => nn.embedding(3, 2).apply(zeros([2])), "embedding: expected integers, got float32. Cast them: x.cast('int32')."],
    [
      'pool padding',
      () => nn.maxPool2d(2, { padding: 2 }),
      'maxPool2d: padding 2 is more than half of the window of 2. A window must not lie outside the image.',
    ],
    ['dtype', () => nn.linear(2, { dtype: 'int32' as 'float32' }), 'linear: dtype must be one of float32, float64, got int32.'],
  ];
  it.each(cases)('%s', (_name, wrong, message) => {
    expect(wrong).toThrow(message);
  });

  it('another number of channels than at the first call', () => {
    const layer = nn.conv2d(4, 3, { padding: 1 });
    layer.apply(zeros([1, 8, 8, 3]));
    expect(() => layer.apply(zeros([1, 8, 8, 1]))).toThrow(
      'conv2d: input has 1 channels but this layer was made for 3 (input [1, 8, 8, 1]). The last dimension holds the channels.',
    );
  });
});
