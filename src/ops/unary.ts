/** Elementwise ops of one operand. Floating maths is done in float64 and rounded when it is stored. */
import { bytesOf, isFloating, newArray, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { decodeArray, encodeArray, roundHalfToEven } from '../core/half.ts';
import type { OpName } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';
import { type Accepted, checkAlike, checkCount, checkDType } from './check.ts';
import type { Op, Sample, SampleInput } from './op.ts';
import { define } from './registry.ts';
import { erf } from './special.ts';

type Unary =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'exp'
  | 'log'
  | 'log1p'
  | 'expm1'
  | 'sqrt'
  | 'rsqrt'
  | 'reciprocal'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'isNaN'
  | 'logicalNot';

/** Writes the results for all of `x` into `out`. A loop per op and no call per element: these run hot, often before the engine has optimised anything. */
type Loop = (x: TypedArray, out: TypedArray) => void;

interface Facts {
  readonly doc: string;
  /** Default: floating. */
  readonly accepts?: Accepted;
  readonly loop: Loop;
  /** dLoss/dx from the node and dLoss/dOut; absent: no gradient flows. */
  readonly gradient?: (node: Node, dOut: Node, x: Node) => Node;
  /** Where samples are drawn: the domain, clear of kinks. */
  readonly low: number;
  readonly high: number;
  /** A larger range, for values only. */
  readonly wide?: readonly [number, number];
}

const shapes: readonly (readonly number[])[] = [[7], [], [1], [0], [3, 0, 2], [2, 3, 1, 5], [13, 11]];
const edges = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

function samplesOf(accepts: Accepted, { low, high, wide }: Facts): { name: string; inputs: SampleInput[]; attributes: object; differentiable?: boolean }[] {
  if (accepts === 'bool') return shapes.map((shape) => ({ name: `[${shape}]`, inputs: [{ shape, dtype: 'bool' }], attributes: {} }));
  const samples = shapes.map((shape) => ({ name: `[${shape}]`, inputs: [{ shape, low, high }] as SampleInput[], attributes: {} }));
  const valuesOnly = (name: string, input: SampleInput) => ({ name, inputs: [input], attributes: {}, differentiable: false });
  const range = wide ?? [low * 3, high * 3];
  return [
    ...samples,
    valuesOnly('wide', { shape: [101], low: range[0], high: range[1] }),
    valuesOnly('float64', { shape: [17], dtype: 'float64', low, high }),
    valuesOnly('edges', { shape: [edges.length], values: edges }),
    ...(accepts === 'number'
      ? [valuesOnly('int32', { shape: [9], dtype: 'int32', low: -20, high: 20 }), valuesOnly('uint8', { shape: [9], dtype: 'uint8', low: 0, high: 255 })]
      : []),
  ];
}

function unary<K extends Unary>(name: K, facts: Facts): Op<K> {
  const accepts = facts.accepts ?? 'floating';
  const { gradient, loop } = facts;
  const predicate = name === 'isNaN' || name === 'logicalNot';
  return define<K>({
    name,
    kind: 'elementwise',
    doc: facts.doc,
    infer: (inputs) => {
      const { shape, dtype } = checkAlike(name, inputs, 1, accepts);
      return { shape, dtype: predicate ? 'bool' : dtype };
    },
    gradient: gradient ? (node, dOut) => [gradient(node, dOut, node.inputs[0])] : null,
    evaluate: ({ node, inputs: [x] }) => {
      const out = newArray(node.dtype, x.length);
      loop(x, out);
      return out;
    },
    samples: () => samplesOf(accepts, facts) as unknown as Sample<K>[],
  });
}

const { add, sub, mul, div } = build;

export const unaryOps = {
  neg: unary('neg', {
    doc: '−x',
    accepts: 'number',
    low: -2,
    high: 2,
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = -x[i];
    },
    gradient: (_, dOut) => build.neg(dOut),
  }),
  abs: unary('abs', {
    doc: '|x|; its gradient at 0 is 0',
    accepts: 'number',
    low: 0.2,
    high: 2,
    wide: [-3, 3],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.abs(x[i]);
    },
    gradient: (_, dOut, x) => mul(dOut, build.sign(x)),
  }),
  sign: unary('sign', {
    doc: '−1, 0 or 1',
    accepts: 'number',
    low: 0.2,
    high: 2,
    wide: [-3, 3],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.sign(x[i]);
    },
  }),
  exp: unary('exp', {
    doc: 'eˣ',
    low: -2,
    high: 2,
    wide: [-80, 80],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.exp(x[i]);
    },
    gradient: (node, dOut) => mul(dOut, node),
  }),
  log: unary('log', {
    doc: 'natural logarithm',
    low: 0.3,
    high: 3,
    wide: [1e-6, 1e6],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.log(x[i]);
    },
    gradient: (_, dOut, x) => div(dOut, x),
  }),
  log1p: unary('log1p', {
    doc: 'log(1 + x), accurate near 0',
    low: -0.7,
    high: 2,
    wide: [-0.99, 1e4],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.log1p(x[i]);
    },
    gradient: (_, dOut, x) => div(dOut, add(x, 1)),
  }),
  expm1: unary('expm1', {
    doc: 'eˣ − 1, accurate near 0',
    low: -2,
    high: 2,
    wide: [-30, 30],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.expm1(x[i]);
    },
    gradient: (node, dOut) => mul(dOut, add(node, 1)),
  }),
  sqrt: unary('sqrt', {
    doc: '√x',
    low: 0.3,
    high: 3,
    wide: [0, 1e6],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(x[i]);
    },
    gradient: (node, dOut) => div(mul(dOut, 0.5), node),
  }),
  rsqrt: unary('rsqrt', {
    doc: '1/√x',
    low: 0.3,
    high: 3,
    wide: [1e-4, 1e6],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = 1 / Math.sqrt(x[i]);
    },
    gradient: (node, dOut) => mul(mul(dOut, -0.5), mul(node, mul(node, node))),
  }),
  reciprocal: unary('reciprocal', {
    doc: '1/x',
    low: 0.4,
    high: 3,
    wide: [-1e3, -1e-3],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = 1 / x[i];
    },
    gradient: (node, dOut) => build.neg(mul(dOut, mul(node, node))),
  }),
  sin: unary('sin', {
    doc: 'sine of radians',
    low: -4,
    high: 4,
    wide: [-100, 100],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.sin(x[i]);
    },
    gradient: (_, dOut, x) => mul(dOut, build.cos(x)),
  }),
  cos: unary('cos', {
    doc: 'cosine of radians',
    low: -4,
    high: 4,
    wide: [-100, 100],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.cos(x[i]);
    },
    gradient: (_, dOut, x) => build.neg(mul(dOut, build.sin(x))),
  }),
  tan: unary('tan', {
    doc: 'tangent of radians',
    low: -1,
    high: 1,
    wide: [-1.5, 1.5],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.tan(x[i]);
    },
    gradient: (node, dOut) => mul(dOut, add(mul(node, node), 1)),
  }),
  tanh: unary('tanh', {
    doc: 'hyperbolic tangent',
    low: -2,
    high: 2,
    wide: [-20, 20],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.tanh(x[i]);
    },
    gradient: (node, dOut) => mul(dOut, sub(1, mul(node, node))),
  }),
  sigmoid: unary('sigmoid', {
    doc: '1 / (1 + e⁻ˣ)',
    low: -3,
    high: 3,
    wide: [-60, 60],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + Math.exp(-x[i]));
    },
    gradient: (node, dOut) => mul(dOut, mul(node, sub(1, node))),
  }),
  erf: unary('erf', {
    doc: 'error function, 2/√π ∫₀ˣ exp(−t²) dt',
    low: -2,
    high: 2,
    wide: [-7, 7],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = erf(x[i]);
    },
    gradient: (_, dOut, x) => mul(dOut, mul(build.exp(build.neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
  }),
  floor: unary('floor', {
    doc: 'the nearest whole number below',
    low: 0.1,
    high: 0.9,
    wide: [-9, 9],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.floor(x[i]);
    },
  }),
  ceil: unary('ceil', {
    doc: 'the nearest whole number above',
    low: 0.1,
    high: 0.9,
    wide: [-9, 9],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.ceil(x[i]);
    },
  }),
  round: unary('round', {
    doc: 'the nearest whole number, halves to the even one',
    low: 0.6,
    high: 1.4,
    wide: [-9, 9],
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = roundHalfToEven(x[i]);
    },
  }),
  isNaN: unary('isNaN', {
    doc: 'whether x is not a number',
    low: -1,
    high: 1,
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Number.isNaN(x[i]) ? 1 : 0;
    },
  }),
  logicalNot: unary('logicalNot', {
    doc: 'not x',
    accepts: 'bool',
    low: 0,
    high: 1,
    loop: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = x[i] === 0 ? 1 : 0;
    },
  }),

  cast: define<'cast'>({
    name: 'cast',
    kind: 'elementwise',
    doc: 'The same values in another dtype: floats become whole numbers by truncation (out of range: unspecified), anything but 0 becomes true.',
    infer: (inputs, { dtype }) => {
      checkCount('cast', inputs, 1);
      return { shape: inputs[0].shape, dtype };
    },
    gradient: (node, dOut) => [isFloating(node.inputs[0].dtype) ? build.cast(dOut, node.inputs[0].dtype) : null],
    evaluate: ({ node, inputs: [x] }) => encodeArray(node.dtype, decodeArray(node.inputs[0].dtype, x)),
    samples: castSamples,
  }),
  bitsToUniform: define<'bitsToUniform'>({
    name: 'bitsToUniform',
    kind: 'elementwise',
    doc: 'int32 of random bits to a uniform number in [0, 1): the upper 24 bits for float32, all 32 for float64.',
    infer: (inputs, { dtype }) => {
      checkCount('bitsToUniform', inputs, 1);
      if (inputs[0].dtype !== 'int32') fail('dtype', 'bitsToUniform', `expected int32 bits, got ${inputs[0].dtype}`, 'Use the result of randomBits.');
      checkDType('bitsToUniform', dtype, 'floating');
      return { shape: inputs[0].shape, dtype };
    },
    gradient: null,
    evaluate: ({ node, inputs: [bits] }) => {
      const out = newArray(node.dtype, bits.length);
      if (bytesOf(node.dtype) === 4) for (let i = 0; i < out.length; i++) out[i] = (bits[i] >>> 8) * 2 ** -24;
      else for (let i = 0; i < out.length; i++) out[i] = (bits[i] >>> 0) * 2 ** -32;
      return out;
    },
    samples: () =>
      (['float32', 'float64'] as const).map((dtype) => ({
        name: dtype,
        inputs: [{ shape: [6], dtype: 'int32', values: [0, 1, -1, 0x7fffffff, -0x80000000, 123456789] }],
        attributes: { dtype },
      })),
  }),
} satisfies Partial<{ [K in OpName]: Op<K> }>;

