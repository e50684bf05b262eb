/**
 * PyTorch's numbers (test/fixtures/make_fixtures.py): activations, losses, gradients and training curves of the same networks with the same weights.
 * Tensors agree within 1e-5 of their largest entry, the losses of 20 training steps within 1e-4.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile, grad, gradients, nn, optim, scan, type Tensor, tensor, type Variable, variable, zeros } from '../src/index.ts';

interface Made {
  readonly shape: readonly number[];
  readonly key: number;
  readonly scale: number;
  readonly offset: number;
}
interface Digest {
  readonly shape: readonly number[];
  readonly largest: number;
  readonly sumOfMagnitudes: number;
  readonly values: string;
}
interface Network {
  readonly parameters: readonly Made[];
  readonly input: Made;
  readonly labels: readonly number[];
  readonly activations: readonly Digest[];
  readonly loss: number;
  readonly gradients: readonly Digest[];
}
interface Convolution {
  readonly name: string;
  readonly input: Made;
  readonly kernel: Made;
  readonly probe: Made;
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly transposed: boolean;
  readonly output: Digest;
  readonly gradients: { readonly input: Digest; readonly kernel: Digest };
}
interface Curve {
  readonly model: 'lenet' | 'lenet5';
  readonly optimizer: 'sgd' | 'adam';
  readonly options: { readonly learningRate: number; readonly momentum?: number };
  readonly parameters: readonly Made[];
  readonly inputs: readonly Made[];
  readonly labels: readonly (readonly number[])[];
  readonly losses: readonly number[];
}
interface Fixtures {
  readonly lenet: Network;
  readonly lenet5: Network;
  readonly lstm: {
    readonly input: Made;
    readonly labels: readonly number[];
    readonly parameters: Readonly<Record<'inputWeight' | 'recurrentWeight' | 'bias' | 'headWeight' | 'headBias', Made>>;
    readonly states: Digest;
    readonly lastCell: Digest;
    readonly loss: number;
    readonly gradients: Readonly<Record<string, Digest>>;
  };
  readonly layerNorm: {
    readonly input: Made;
    readonly scale: Made;
    readonly bias: Made;
    readonly probe: Made;
    readonly epsilon: number;
    readonly output: Digest;
    readonly gradients: Readonly<Record<'input' | 'scale' | 'bias', Digest>>;
  };
  readonly convolutions: readonly Convolution[];
  readonly curves: Readonly<Record<string, Curve>>;
}

const fixtures = JSON.parse(readFileSync(new URL('./fixtures/reference-numbers.json', import.meta.url), 'utf8')) as Fixtures;
const tolerance = 1e-5;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, d) => product * d, 1);

/** Uniform in offset ± scale: the integer hash of make_fixtures.py. */
function pseudo({ shape, key, scale, offset }: Made): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let h = (Math.imul(i, 2654435761) + key * 40503 + 12345) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
    h = (h ^ (h >>> 16)) >>> 0;
    return offset + scale * (h / 2147483648 - 1);
  });
}

const made = (spec: Made): Tensor => tensor(pseudo(spec), { shape: spec.shape });
const madeVariable = (spec: Made): Variable => variable(pseudo(spec), { shape: spec.shape });
const labelsOf = (labels: readonly number[]): Tensor => tensor(Int32Array.from(labels));

/** The largest difference from the stored sample, relative to the tensor's largest entry; also checks shape and the sum of magnitudes. */
async function difference(actual: Tensor, digest: Digest): Promise<number> {
  expect(actual.shape).toEqual(digest.shape);
  const values = await actual.data();
  const bytes = Buffer.from(digest.values, 'base64');
  const count = bytes.length / 4;
  let worst = 0;
  for (let i = 0; i < count; i++)
    worst = Math.max(worst, Math.abs(values[count === values.length ? i : Math.floor((i * values.length) / count)] - bytes.readFloatLE(4 * i)));
  const sum = values.reduce((total: number, v: number) => total + Math.abs(v), 0);
  const sumError = Math.abs(sum - digest.sumOfMagnitudes) / Math.max(digest.sumOfMagnitudes, digest.largest * values.length * tolerance);
  return Math.max(worst / digest.largest, digest.sumOfMagnitudes > digest.largest * 1e-3 ? sumError : 0);
}

async function expectClose(actual: Tensor, digest: Digest, what: string): Promise<void> {
  expect(await difference(actual, digest), what).toBeLessThan(tolerance);
}

const relative = (actual: number, expected: number): number => Math.abs(actual - expected) / Math.abs(expected);

