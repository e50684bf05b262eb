/**
 * PyTorch's numbers, or those of the papers' equations where it has none (test/fixtures/make_layer_fixtures.py): every layer and loss forward, backward and over 20 training steps, every optimizer over 20 steps,
 * all in float64 to 9 digits.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile, gradients, nn, optim, type Tensor, tensor, type Variable, variable } from '../src/index.ts';

interface Made {
  readonly shape: readonly number[];
  readonly key: number;
  readonly scale?: number;
  readonly offset?: number;
  /** Whole numbers below this. */
  readonly classes?: number;
}
interface Digest {
  readonly shape: readonly number[];
  /** Σ entry · hash of its position. */
  readonly weighted: number;
  readonly magnitude: number;
  readonly entries: readonly number[];
}
interface LayerCase {
  readonly name: string;
  readonly inputs: readonly Made[];
  readonly parameters: Readonly<Record<string, Made>>;
  readonly target: Made;
  readonly output: Digest;
  readonly gradients: readonly Digest[];
  readonly rate: number;
  readonly losses: readonly number[];
}
interface LossCase {
  readonly name: string;
  readonly inputs: readonly Made[];
  readonly extras: Readonly<Record<string, Made>>;
  readonly output: Digest;
  readonly gradients: readonly Digest[];
  readonly losses: readonly number[];
}
interface OptimizerCase {
  readonly name: string;
  readonly losses: readonly number[];
  readonly values: readonly number[];
}
interface Fixtures {
  readonly layers: readonly LayerCase[];
  readonly losses: readonly LossCase[];
  readonly optimizers: readonly OptimizerCase[];
}

const fixtures = JSON.parse(readFileSync(new URL('./fixtures/layers.json', import.meta.url), 'utf8')) as Fixtures;
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, d) => product * d, 1);

/** Uniform in offset ± scale: the integer hash of make_layer_fixtures.py. */
function pseudo(size: number, key: number, scale = 1, offset = 0): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => {
    let h = (Math.imul(i, 2654435761) + key * 40503 + 12345) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
    h = (h ^ (h >>> 16)) >>> 0;
    return offset + scale * (h / 2147483648 - 1);
  });
}

function made({ shape, key, scale, offset, classes }: Made): Tensor {
  const values = pseudo(sizeOf(shape), key, scale, offset);
  return classes === undefined
    ? tensor(values, { shape })
    : tensor(
        Int32Array.from(values, (v) => Math.min(classes - 1, Math.floor(((v + 1) / 2) * classes))),
        { shape },
      );
}

const close = (actual: number, expected: number, size: number, what: string): void => {
  expect(Math.abs(actual - expected) / Math.max(1e-3, size), `${what}: ${actual}, PyTorch has ${expected}`).toBeLessThan(1e-9);
};

function matches(actual: Tensor, { shape, weighted, magnitude, entries }: Digest, what: string): void {
  expect(actual.shape, what).toEqual(shape);
  const data = actual.dataSync();
  const hash = pseudo(data.length, 0);
  const sum = (of: (v: number, i: number) => number): number => data.reduce((total: number, v: number, i: number) => total + of(v, i), 0);
  close(sum(Math.abs), magnitude, magnitude, `${what}, magnitude`);
  close(
    sum((v, i) => v * hash[i]),
    weighted,
    magnitude,
    `${what}, weighted sum`,
  );
  const step = data.length / 5;
  entries.forEach((value, i) => {
    close(data[data.length > 5 ? Math.floor(i * step) : i], value, magnitude, `${what}, entry ${i}`);
  });
}

type Caller = (...inputs: Tensor[]) => Tensor;
const d64 = { dtype: 'float64' } as const;
const spatial = { stride: 2, padding: 1, ...d64 };