function castSamples(): Sample<'cast'>[] {
  const all = ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'] as const;
  const samples: Sample<'cast'>[] = [{ name: 'to float64', inputs: [{ shape: [2, 1, 7], low: -4, high: 4 }], attributes: { dtype: 'float64' } }];
  for (const from of all) {
    for (const dtype of all) {
      // Values that every dtype can hold: no rounding across whole numbers, nothing negative.
      const input: SampleInput = isFloating(from) ? { shape: [9], dtype: from, low: 0, high: 200 } : { shape: [9], dtype: from, low: 0, high: 250 };
      if (from !== dtype) samples.push({ name: `${from} to ${dtype}`, inputs: [input], attributes: { dtype }, differentiable: false });
    }
  }
  const truncation = { shape: [8], values: [-2.7, -0.5, 0, 0.5, 0.999, 1.5, 2.5, 99.9] };
  samples.push({ name: 'truncation', inputs: [truncation], attributes: { dtype: 'int32' }, differentiable: false });
  samples.push({ name: 'truth', inputs: [{ shape: [5], values: [0, -0, 0.25, Number.NaN, -3] }], attributes: { dtype: 'bool' }, differentiable: false });
  const ties = { shape: [8], values: [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 3 * 2 ** -25, 1 + 2 ** -8, 1 + 3 * 2 ** -8] };
  for (const dtype of ['float16', 'bfloat16'] as const)
    samples.push({ name: `ties to ${dtype}`, inputs: [ties], attributes: { dtype }, differentiable: false });
  return samples;
}
