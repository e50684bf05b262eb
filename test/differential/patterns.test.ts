/** What real nets are made of, at small size, with gradients and assignments, compiled in every way that must agree (see harness.ts). */
import { describe, expect, test } from 'vitest';
import { gradientsOf } from '../../src/autodiff/reverse.ts';
import { isFloating, type TypedArray } from '../../src/core/dtype.ts';
import { encodeArray } from '../../src/core/half.ts';
import { type Shape, sizeOf } from '../../src/core/shape.ts';
import { type Node, newNode, type TensorType } from '../../src/graph/node.ts';
import * as b from '../../src/ops/build.ts';
import { type ConvOptions, convGeometry } from '../../src/ops/conv-geometry.ts';
import '../../src/ops/index.ts';
import { compiledDevices } from '../support/compiled-devices.ts';
import { seeded } from '../support/samples.ts';
import { disagreement, type Problem } from './harness.ts';

/** Collects inputs, results and assignments. */
class Step {
  private readonly inputs: Node[] = [];
  private readonly arrays: TypedArray[] = [];
  private readonly outputs: Node[] = [];
  private readonly aliases: (number | undefined)[] = [];
  private readonly random = seeded(9);

  input(
    shape: Shape,
    { dtype = 'float32', low = -1, high = 1, variable = false }: Partial<TensorType> & { low?: number; high?: number; variable?: boolean } = {},
  ): Node {
    const node = newNode('leaf', [], { source: { kind: variable ? 'variable' : 'input' } }, { shape, dtype });
    const value = isFloating(dtype) ? () => low + (high - low) * this.random() : () => low + Math.floor((high - low + 1) * this.random());
    this.inputs.push(node);
    this.arrays.push(encodeArray(dtype, Array.from({ length: sizeOf(shape) }, value)));
    return node;
  }

  parameter(shape: Shape, scale = 0.4): Node {
    return this.input(shape, { low: -scale, high: scale, variable: true });
  }

  result(...nodes: Node[]): void {
    for (const node of nodes) {
      this.outputs.push(node);
      this.aliases.push(undefined);
    }
  }

  assign(variable: Node, value: Node): void {
    this.outputs.push(value);
    this.aliases.push(this.inputs.indexOf(variable));
  }

  /** v ← 0.9 v + ∂loss/∂w, w ← w − 0.1 v */
  momentum(loss: Node, parameters: readonly Node[]): void {
    const gradients = gradientsOf([loss], [b.constant(1)], parameters);
    for (const [i, w] of parameters.entries()) {
      const gradient = gradients[i];
      if (!gradient) throw new Error(`no gradient flows to parameter ${i}`);
      const velocity = this.parameter(w.shape, 0.1);
      const next = b.add(b.mul(velocity, 0.9), gradient);
      this.assign(velocity, next);
      this.assign(w, b.sub(w, b.mul(next, 0.1)));
    }
  }

  get problem(): Problem {
    return { outputs: this.outputs, inputs: this.inputs, arrays: this.arrays, aliases: this.aliases };
  }
}

const convolve = (x: Node, w: Node, options: ConvOptions): Node => b.conv(x, w, { ...convGeometry('conv', x.shape, w.shape, options), role: 'output' });
const relu = (x: Node): Node => b.maximum(x, 0);
const maxPool = (x: Node, size: number): Node =>
  b.windowed('windowMax', [x], {
    axes: [1, 2],
    size: [size, size],
    stride: [size, size],
    padding: [
      [0, 0],
      [0, 0],
    ],
    inputShape: x.shape,
  });
const averageOver = (x: Node, axes: readonly number[]): Node =>
  b.reshape(
    b.mean(x, axes),
    x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );

function normalize(x: Node, axes: readonly number[]): { normal: Node; mean: Node; variance: Node } {
  const mean = averageOver(x, axes);
  const centred = b.sub(x, mean);
  const variance = averageOver(b.mul(centred, centred), axes);
  return { normal: b.mul(centred, b.rsqrt(b.add(variance, 1e-3))), mean, variance };
}

function softmax(x: Node): Node {
  const axis = [x.shape.length - 1];
  const e = b.exp(b.sub(x, b.foldKeep('max', x, axis)));
  return b.div(e, b.foldKeep('sum', e, axis));
}

/** −mean log softmax(logits)[label] */
function crossEntropy(logits: Node, labels: Node): Node {
  const [rows, classes] = logits.shape;
  const top = b.foldKeep('max', logits, [1]);
  const logNormal = b.add(b.log(b.foldKeep('sum', b.exp(b.sub(logits, top)), [1])), top);
  const oneHot = b.equal(b.iota([rows, classes], 1), b.reshape(labels, [rows, 1]));
  return b.mean(b.sum(b.mul(b.cast(oneHot, 'float32'), b.sub(logNormal, logits)), [1]));
}