const layers: Readonly<Record<string, () => nn.Module>> = {
  conv1d: () => nn.conv1d(4, 3, spatial),
  conv2d: () => nn.conv2d(4, [3, 2], spatial),
  conv3d: () => nn.conv3d(4, [3, 2, 2], spatial),
  convTranspose1d: () => nn.convTranspose1d(4, 3, { ...spatial, outputPadding: 1 }),
  convTranspose2d: () => nn.convTranspose2d(4, [3, 2], { ...spatial, outputPadding: 1 }),
  convTranspose3d: () => nn.convTranspose3d(4, [3, 2, 2], { ...spatial, outputPadding: 1 }),
  depthwiseConv1d: () => nn.depthwiseConv1d(3, { multiplier: 2, padding: 1, ...d64 }),
  depthwiseConv2d: () => nn.depthwiseConv2d([3, 2], { multiplier: 2, padding: 1, ...d64 }),
  depthwiseConv3d: () => nn.depthwiseConv3d([3, 2, 2], { multiplier: 2, padding: 1, ...d64 }),
  separableConv1d: () => nn.separableConv1d(5, 3, d64),
  separableConv2d: () => nn.separableConv2d(5, [3, 2], d64),
  separableConv3d: () => nn.separableConv3d(5, [3, 2, 2], d64),
  'conv2d dilated, grouped': () => nn.conv2d(6, 3, { padding: 2, dilation: 2, groups: 2, bias: false, ...d64 }),
  'convTranspose2d dilated, grouped': () => nn.convTranspose2d(6, [3, 2], { dilation: 2, groups: 2, bias: false, ...d64 }),
  maxPool1d: () => nn.maxPool1d(3, { stride: 2, padding: 1 }),
  maxPool2d: () => nn.maxPool2d(3, { stride: 2, padding: 1 }),
  maxPool3d: () => nn.maxPool3d(3, { stride: 2, padding: 1 }),
  avgPool1d: () => nn.avgPool1d(3, { stride: 2, padding: 1 }),
  avgPool2d: () => nn.avgPool2d(3, { stride: 2, padding: 1 }),
  avgPool3d: () => nn.avgPool3d(3, { stride: 2, padding: 1 }),
  adaptiveMaxPool1d: () => nn.adaptiveMaxPool1d(3),
  adaptiveMaxPool2d: () => nn.adaptiveMaxPool2d(3),
  adaptiveMaxPool3d: () => nn.adaptiveMaxPool3d(3),
  adaptiveAvgPool1d: () => nn.adaptiveAvgPool1d(3),
  adaptiveAvgPool2d: () => nn.adaptiveAvgPool2d(3),
  adaptiveAvgPool3d: () => nn.adaptiveAvgPool3d(3),
  'maxPool2d ceil': () => nn.maxPool2d(3, { stride: 2, ceil: true }),
  'adaptiveAvgPool2d even': () => nn.adaptiveAvgPool2d([2, 3]),
  globalAvgPool: () => nn.globalAvgPool(),
  globalMaxPool: () => nn.globalMaxPool(),
  batchNorm: () => nn.batchNorm(d64),
  layerNorm: () => nn.layerNorm(d64),
  groupNorm: () => nn.groupNorm(3, d64),
  instanceNorm: () => nn.instanceNorm(),
  'instanceNorm affine': () => nn.instanceNorm({ affine: true, ...d64 }),
  localResponseNorm: () => nn.localResponseNorm({ size: 5, alpha: 0.2 }),
  'localResponseNorm, even size': () => nn.localResponseNorm({ size: 4, alpha: 0.1, beta: 0.5, k: 1 }),
  rnn: () => nn.rnn(4, d64),
  'rnn with relu': () => nn.rnn(4, { activation: 'relu', ...d64 }),
  lstm: () => nn.lstm(4, d64),
  gru: () => nn.gru(4, d64),
  'lstm stacked, bidirectional': () => nn.lstm(4, { layers: 2, bidirectional: true, ...d64 }),
  'gru stacked, bidirectional': () => nn.gru(4, { layers: 2, bidirectional: true, ...d64 }),
  'lstm masked, bidirectional': () => nn.lstm(4, { bidirectional: true, ...d64 }),
  multiHeadAttention: () => nn.multiHeadAttention(6, 2, d64),
  'multiHeadAttention causal': () => nn.multiHeadAttention(6, 3, { causal: true, ...d64 }),
  additiveAttention: () => nn.additiveAttention(7, d64),
  transformerBlock: () => nn.transformerBlock(6, 2, { hidden: 10, causal: true, ...d64 }),
  'transformerBlock, norm after': () => nn.transformerBlock(6, 3, { hidden: 10, norm: 'after', activation: 'relu', ...d64 }),
  linear: () => nn.linear(3, d64),
  bilinear: () => nn.bilinear(2, d64),
  embedding: () => nn.embedding(7, 3, d64),
  prelu: () => nn.prelu(d64),
  'prelu shared': () => nn.prelu({ shared: true, ...d64 }),
  flatten: () => nn.flatten(),
  reshape: () => nn.reshape([-1, 2]),
  permute: () => nn.permute([2, 1]),
  zeroPadding: () =>
    nn.zeroPadding([
      [1, 2],
      [0, 3],
    ]),
  'upsample nearest': () => nn.upsample([2, 3]),
  'upsample linear': () => nn.upsample(2, { method: 'linear' }),
  'upsample bilinear': () => nn.upsample([2, 3], { method: 'linear' }),
  'upsample trilinear': () => nn.upsample(2, { method: 'linear' }),
  add: () => nn.add(),
  multiply: () => nn.multiply(),
  average: () => nn.average(),
  maximum: () => nn.maximum(),
  concatenate: () => nn.concatenate(),
  relu: () => nn.relu(),
  leakyRelu: () => nn.leakyRelu({ slope: 0.2 }),
  elu: () => nn.elu(),
  gelu: () => nn.gelu(),
  'gelu tanh': () => nn.gelu({ approximate: 'tanh' }),
  silu: () => nn.silu(),
  softplus: () => nn.softplus(),
  tanh: () => nn.tanh(),
  sigmoid: () => nn.sigmoid(),
  softmax: () => nn.softmax(),
  logSoftmax: () => nn.logSoftmax(),
  logSigmoid: () => nn.logSigmoid(),
  softsign: () => nn.softsign(),
  selu: () => nn.selu(),
  mish: () => nn.mish(),
  relu6: () => nn.relu6(),
  hardTanh: () => nn.hardTanh(),
  hardSigmoid: () => nn.hardSigmoid(),
  hardSwish: () => nn.hardSwish(),
  'gru masked': () => nn.gru(4, d64),
  'lstm with peepholes': () => nn.lstm(4, { peepholes: true, ...d64 }),
  'gru of the paper': () => nn.gru(4, { resetAfter: false, ...d64 }),
  maxout: () => nn.maxout(3, 2, d64),
  'tied weights': () => {
    const encoder = nn.linear(3, d64);
    return nn.sequential(encoder, nn.tiedLinear(encoder));
  },
  positionalEncoding: () => nn.positionalEncoding(),
  'copy, then multiply': () => nn.graph({ inputs: ['x'], layers: { same: [nn.copy(3), 'x'], y: [nn.multiply(), 'same.0', 'same.1', 'same.2'] }, outputs: 'y' }),
  'split, then add': () => nn.graph({ inputs: ['x'], layers: { half: [nn.split(2), 'x'], y: [nn.add(), 'half.0', 'half.1'] }, outputs: 'y' }),
};