const block = (channels: number): nn.Layer[] => [nn.conv2d(channels, 3, { padding: 1 }), nn.batchNorm(), nn.relu()];
const networks = {
  lenet: () => nn.sequential(...block(16), nn.maxPool2d(2), ...block(32), nn.maxPool2d(2), ...block(64), nn.flatten(), nn.linear(50), nn.relu(), nn.linear(10)),
  lenet5: () =>
    nn.sequential(
      ...[nn.conv2d(6, 5, { padding: 2 }), nn.tanh(), nn.avgPool2d(2), nn.conv2d(16, 5), nn.tanh(), nn.avgPool2d(2)],
      ...[nn.flatten(), nn.linear(120), nn.tanh(), nn.linear(84), nn.tanh(), nn.linear(10)],
    ),
};

/** The network with PyTorch's weights. */
function filled(name: keyof typeof networks, parameters: readonly Made[]): nn.Sequential {
  const model = networks[name]();
  model.apply(zeros([2, 28, 28, 1]));
  const variables = model.parameters();
  expect(variables.map((v) => v.shape)).toEqual(parameters.map((p) => p.shape));
  for (const [i, v] of variables.entries()) v.assign(made(parameters[i]));
  return model;
}

describe.each(['lenet', 'lenet5'] as const)('%s as in PyTorch', (name) => {
  const fixture = fixtures[name];

  it('activations of every layer, loss and all gradients', async () => {
    const model = filled(name, fixture.parameters);
    let value = made(fixture.input);
    for (const [i, layer] of model.layers.entries()) {
      value = layer.apply(value);
      await expectClose(value, fixture.activations[i], `activation ${i} (${layer.kind})`);
    }
    const loss = nn.crossEntropy(model.apply(made(fixture.input)), labelsOf(fixture.labels));
    const slopes = gradients(loss, model.parameters());
    expect(relative(await loss.item(), fixture.loss)).toBeLessThan(tolerance);
    const names = Object.keys(model.namedParameters());
    for (const [i, slope] of slopes.entries()) await expectClose(slope, fixture.gradients[i], `gradient of ${names[i]}`);
  });

  it('the same compiled as one program', async () => {
    const model = filled(name, fixture.parameters);
    const step = compile((x: Tensor, y: Tensor) => {
      const loss = nn.crossEntropy(model.apply(x), y);
      return [loss, ...gradients(loss, model.parameters())];
    });
    const [loss, ...slopes] = step(made(fixture.input), labelsOf(fixture.labels));
    expect(relative(await loss.item(), fixture.loss)).toBeLessThan(tolerance);
    for (const [i, slope] of slopes.entries()) await expectClose(slope, fixture.gradients[i], `gradient ${i}`);
  });
});

describe('LSTM as in PyTorch', () => {
  const fixture = fixtures.lstm;
  const [batch, steps] = fixture.input.shape;
  const hidden = fixture.parameters.recurrentWeight.shape[0];

  it('by scan: states, last cell, loss and all gradients', async () => {
    const x = madeVariable(fixture.input);
    const p = Object.fromEntries(Object.entries(fixture.parameters).map(([name, spec]) => [name, madeVariable(spec)])) as Record<
      keyof typeof fixture.parameters,
      Variable
    >;
    const fromInputs = x.transpose([1, 0, 2]).matmul(p.inputWeight).add(p.bias);
    const step = ([h, c]: readonly Tensor[], gates: Tensor): [Tensor[], Tensor] => {
      const [i, f, g, o] = gates.add(h.matmul(p.recurrentWeight)).split(4, { axis: 1 });
      const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      const state = o.sigmoid().mul(cell.tanh());
      return [[state, cell], state];
    };
    const [last, stacked] = scan(step, [zeros([batch, hidden]), zeros([batch, hidden])], fromInputs);
    const states = stacked.transpose([1, 0, 2]);
    const loss = nn.crossEntropy(
      states
        .matmul(p.headWeight)
        .add(p.headBias)
        .reshape([batch * steps, -1]),
      labelsOf(fixture.labels),
    );
    const wrt = { input: x, ...p };
    const slopes = gradients(loss, Object.values(wrt));
    await expectClose(states, fixture.states, 'states');
    await expectClose(last[1], fixture.lastCell, 'last cell');
    expect(relative(await loss.item(), fixture.loss)).toBeLessThan(tolerance);
    for (const [i, name] of Object.keys(wrt).entries()) await expectClose(slopes[i], fixture.gradients[name], `gradient of ${name}`);
  });

  it('as a layer', async () => {
    const layer = nn.lstm(hidden);
    const x = made(fixture.input);
    layer.apply(x);
    layer.loadStateDict(
      Object.fromEntries(Object.keys(layer.namedParameters()).map((name) => [name, made(fixture.parameters[name as keyof typeof fixture.parameters])])),
    );
    await expectClose(layer.apply(x), fixture.states, 'states');
  });
});