/** One training step of a small convolutional net; statistics and parameters are assigned. */
function convolutionalNet(step: Step, batch: number): void {
  const x = step.input([batch, 12, 12, 3]);
  const labels = step.input([batch], { dtype: 'int32', low: 0, high: 4 });
  const parameters: Node[] = [];
  const parameter = (shape: Shape, scale?: number): Node => {
    const w = step.parameter(shape, scale);
    parameters.push(w);
    return w;
  };
  const block = (input: Node, channels: number): Node => {
    const y = b.add(convolve(input, parameter([3, 3, input.shape[3], channels]), { padding: 1 }), parameter([channels]));
    const { normal, mean, variance } = normalize(y, [0, 1, 2]);
    for (const [statistic, value] of [
      [step.parameter([channels]), mean],
      [step.parameter([channels]), variance],
    ]) {
      step.assign(statistic, b.add(b.mul(statistic, 0.9), b.mul(b.reshape(value, [channels]), 0.1)));
    }
    return maxPool(relu(b.add(b.mul(normal, parameter([channels], 1)), parameter([channels]))), 2);
  };
  const features = block(block(x, 8), 16);
  const flat = b.reshape(features, [batch, sizeOf(features.shape.slice(1))]);
  const logits = b.add(b.matmul(flat, parameter([flat.shape[1], 5], 0.2)), parameter([5]));
  const loss = crossEntropy(logits, labels);
  step.result(loss, b.sum(b.cast(b.equal(b.make('argMax', [logits], { axis: 1 }), labels), 'int32')));
  step.momentum(loss, parameters);
}

function recurrentNet(step: Step): void {
  const [batch, steps, features, hidden] = [6, 7, 5, 8];
  const xs = step.input([steps, batch, features]);
  const w = step.parameter([features, 4 * hidden]);
  const u = step.parameter([hidden, 4 * hidden]);
  const bias = step.parameter([4 * hidden]);
  const state = step.input([batch, hidden], { variable: true });
  const like = (node: Node, shape: Shape = node.shape): Node => b.bodyParameter({ shape, dtype: 'float32' });
  const [pw, pu, pb, h, c, x] = [like(w), like(u), like(bias), like(state), like(state), like(xs, [batch, features])];
  const gates = b.add(b.add(b.matmul(x, pw), b.matmul(h, pu)), pb);
  const gate = (i: number): Node => b.slice(gates, [0, i * hidden], [batch, hidden]);
  const cell = b.add(b.mul(b.sigmoid(gate(0)), c), b.mul(b.sigmoid(gate(1)), b.tanh(gate(2))));
  const next = b.mul(b.sigmoid(gate(3)), b.tanh(cell));
  const body = { parameters: [pw, pu, pb, h, c, x], results: [next, cell, next], constants: 3, carries: 2 };
  const loop = b.scan([w, u, bias, state, b.zerosLike(state), xs], { body, length: steps, reverse: false });
  const [last, , all] = [0, 1, 2].map((i) => b.part(loop, i));
  const out = step.parameter([hidden, 3]);
  const loss = b.add(b.mean(b.mul(b.matmul(last, out), b.matmul(last, out))), b.mean(all));
  step.result(loss, all);
  step.assign(state, last);
  step.momentum(loss, [w, u, bias, out]);
}

function attentionBlock(step: Step): void {
  const [batch, length, width, heads] = [3, 9, 16, 4];
  const x = step.input([batch, length, width]);
  const parameters = [[width], [width], [width, 3 * width], [width, width], [width], [width], [width, 32], [32, width]].map((shape) => step.parameter(shape));
  const [scale1, shift1, qkv, project, scale2, shift2, up, down] = parameters;
  const layerNorm = (y: Node, g: Node, h: Node): Node => b.add(b.mul(normalize(y, [2]).normal, g), h);
  const times = (y: Node, w: Node): Node => b.contract(y, w, { a: 'ntc', b: 'cd', out: 'ntd' });
  const mixed = b.reshape(times(layerNorm(x, scale1, shift1), qkv), [batch, length, 3, heads, width / heads]);
  const [q, k, v] = [0, 1, 2].map((i) =>
    b.reshape(b.slice(mixed, [0, 0, i, 0, 0], [batch, length, 1, heads, width / heads]), [batch, length, heads, width / heads]),
  );
  const scores = b.mul(b.contract(q, k, { a: 'nqhd', b: 'nkhd', out: 'nhqk' }), (width / heads) ** -0.5);
  const causal = b.lessEqual(b.iota([length, length], 1), b.iota([length, length], 0));
  const weights = softmax(b.select(causal, scores, -1e9));
  const mixedValues = b.contract(weights, v, { a: 'nhqk', b: 'nkhd', out: 'nqhd' });
  const attended = b.add(x, times(b.reshape(mixedValues, [batch, length, width]), project));
  const inner = times(layerNorm(attended, scale2, shift2), up);
  const gelu = b.mul(b.mul(inner, 0.5), b.add(b.unary('erf', b.mul(inner, Math.SQRT1_2)), 1));
  const y = b.add(attended, times(gelu, down));
  const loss = b.mean(b.mul(y, y));
  step.result(loss, weights);
  step.momentum(loss, parameters);
}

