/** Elementwise ops of two or three operands of one shape and dtype. Whole numbers wrap; their division is floored, and by zero gives 0. */
import { isFloating, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { showType } from '../core/shape.ts';
import type { Binary } from '../graph/attributes.ts';
import { isOp, type Node } from '../graph/node.ts';
import * as build from './build.ts';
import { type Accepted, checkAlike, checkOperands } from './check.ts';
import { family, fromTable, type Member } from './registry.ts';

type Loop = (a: TypedArray, b: TypedArray) => TypedArray;
type PairRule = (node: Node, dOut: Node, a: Node, b: Node, needed: readonly boolean[]) => readonly (Node | null)[];

interface Facts {
  readonly doc: string;
  /** Default: any. */
  readonly accepts?: Accepted;
  readonly of: Loop;
  /** For int32 and uint8, where it differs. */
  readonly ofIntegers?: Loop;
  /** Absent: the result is bool. */
  readonly gradient?: PairRule;
}

function pair(name: Binary, facts: Facts): Member<Binary> {
  const { doc, accepts = 'any', of, ofIntegers = of, gradient } = facts;
  return {
    doc,
    infer: (given) => {
      const { shape, dtype } = checkAlike(name, given, 2, accepts);
      return { shape, dtype: gradient ? dtype : 'bool' };
    },
    gradient: gradient ? (node, dOut, needed) => gradient(node, dOut, node.inputs[0], node.inputs[1], needed) : null,
    evaluate: ({ node, inputs: [a, b] }) => (isFloating(node.inputs[0].dtype) ? of : ofIntegers)(a, b),
  };
}

const { mul, sub, neg, select, constantLike } = build;
/** The number in every element of a stretched constant, else undefined. */
function numberIn(node: Node): number | undefined {
  while (node.op === 'broadcast' || node.op === 'reshape') node = node.inputs[0];
  return isOp(node, 'constant') ? node.attributes.value : undefined;
}

/** y·a^(y−1), and out·log a where a > 0. Where y = 0 the first is 0 whatever a is: 0·0⁻¹ would be NaN. */
const powGradient: PairRule = (node, dOut, a, y, needed) => {
  const exponent = numberIn(y);
  let da: Node | null = null;
  if (needed[0] && exponent !== undefined) {
    if (exponent === 0) da = build.zerosLike(a);
    else if (exponent === 1) da = dOut;
    else da = mul(dOut, mul(exponent === 2 ? a : build.pow(a, constantLike(exponent - 1, a)), exponent));
  } else if (needed[0]) {
    da = mul(dOut, select(build.equal(y, 0), constantLike(0, a), mul(y, build.pow(a, sub(y, 1)))));
  }
  if (!needed[1]) return [da, null];
  const inside = build.greater(a, 0);
  return [da, mul(dOut, select(inside, mul(node, build.log(select(inside, a, constantLike(1, a)))), constantLike(0, a)))];
};

const divGradient: PairRule = (node, dOut, _, b, needed) => {
  const quotient = build.div(dOut, b);
  return [quotient, needed[1] ? neg(mul(quotient, node)) : null];
};

/** Each side gets all of the gradient where it wins, half where both are equal. */
const winnerGradient =
  (wins: (a: Node, b: Node) => Node): PairRule =>
  (_, dOut, a, b) => {
    const share = select(build.equal(a, b), constantLike(0.5, dOut), build.cast(wins(a, b), dOut.dtype));
    return [mul(dOut, share), mul(dOut, sub(1, share))];
  };

/** Remainder with the sign of the divisor, as in Python. */
function floorMod(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

/** baseⁿ modulo 2³²; of negative n only ±1 has a whole result, the others give 0. */
function integerPower(base: number, n: number): number {
  if (n < 0) return base === 1 ? 1 : base === -1 ? (n % 2 === 0 ? 1 : -1) : 0;
  let out = 1;
  for (; n > 0; n >>>= 1, base = Math.imul(base, base)) if (n & 1) out = Math.imul(out, base);
  return out;
}

/** The truth of each pair. */
const truth = (a: TypedArray, holds: (i: number) => boolean): TypedArray => new Uint8Array(a.length).map((_, i) => (holds(i) ? 1 : 0));

const table: { readonly [K in Binary]: Facts } = {
  add: { doc: 'a + b', accepts: 'number', of: (a, b) => a.map((x, i) => x + b[i]), gradient: (_, dOut) => [dOut, dOut] },
  sub: { doc: 'a − b', accepts: 'number', of: (a, b) => a.map((x, i) => x - b[i]), gradient: (_, d, _a, _b, needed) => [d, needed[1] ? neg(d) : null] },
  mul: {
    doc: 'a · b',
    accepts: 'number',
    of: (a, b) => a.map((x, i) => x * b[i]),
    ofIntegers: (a, b) => a.map((x, i) => Math.imul(x, b[i])),
    gradient: (_, dOut, a, b, needed) => [needed[0] ? mul(dOut, b) : null, needed[1] ? mul(dOut, a) : null],
  },
  div: {
    doc: 'a / b',
    accepts: 'number',
    of: (a, b) => a.map((x, i) => x / b[i]),
    ofIntegers: (a, b) => a.map((x, i) => (b[i] === 0 ? 0 : Math.floor(x / b[i]))),
    gradient: divGradient,
  },
  pow: {
    doc: 'a to the power b; the gradient by b flows where a > 0',
    accepts: 'number',
    of: (a, b) => a.map((x, i) => x ** b[i]),
    ofIntegers: (a, b) => a.map((x, i) => integerPower(x, b[i])),
    gradient: powGradient,
  },
  mod: {
    doc: 'a − b·⌊a/b⌋: the remainder with the sign of b',
    accepts: 'number',
    of: (a, b) => a.map((x, i) => floorMod(x, b[i])),
    ofIntegers: (a, b) => a.map((x, i) => (b[i] === 0 ? 0 : floorMod(x, b[i]))),
    gradient: (_, dOut, a, b, needed) => [dOut, needed[1] ? neg(mul(dOut, build.floor(build.div(a, b)))) : null],
  },
  minimum: {
    doc: 'the smaller; NaN if either is; equal operands share the gradient',
    of: (a, b) => a.map((x, i) => Math.min(x, b[i])),
    gradient: winnerGradient(build.less),
  },
  maximum: {
    doc: 'the larger; NaN if either is; equal operands share the gradient',
    of: (a, b) => a.map((x, i) => Math.max(x, b[i])),
    gradient: winnerGradient(build.greater),
  },

  equal: { doc: 'a = b', of: (a, b) => truth(a, (i) => a[i] === b[i]) },
  notEqual: { doc: 'a ≠ b; true where either is NaN', of: (a, b) => truth(a, (i) => a[i] !== b[i]) },
  less: { doc: 'a < b', of: (a, b) => truth(a, (i) => a[i] < b[i]) },
  lessEqual: { doc: 'a ≤ b', of: (a, b) => truth(a, (i) => a[i] <= b[i]) },
  greater: { doc: 'a > b', of: (a, b) => truth(a, (i) => a[i] > b[i]) },
  greaterEqual: { doc: 'a ≥ b', of: (a, b) => truth(a, (i) => a[i] >= b[i]) },
  logicalAnd: { doc: 'a and b', accepts: 'bool', of: (a, b) => a.map((x, i) => x & b[i]) },
  logicalOr: { doc: 'a or b', accepts: 'bool', of: (a, b) => a.map((x, i) => x | b[i]) },
};

export const binaryOps = family('elementwise', {
  ...fromTable(table, pair),
  select: {
    doc: 'a where the condition holds, else b.',
    infer: (given) => {
      const [condition, a] = checkOperands('where', given, 3);
      if (condition.dtype !== 'bool') fail('dtype', 'where', `the condition must be bool, got ${showType(condition)}`, 'Compare with 0 or cast it.');
      const { shape, dtype } = checkAlike('where', given.slice(1), 2, 'any');
      checkAlike('where', [condition, { shape: a.shape, dtype: 'bool' }], 2, 'any');
      return { shape, dtype };
    },
    gradient: (node, dOut, needed) => {
      const condition = node.inputs[0];
      const zero = build.zerosLike(dOut);
      return [null, needed[1] ? select(condition, dOut, zero) : null, needed[2] ? select(condition, zero, dOut) : null];
    },
    evaluate: ({ inputs: [condition, a, b] }) => a.map((x, i) => (condition[i] !== 0 ? x : b[i])),
  },
});