it('LayerNorm as in PyTorch: output and gradients', async () => {
  const { input, scale, bias, probe, epsilon, output, gradients: expected } = fixtures.layerNorm;
  const layer = nn.layerNorm({ epsilon });
  const x = madeVariable(input);
  layer.apply(x);
  layer.loadStateDict({ weight: made(scale), bias: made(bias) });
  const y = layer.apply(x);
  const slopes = gradients(y.mul(made(probe)).sum(), [x, ...layer.parameters()]);
  await expectClose(y, output, 'output');
  for (const [i, name] of (['input', 'scale', 'bias'] as const).entries()) await expectClose(slopes[i], expected[name], `gradient of ${name}`);
});

describe('convolutions as in PyTorch', () => {
  it.each(fixtures.convolutions)('$name: output and gradients', async (fixture) => {
    const { stride, padding, dilation, groups } = fixture;
    const [x, kernel] = [madeVariable(fixture.input), madeVariable(fixture.kernel)];
    const options = { stride, padding, dilation, groups };
    const y = fixture.transposed ? x.convTranspose(kernel, options) : x.conv(kernel, options);
    const [dx, dKernel] = gradients(y.mul(made(fixture.probe)).sum(), [x, kernel]);
    await expectClose(y, fixture.output, 'output');
    await expectClose(dx, fixture.gradients.input, 'gradient of the input');
    await expectClose(dKernel, fixture.gradients.kernel, 'gradient of the kernel');
  });
});

describe('20 training steps as in PyTorch', () => {
  it.each(Object.entries(fixtures.curves))('%s', async (_name, curve) => {
    const model = filled(curve.model, curve.parameters);
    const optimizer = curve.optimizer === 'sgd' ? optim.sgd(curve.options) : optim.adam(curve.options);
    const step = compile((x: Tensor, y: Tensor) => {
      const loss = nn.crossEntropy(model.apply(x), y);
      optimizer.minimize(loss, model);
      return loss;
    });
    const batches = curve.inputs.map((input, i) => [made(input), labelsOf(curve.labels[i])] as const);
    for (const [i, expected] of curve.losses.entries()) {
      const [x, y] = batches[i % batches.length];
      expect(relative(await step(x, y).item(), expected), `loss of step ${i}`).toBeLessThan(1e-4);
    }
  });
});

describe('numbers known by heart', () => {
  it('linear regression: y = 3x + 4 on x = −5 … 4 by gradient descent on the sum of squares', async () => {
    const x = tensor([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4], { dtype: 'float64' });
    const y = x.mul(3).add(4);
    const [w, b] = [variable(1, { dtype: 'float64' }), variable(1, { dtype: 'float64' })];
    const errors: number[] = [];
    for (let i = 0; i < 25; i++) {
      const error = x.mul(w).add(b).sub(y).square().sum();
      const [dw, db] = gradients(error, [w, b]);
      w.assign(w.sub(dw.mul(0.01)));
      b.assign(b.sub(db.mul(0.01)));
      errors.push(await error.item());
    }
    expect(errors[0]).toBeCloseTo(370, 9);
    expect(errors[1]).toBeCloseTo(199.05, 9);
    expect(errors[24].toFixed(4)).toBe('0.0031');
    expect((await w.item()).toFixed(5)).toBe('2.99934');
    expect((await b.item()).toFixed(5)).toBe('3.98549');
  });

  it('the sine by its Taylor series, with a loop that looks at the value', async () => {
    let iterations = 0;
    const sine = (x: Tensor): Tensor => {
      iterations = 0;
      let [term, sum] = [x, x];
      for (let i = 0; Math.abs(term.itemSync()) > 1e-3; i++) {
        iterations++;
        term = term
          .mul(x)
          .mul(x)
          .neg()
          .div((2 * i + 3) * (2 * i + 2));
        sum = sum.add(term);
      }
      return sum;
    };
    const x = tensor(Math.PI, { dtype: 'float64' });
    expect((await sine(x).item()).toExponential(5)).toBe('2.11426e-5');
    expect(iterations).toBe(6);
    expect((await grad(sine)(x).item()).toFixed(10)).toBe('-0.9998995297');
  });
});