/** What else goes into a call. */
const fiveTwoThree = () => nn.lengthMask(tensor([5, 2, 3], { dtype: 'int32' }), 5);
const masks: Readonly<Record<string, () => Tensor>> = { 'lstm masked, bidirectional': fiveTwoThree, 'gru masked': fiveTwoThree };

/** These also run as one compiled program: one of each kind, for a C compiler takes its time. */
const compiled = new Set([
  'conv2d',
  'convTranspose2d',
  'maxPool2d',
  'batchNorm',
  'localResponseNorm',
  'gru',
  'lstm masked, bidirectional',
  'additiveAttention',
  'embedding',
]);

describe('layers as in PyTorch: output, gradients, 20 training steps', () => {
  it.each(fixtures.layers.map((fixture) => [fixture.name, fixture] as const))('%s', (name, fixture) => {
    const layer = layers[name]();
    const mask = masks[name]?.();
    const call: Caller = (...inputs) => (layer.apply as Caller).apply(layer, mask ? [...inputs, mask] : inputs);
    const inputs = fixture.inputs.map((spec) => (spec.classes === undefined ? variable(made(spec)) : made(spec)));
    call(...inputs);
    layer.loadStateDict(Object.fromEntries(Object.entries(fixture.parameters).map(([key, spec]) => [key, made(spec)])), { strict: false });
    const parameters = layer.namedParameters();
    expect(Object.keys(parameters).sort()).toEqual(Object.keys(fixture.parameters).sort());
    const target = made(fixture.target);
    const moved = inputs.filter((x): x is Variable => x.dtype === 'float64');
    const leaves = [...moved, ...Object.keys(fixture.parameters).map((key) => parameters[key])];
    const y = call(...inputs);
    const found = gradients(y.mul(target).sum(), leaves);
    matches(y, fixture.output, 'output');
    fixture.gradients.forEach((digest, i) => {
      matches(found[i], digest, `gradient ${i} (${['input', ...Object.keys(fixture.parameters)][i] ?? ''})`);
    });
    const optimizer = optim.sgd({ learningRate: fixture.rate });
    const step = (): Tensor => {
      const loss = nn.meanSquaredError(call(...inputs), target);
      optimizer.minimize(loss, leaves);
      return loss;
    };
    const run = compiled.has(name) ? compile(step) : step;
    fixture.losses.forEach((expected, i) => {
      close(run().itemSync(), expected, expected, `loss of step ${i}`);
    });
  });

  it('no layer is left out', () => {
    expect(Object.keys(layers).sort()).toEqual(fixtures.layers.map(({ name }) => name).sort());
  });
});

