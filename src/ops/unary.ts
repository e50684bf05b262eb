/** Elementwise ops of one operand. Floating maths is done in float64 and rounded when it is stored. */
import { bytesOf, dtypes, isFloating, newArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { decodeArray, encodeArray, roundHalfToEven } from '../core/half.ts';
import { erf } from '../core/special.ts';
import type { Unary } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';
import { type Accepted, checkAlike, checkDType, checkOperands } from './check.ts';
import type { Sample } from './op.ts';
import { family, fromTable, type Member } from './registry.ts';
import { inputs, oddShapes, sample, valuesOnly } from './samples.ts';

interface Facts {
  readonly doc: string;
  /** Default: floating. */
  readonly accepts?: Accepted;
  /** The result is true (1) or false (0). */
  readonly predicate?: true;
  readonly of: (x: number) => number;
  /** Where samples are drawn: the domain, clear of kinks; and a larger range, for values only. Default: −1 … 1. */
  readonly range?: readonly [number, number];
  readonly wide?: readonly [number, number];
  /** dLoss/dx from the result y, dLoss/dy and x; absent: no gradient flows. */
  readonly gradient?: (y: Node, dOut: Node, x: Node) => Node;
}

const none = {};
const edges = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

function samplesOf(accepts: Accepted, { range: [low, high] = [-1, 1], wide = [low * 3, high * 3] }: Facts): Sample<Unary>[] {
  const usual = accepts === 'bool' ? { dtype: 'bool' as const } : { low, high };
  const samples: Sample<Unary>[] = oddShapes.map((shape) => sample(`[${shape}]`, [{ shape, ...usual }], none));
  if (accepts === 'bool') return samples;
  samples.push(valuesOnly('wide', inputs('101', { low: wide[0], high: wide[1] }), none));
  samples.push(valuesOnly('float64', inputs('17', { dtype: 'float64', low, high }), none));
  samples.push(valuesOnly('edges', inputs(`${edges.length}`, { values: edges }), none));
  if (accepts !== 'number') return samples;
  samples.push(valuesOnly('int32', inputs('9', { dtype: 'int32', low: -20, high: 20 }), none));
  return [...samples, valuesOnly('uint8', inputs('9', { dtype: 'uint8', low: 0, high: 255 }), none)];
}

/** `map` of typed arrays, because it is the fastest before the engine has optimised anything: most graphs that are interpreted run once. */
function unary(name: Unary, facts: Facts): Member<Unary> {
  const { doc, accepts = 'floating', predicate, of, gradient } = facts;
  return {
    doc,
    infer: (given) => {
      const { shape, dtype } = checkAlike(name, given, 1, accepts);
      return { shape, dtype: predicate ? 'bool' : dtype };
    },
    gradient: gradient ? (node, dOut) => [gradient(node, dOut, node.inputs[0])] : null,
    evaluate: ({ inputs: [x] }) => (predicate ? new Uint8Array(x.length).map((_, i) => of(x[i])) : x.map(of)),
    samples: () => samplesOf(accepts, facts),
  };
}

const { add, sub, mul, div, neg } = build;

const table: { readonly [K in Unary]: Facts } = {
  neg: { doc: '−x', accepts: 'number', of: (x) => -x, range: [-2, 2], gradient: (_, dOut) => neg(dOut) },
  abs: { doc: '|x|; its gradient at 0 is 0', accepts: 'number', of: Math.abs, range: [0.2, 2], wide: [-3, 3], gradient: (_, d, x) => mul(d, build.sign(x)) },
  sign: { doc: '−1, 0 or 1', accepts: 'number', of: Math.sign, range: [0.2, 2], wide: [-3, 3] },
  exp: { doc: 'eˣ', of: Math.exp, range: [-2, 2], wide: [-80, 80], gradient: (y, dOut) => mul(dOut, y) },
  log: { doc: 'natural logarithm', of: Math.log, range: [0.3, 3], wide: [1e-6, 1e6], gradient: (_, dOut, x) => div(dOut, x) },
  log1p: { doc: 'log(1 + x), accurate near 0', of: Math.log1p, range: [-0.7, 2], wide: [-0.99, 1e4], gradient: (_, dOut, x) => div(dOut, add(x, 1)) },
  expm1: { doc: 'eˣ − 1, accurate near 0', of: Math.expm1, range: [-2, 2], wide: [-30, 30], gradient: (y, dOut) => mul(dOut, add(y, 1)) },
  sqrt: { doc: '√x', of: Math.sqrt, range: [0.3, 3], wide: [0, 1e6], gradient: (y, dOut) => div(mul(dOut, 0.5), y) },
  rsqrt: { doc: '1/√x', of: (x) => 1 / Math.sqrt(x), range: [0.3, 3], wide: [1e-4, 1e6], gradient: (y, d) => mul(mul(d, -0.5), mul(y, mul(y, y))) },
  reciprocal: { doc: '1/x', of: (x) => 1 / x, range: [0.4, 3], wide: [-1e3, -1e-3], gradient: (y, dOut) => neg(mul(dOut, mul(y, y))) },
  sin: { doc: 'sine of radians', of: Math.sin, range: [-4, 4], wide: [-100, 100], gradient: (_, dOut, x) => mul(dOut, build.cos(x)) },
  cos: { doc: 'cosine of radians', of: Math.cos, range: [-4, 4], wide: [-100, 100], gradient: (_, dOut, x) => neg(mul(dOut, build.sin(x))) },
  tan: { doc: 'tangent of radians', of: Math.tan, range: [-1, 1], wide: [-1.5, 1.5], gradient: (y, dOut) => mul(dOut, add(mul(y, y), 1)) },
  tanh: { doc: 'hyperbolic tangent', of: Math.tanh, range: [-2, 2], wide: [-20, 20], gradient: (y, dOut) => mul(dOut, sub(1, mul(y, y))) },
  sigmoid: { doc: '1 / (1 + e⁻ˣ)', of: (x) => 1 / (1 + Math.exp(-x)), range: [-3, 3], wide: [-60, 60], gradient: (y, d) => mul(d, mul(y, sub(1, y))) },
  erf: { doc: 'error function, 2/√π ∫₀ˣ exp(−t²) dt', of: erf, range: [-2, 2], wide: [-7, 7], gradient: (_, dOut, x) => mul(dOut, erfSlope(x)) },
  floor: { doc: 'the nearest whole number below', of: Math.floor, range: [0.1, 0.9], wide: [-9, 9] },
  ceil: { doc: 'the nearest whole number above', of: Math.ceil, range: [0.1, 0.9], wide: [-9, 9] },
  round: { doc: 'the nearest whole number, halves to the even one', of: roundHalfToEven, range: [0.6, 1.4], wide: [-9, 9] },
  isNaN: { doc: 'whether x is not a number', predicate: true, of: (x) => Number(Number.isNaN(x)) },
  logicalNot: { doc: 'not x', accepts: 'bool', predicate: true, of: (x) => Number(x === 0) },
};

const erfSlope = (x: Node): Node => mul(build.exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI));