/** An embedding whose gradient is scattered, with dropout from a counter that is assigned. */
function embeddingNet(step: Step): void {
  const words = step.input([8, 6], { dtype: 'int32', low: 0, high: 19 });
  const key = step.input([2], { dtype: 'int32', low: -99, high: 99, variable: true });
  const table = step.parameter([20, 12]);
  const w = step.parameter([12, 4]);
  const labels = step.input([8], { dtype: 'int32', low: 0, high: 3 });
  const found = b.take(table, words, 0);
  const uniform = b.make('bitsToUniform', [b.make('randomBits', [key], { shape: found.shape })], { dtype: 'float32' });
  const dropped = b.select(b.less(uniform, 0.7), b.div(found, 0.7), 0);
  const loss = crossEntropy(b.matmul(b.mean(dropped, [1]), w), labels);
  step.result(loss);
  step.assign(key, b.add(key, b.iota([2], 0)));
  step.momentum(loss, [table, w]);
}

/** Assignments that read each other: swaps, rotations, views of what is overwritten. */
function assignments(step: Step): void {
  const [p, q, r] = [0, 1, 2].map(() => step.parameter([16, 16], 1));
  const s = step.parameter([16, 16], 1);
  const counter = step.input([], { dtype: 'int32', low: 3, high: 3, variable: true });
  const history = step.parameter([10, 4], 1);
  const latest = step.input([4]);
  step.assign(p, q);
  step.assign(q, r);
  step.assign(r, p);
  step.assign(s, b.permute(s, [1, 0]));
  step.assign(counter, b.add(counter, 1));
  step.assign(history, b.concat([b.slice(history, [1, 0], [9, 4]), b.reshape(latest, [1, 4])], 0));
  step.result(p, b.sum(s, [0]), b.mul(b.cast(counter, 'float32'), b.matmul(p, s)), b.reshape(history, [40]));
}

/** A carried state seen through pieces, windows over shifted values, a gradient that ends in a border. */
function movements(step: Step): void {
  const x = step.input([8, 10, 6]);
  const shifted = b.slice(
    b.pad(x, [
      [0, 0],
      [1, 0],
      [0, 0],
    ]),
    [0, 0, 0],
    [8, 10, 6],
  );
  const turned = b.permute(b.flip(b.add(x, b.mul(shifted, 0.5)), [1]), [2, 0, 1]);
  const joined = b.concat([turned, b.reshape(x, [6, 8, 10]), turned], 2);
  const inner = b.slice(joined, [1, 0, 3], [2, 4, 9], [2, 2, 3]);
  const loss = b.mean(b.mul(inner, inner));
  step.result(loss, joined, b.cumsum(inner, 2, { reverse: true }), ...gradientsOf([loss], [b.constant(1)], [x]).flatMap((g) => g ?? []));
}

/** Products large enough that operands are packed, done in blocks of depth and rows and shared by panels or by rows; ragged in all three sizes. */
function largeProducts(step: Step): void {
  const shifted = (x: Node): Node => relu(b.add(x, step.parameter([x.shape[1]])));
  for (const [rows, depth, columns] of [
    [83, 300, 567],
    [13, 1100, 529],
    [271, 261, 530],
    [40, 1550, 515],
  ]) {
    const x = step.input([rows, depth]);
    const product = b.matmul(x, step.parameter([depth, columns]));
    const turned = b.contract(x, step.parameter([columns, depth]), { a: 'mk', b: 'nk', out: 'mn' });
    step.result(shifted(product), b.mul(turned, shifted(turned)));
  }
}

describe.each(compiledDevices)('patterns of real nets on the $name device', ({ unavailable, open }) => {
  const threads = unavailable === undefined ? open() : undefined;
  test.skipIf(unavailable).each([
    ['convolutional net, a training step', (step: Step) => convolutionalNet(step, 8)],
    ['convolutional net, a batch of one', (step: Step) => convolutionalNet(step, 1)],
    ['LSTM with its state carried over', recurrentNet],
    ['attention block', attentionBlock],
    ['embedding and dropout', embeddingNet],
    ['assignments that read each other', assignments],
    ['movements and their gradient', movements],
    ['large products', largeProducts],
  ])('%s', (_, build) => {
    const step = new Step();
    build(step);
    if (!threads) throw new Error('no device');
    expect(disagreement(step.problem, threads.device, { fusionOff: true, planningOff: true, others: threads.others })).toBeUndefined();
  });
});