type LossCaller = (inputs: readonly Tensor[], extras: Readonly<Record<string, Tensor>>) => Tensor;
const none = { reduction: 'none' } as const;
const lengths = (values: number[]): Tensor => tensor(values, { dtype: 'int32' });
const losses: Readonly<Record<string, LossCaller>> = {
  crossEntropy: ([z], { t }) => nn.crossEntropy(z, t, none),
  'crossEntropy, mean with everything': ([z], { t, classWeights }) => nn.crossEntropy(z, t, { classWeights, labelSmoothing: 0.1, ignoreIndex: 2 }),
  'crossEntropy, weights': ([z], { t, classWeights }) => nn.crossEntropy(z, t, { classWeights, ...none }),
  'crossEntropy, soft': ([z], { t, classWeights }) =>
    nn.crossEntropy(
      z,
      t
        .mul(0.8)
        .add(t.sum({ axis: -1, keepDims: true }).mul(0))
        .add(0.2 / 4),
      { classWeights },
    ),
  'crossEntropy, sequences': ([z], { t }) => nn.crossEntropy(z, t, none),
  binaryCrossEntropy: ([z], { t }) => nn.binaryCrossEntropy(z.sigmoid(), t, none),
  'binaryCrossEntropy of logits, positive weight': ([z], { t }) => nn.binaryCrossEntropy(z, t, { withLogits: true, positiveWeight: 3, ...none }),
  multiclassHinge: ([z], { t }) => nn.multiclassHinge(z, t, { margin: 0.7, ...none }),
  'multiclassHinge squared, weights': ([z], { t, classWeights }) => nn.multiclassHinge(z, t, { squared: true, classWeights, ...none }),
  hinge: ([z], { t }) => nn.hinge(z, t.sign(), none),
  'hinge squared': ([z], { t }) => nn.hinge(z, t.sign(), { squared: true, ...none }),
  'multiclassHinge, largest': ([z], { t }) => nn.multiclassHinge(z, t, { over: 'largest', ...none }),
  meanSquaredError: ([z], { t }) => nn.meanSquaredError(z, t, none),
  meanAbsoluteError: ([z], { t }) => nn.meanAbsoluteError(z, t, none),
  huber: ([z], { t }) => nn.huber(z, t, { delta: 0.8, ...none }),
  klDivergence: ([z], { t }) => nn.klDivergence(z, t, none),
  'klDivergence of log-probabilities': ([z], { t }) => nn.klDivergence(nn.logSigmoid().apply(z), t, { logProbabilities: true, ...none }),
  'triplet, squared': ([a, b, c]) => nn.triplet(a, b, c, { margin: 0.5, squared: true, ...none }),
  bivariateMixtureLoss: ([z], { t }) => nn.bivariateMixtureLoss(z, t, none),
  multitask: ([z, y], { t, u }) =>
    nn.multitask([
      { loss: nn.crossEntropy, weight: 0.3 },
      { loss: nn.meanSquaredError, weight: 2 },
    ])([z, y], [t, u]),
  triplet: ([a, b, c]) => nn.triplet(a, b, c, { margin: 0.5, ...none }),
  contrastive: ([a, b], { same }) => nn.contrastive(a, b, same, { margin: 2, ...none }),
  ctc: ([z], { t }) => nn.ctc(z, t.add(1), { inputLengths: lengths([8, 6, 7]), labelLengths: lengths([3, 1, 2]), ...none }),
  'ctc, blank last': ([z], { t }) => nn.ctc(z, t, { blank: 3, ...none }),
};