export const unaryOps = family('elementwise', {
  ...fromTable(table, unary),
  cast: {
    doc: 'The same values in another dtype: floats become whole numbers by truncation (out of range: unspecified), anything but 0 becomes true.',
    infer: (given, { dtype }) => ({ shape: checkOperands('cast', given, 1)[0].shape, dtype }),
    gradient: ({ inputs: [{ dtype }] }, dOut) => [isFloating(dtype) ? build.cast(dOut, dtype) : null],
    evaluate: ({ node, inputs: [x] }) => encodeArray(node.dtype, decodeArray(node.inputs[0].dtype, x)),
    samples: castSamples,
  },
  bitsToUniform: {
    doc: 'int32 of random bits to a uniform number in [0, 1): the upper 24 bits for float32, all 32 for float64.',
    infer: (given, { dtype }) => {
      const [bits] = checkOperands('bitsToUniform', given, 1);
      if (bits.dtype !== 'int32') fail('dtype', 'bitsToUniform', `expected int32 bits, got ${bits.dtype}`, 'Use the result of randomBits.');
      checkDType('bitsToUniform', dtype, 'floating');
      return { shape: bits.shape, dtype };
    },
    gradient: null,
    evaluate: ({ node, inputs: [bits] }) => {
      const out = newArray(node.dtype, bits.length);
      return bytesOf(node.dtype) === 4 ? out.map((_, i) => (bits[i] >>> 8) * 2 ** -24) : out.map((_, i) => (bits[i] >>> 0) * 2 ** -32);
    },
    samples: () => {
      const bits = inputs('6', { dtype: 'int32', values: [0, 1, -1, 0x7fffffff, -0x80000000, 123456789] });
      return [sample('float32', bits, { dtype: 'float32' }), sample('float64', bits, { dtype: 'float64' })];
    },
  },
});

function castSamples(): Sample<'cast'>[] {
  const samples: Sample<'cast'>[] = [sample('to float64', inputs('2,1,7', { low: -4, high: 4 }), { dtype: 'float64' })];
  for (const from of dtypes) {
    // Values that every dtype can hold: no rounding across whole numbers, nothing negative.
    const given = inputs('9', { dtype: from, low: 0, high: isFloating(from) ? 200 : 250 });
    for (const dtype of dtypes) if (from !== dtype) samples.push(valuesOnly(`${from} to ${dtype}`, given, { dtype }));
  }
  samples.push(valuesOnly('truncation', inputs('8', { values: [-2.7, -0.5, 0, 0.5, 0.999, 1.5, 2.5, 99.9] }), { dtype: 'int32' }));
  samples.push(valuesOnly('truth', inputs('5', { values: [0, -0, 0.25, Number.NaN, -3] }), { dtype: 'bool' }));
  const ties = inputs('8', { values: [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 3 * 2 ** -25, 1 + 2 ** -8, 1 + 3 * 2 ** -8] });
  return [...samples, valuesOnly('ties to float16', ties, { dtype: 'float16' }), valuesOnly('ties to bfloat16', ties, { dtype: 'bfloat16' })];
}
