/** Elementwise ops of one operand. Floating maths is done in float64 and rounded when it is stored. */
import { bytesOf, isFloating, newArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { decodeArray, encodeArray, roundHalfToEven } from '../core/half.ts';
import { erf } from '../core/special.ts';
import type { Unary } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';
import { type Accepted, checkAlike, checkDType, checkOperands } from './check.ts';
import { family, fromTable, type Member } from './registry.ts';

interface Facts {
  readonly doc: string;
  /** Default: floating. */
  readonly accepts?: Accepted;
  /** The result is true (1) or false (0). */
  readonly predicate?: true;
  readonly of: (x: number) => number;
  /** dLoss/dx from the result y, dLoss/dy and x; absent: no gradient flows. */
  readonly gradient?: (y: Node, dOut: Node, x: Node) => Node;
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
  };
}

const { add, sub, mul, div, neg } = build;

const table: { readonly [K in Unary]: Facts } = {
  neg: { doc: '−x', accepts: 'number', of: (x) => -x, gradient: (_, dOut) => neg(dOut) },
  abs: { doc: '|x|; its gradient at 0 is 0', accepts: 'number', of: Math.abs, gradient: (_, d, x) => mul(d, build.sign(x)) },
  sign: { doc: '−1, 0 or 1', accepts: 'number', of: Math.sign },
  exp: { doc: 'eˣ', of: Math.exp, gradient: (y, dOut) => mul(dOut, y) },
  log: { doc: 'natural logarithm', of: Math.log, gradient: (_, dOut, x) => div(dOut, x) },
  log1p: { doc: 'log(1 + x), accurate near 0', of: Math.log1p, gradient: (_, dOut, x) => div(dOut, add(x, 1)) },
  expm1: { doc: 'eˣ − 1, accurate near 0', of: Math.expm1, gradient: (y, dOut) => mul(dOut, add(y, 1)) },
  sqrt: { doc: '√x', of: Math.sqrt, gradient: (y, dOut) => div(mul(dOut, 0.5), y) },
  rsqrt: { doc: '1/√x', of: (x) => 1 / Math.sqrt(x), gradient: (y, d) => mul(mul(d, -0.5), mul(y, mul(y, y))) },
  reciprocal: { doc: '1/x', of: (x) => 1 / x, gradient: (y, dOut) => neg(mul(dOut, mul(y, y))) },
  sin: { doc: 'sine of radians', of: Math.sin, gradient: (_, dOut, x) => mul(dOut, build.cos(x)) },
  cos: { doc: 'cosine of radians', of: Math.cos, gradient: (_, dOut, x) => neg(mul(dOut, build.sin(x))) },
  tan: { doc: 'tangent of radians', of: Math.tan, gradient: (y, dOut) => mul(dOut, add(mul(y, y), 1)) },
  tanh: { doc: 'hyperbolic tangent', of: Math.tanh, gradient: (y, dOut) => mul(dOut, sub(1, mul(y, y))) },
  sigmoid: { doc: '1 / (1 + e⁻ˣ)', of: (x) => 1 / (1 + Math.exp(-x)), gradient: (y, d) => mul(d, mul(y, sub(1, y))) },
  erf: { doc: 'error function, 2/√π ∫₀ˣ exp(−t²) dt', of: erf, gradient: (_, dOut, x) => mul(dOut, erfSlope(x)) },
  floor: { doc: 'the nearest whole number below', of: Math.floor },
  ceil: { doc: 'the nearest whole number above', of: Math.ceil },
  round: { doc: 'the nearest whole number, halves to the even one', of: roundHalfToEven },
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
  },
});