describe('losses as in PyTorch: values, gradients, 20 training steps', () => {
  it.each(fixtures.losses.map((fixture) => [fixture.name, fixture] as const))('%s', (name, fixture) => {
    const inputs = fixture.inputs.map((spec) => variable(made(spec)));
    const extras = Object.fromEntries(Object.entries(fixture.extras).map(([key, spec]) => [key, made(spec)]));
    const y = losses[name](inputs, extras);
    const found = gradients(y.mean(), inputs);
    matches(y, fixture.output, 'losses');
    fixture.gradients.forEach((digest, i) => {
      matches(found[i], digest, `gradient ${i}`);
    });
    const optimizer = optim.sgd({ learningRate: 0.2 });
    const step = (): Tensor => {
      const loss = losses[name](inputs, extras).mean();
      optimizer.minimize(loss, inputs);
      return loss;
    };
    const run = name === 'ctc' ? compile(step) : step;
    fixture.losses.forEach((expected, i) => {
      close(run().itemSync(), expected, Math.abs(expected), `loss of step ${i}`);
    });
  });
});

const optimizers: Readonly<Record<string, () => optim.Optimizer>> = {
  sgd: () => optim.sgd({ learningRate: 0.02 }),
  momentum: () => optim.sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 0.1 }),
  nesterov: () => optim.sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true }),
  adagrad: () => optim.adagrad({ learningRate: 0.3, weightDecay: 0.05 }),
  rmsProp: () => optim.rmsProp({ learningRate: 0.02, decay: 0.95, momentum: 0.5, centered: true }),
  adadelta: () => optim.adadelta({ learningRate: 2, decay: 0.85, weightDecay: 0.05 }),
  adam: () => optim.adam({ learningRate: 0.05, weightDecay: 0.05 }),
  amsgrad: () => optim.amsgrad({ learningRate: 0.05, beta1: 0.8, beta2: 0.9 }),
  adaMax: () => optim.adaMax({ learningRate: 0.05, weightDecay: 0.05 }),
  adamW: () => optim.adamW({ learningRate: 0.05, weightDecay: 0.1 }),
  lbfgs: () => optim.lbfgs({ learningRate: 0.5, history: 4 }),
};

describe('optimizers as in PyTorch over 20 steps', () => {
  const curvature = tensor(Float64Array.from([1, 4, 0.5, 10, 2]));
  it.each(fixtures.optimizers.map((fixture) => [fixture.name, fixture] as const))('%s', (name, fixture) => {
    const p = variable(Float64Array.from([1, -2, 0.5, 3, -0.7]));
    const q = variable(Float64Array.from([0.3, -0.4]), { shape: [1, 2] });
    const optimizer = optimizers[name]();
    fixture.losses.forEach((expected, i) => {
      const neighbours = p
        .slice([0], [4])
        .mul(p.slice([1]))
        .square()
        .sum()
        .mul(0.25);
      const loss = curvature
        .mul(p.square())
        .sum()
        .mul(0.5)
        .add(neighbours)
        .add(
          q
            .square()
            .sum()
            .mul(p.slice([0], [1]).square().squeeze().add(1)),
        );
      optimizer.minimize(loss, { p, q });
      close(loss.itemSync(), expected, expected, `loss of step ${i}`);
    });
    [...p.dataSync(), ...q.dataSync()].forEach((value, i) => {
      expect(Math.abs(value - fixture.values[i]), `coordinate ${i}`).toBeLessThan(1e-12);
    });
  });
});
