/** Elementwise ops of two or three operands of one shape and dtype. Whole numbers wrap; their division is floored, and by zero gives 0. */
import { isFloating, newArray, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import type { OpName } from '../graph/attributes.ts';
import { attributesOf, type Node } from '../graph/node.ts';
import * as build from './build.ts';
import { type Accepted, checkAlike, checkCount, showType } from './check.ts';
import type { Op, Sample, SampleInput } from './op.ts';
import { define } from './registry.ts';

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'mod' | 'minimum' | 'maximum';
type Comparison = 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual';
type Logical = 'logicalAnd' | 'logicalOr';

type Loop = (a: TypedArray, b: TypedArray, out: TypedArray) => void;
type PairRule = (node: Node, dOut: Node, a: Node, b: Node, needed: readonly boolean[]) => readonly (Node | null)[];

interface Facts {
  readonly doc: string;
  readonly accepts: Accepted;
  readonly loop: Loop;
  /** For int32 and uint8, where it differs. */
  readonly integerLoop?: Loop;
  readonly gradient?: PairRule;
  readonly samples: readonly SampleInput[];
}

const shapes: readonly (readonly number[])[] = [[7], [], [1], [0], [3, 0, 2], [2, 3, 1, 5], [13, 11]];
const edges = [0, 1, -1, 2, -2.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

function pair<K extends Arithmetic | Comparison | Logical>(name: K, facts: Facts): Op<K> {
  const { accepts, loop, integerLoop = loop, gradient } = facts;
  const arithmetic = gradient !== undefined;
  const [a, b] = facts.samples;
  const attributes = {};
  const samples = () => {
    if (accepts === 'bool')
      return shapes.map((shape) => ({
        name: `[${shape}]`,
        inputs: [
          { shape, dtype: 'bool' },
          { shape, dtype: 'bool' },
        ],
        attributes,
      }));
    const whole: SampleInput = { shape: [23], dtype: 'int32', low: -9, high: 9 };
    const wholeB: SampleInput = name === 'pow' ? { ...whole, low: 0, high: 6 } : { ...whole, low: -4, high: 4 };
    const table = { shape: [edges.length, edges.length] };
    return [
      ...shapes.map((shape) => ({
        name: `[${shape}]`,
        inputs: [
          { ...a, shape },
          { ...b, shape },
        ],
        attributes,
      })),
      { name: 'float64', inputs: [a, b].map((x) => ({ ...x, shape: [17], dtype: 'float64' })), attributes },
      { name: 'int32', inputs: [whole, wholeB], attributes },
      {
        name: 'uint8',
        inputs: [
          { ...whole, dtype: 'uint8', low: 0, high: 255 },
          { ...wholeB, dtype: 'uint8', low: 0, high: 5 },
        ],
        attributes,
      },
      // The corners of pow and mod at infinity differ between languages and are left open.
      ...(name === 'pow' || name === 'mod'
        ? []
        : [
            {
              name: 'edges',
              inputs: [
                { ...table, values: edges.flatMap((x) => edges.map(() => x)) },
                { ...table, values: edges.flatMap(() => edges) },
              ],
              attributes,
              differentiable: false,
            },
          ]),
    ];
  };
  return define<K>({
    name,
    kind: 'elementwise',
    doc: facts.doc,
    infer: (inputs) => {
      const { shape, dtype } = checkAlike(name, inputs, 2, accepts);
      return { shape, dtype: arithmetic ? dtype : 'bool' };
    },
    gradient: gradient ? (node, dOut, needed) => gradient(node, dOut, node.inputs[0], node.inputs[1], needed) : null,
    evaluate: ({ node, inputs: [x, y] }) => {
      const out = newArray(node.dtype, x.length);
      (isFloating(node.inputs[0].dtype) ? loop : integerLoop)(x, y, out);
      return out;
    },
    samples: () => samples() as unknown as Sample<K>[],
  });
}

const { mul, sub, neg, select, constantLike } = build;
const smooth: SampleInput = { shape: [], low: -2, high: 2 };
const positive: SampleInput = { shape: [], low: 0.4, high: 2 };
const upper: SampleInput = { shape: [], low: 0.5, high: 2 };
const lower: SampleInput = { shape: [], low: -2, high: 0.3 };

/** The number in every element of a stretched constant, else undefined. */
function numberIn(node: Node): number | undefined {
  while (node.op === 'broadcast' || node.op === 'reshape') node = node.inputs[0];
  return node.op === 'constant' ? attributesOf(node, 'constant').value : undefined;
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

export const binaryOps = {
  add: pair('add', {
    doc: 'a + b',
    accepts: 'number',
    samples: [smooth, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i];
    },
    gradient: (_, dOut) => [dOut, dOut],
  }),
  sub: pair('sub', {
    doc: 'a − b',
    accepts: 'number',
    samples: [smooth, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] - b[i];
    },
    gradient: (_, dOut, _a, _b, needed) => [dOut, needed[1] ? neg(dOut) : null],
  }),
  mul: pair('mul', {
    doc: 'a · b',
    accepts: 'number',
    samples: [smooth, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] * b[i];
    },
    integerLoop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.imul(a[i], b[i]);
    },
    gradient: (_, dOut, a, b, needed) => [needed[0] ? mul(dOut, b) : null, needed[1] ? mul(dOut, a) : null],
  }),
  div: pair('div', {
    doc: 'a / b',
    accepts: 'number',
    samples: [smooth, positive],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] / b[i];
    },
    integerLoop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = b[i] === 0 ? 0 : Math.floor(a[i] / b[i]);
    },
    gradient: (node, dOut, _, b, needed) => {
      const quotient = build.div(dOut, b);
      return [quotient, needed[1] ? neg(mul(quotient, node)) : null];
    },
  }),
  pow: pair('pow', {
    doc: 'a to the power b; the gradient by b flows where a > 0',
    accepts: 'number',
    samples: [positive, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] ** b[i];
    },
    integerLoop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = integerPower(a[i], b[i]);
    },
    gradient: powGradient,
  }),
  mod: pair('mod', {
    doc: 'a − b·⌊a/b⌋: the remainder with the sign of b',
    accepts: 'number',
    samples: [
      { shape: [], low: 4.1, high: 5.9 },
      { shape: [], low: 2.96, high: 4 },
    ],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = floorMod(a[i], b[i]);
    },
    integerLoop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = b[i] === 0 ? 0 : floorMod(a[i], b[i]);
    },
    gradient: (_, dOut, a, b, needed) => [dOut, needed[1] ? neg(mul(dOut, build.floor(build.div(a, b)))) : null],
  }),
  minimum: pair('minimum', {
    doc: 'the smaller; NaN if either is; equal operands share the gradient',
    accepts: 'any',
    samples: [lower, upper],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.min(a[i], b[i]);
    },
    gradient: winnerGradient(build.less),
  }),
  maximum: pair('maximum', {
    doc: 'the larger; NaN if either is; equal operands share the gradient',
    accepts: 'any',
    samples: [lower, upper],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.max(a[i], b[i]);
    },
    gradient: winnerGradient(build.greater),
  }),

  equal: pair('equal', {
    doc: 'a = b',
    accepts: 'any',
    samples: [lower, upper],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] === b[i] ? 1 : 0;
    },
  }),
  notEqual: pair('notEqual', {
    doc: 'a ≠ b; true where either is NaN',
    accepts: 'any',
    samples: [lower, upper],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] !== b[i] ? 1 : 0;
    },
  }),
  less: pair('less', {
    doc: 'a < b',
    accepts: 'any',
    samples: [smooth, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] < b[i] ? 1 : 0;
    },
  }),
  lessEqual: pair('lessEqual', {
    doc: 'a ≤ b',
    accepts: 'any',
    samples: [smooth, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] <= b[i] ? 1 : 0;
    },
  }),
  greater: pair('greater', {
    doc: 'a > b',
    accepts: 'any',
    samples: [smooth, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] > b[i] ? 1 : 0;
    },
  }),
  greaterEqual: pair('greaterEqual', {
    doc: 'a ≥ b',
    accepts: 'any',
    samples: [smooth, smooth],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] >= b[i] ? 1 : 0;
    },
  }),
  logicalAnd: pair('logicalAnd', {
    doc: 'a and b',
    accepts: 'bool',
    samples: [],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] & b[i];
    },
  }),
  logicalOr: pair('logicalOr', {
    doc: 'a or b',
    accepts: 'bool',
    samples: [],
    loop: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i] | b[i];
    },
  }),

  select: define<'select'>({
    name: 'select',
    kind: 'elementwise',
    doc: 'a where the condition holds, else b.',
    infer: (inputs) => {
      checkCount('where', inputs, 3);
      const [condition, a] = inputs;
      if (condition.dtype !== 'bool') fail('dtype', 'where', `the condition must be bool, got ${showType(condition)}`, 'Compare with 0 or cast it.');
      const { shape, dtype } = checkAlike('where', inputs.slice(1), 2, 'any');
      checkAlike('where', [condition, { shape: a.shape, dtype: 'bool' }], 2, 'any');
      return { shape, dtype };
    },
    gradient: (node, dOut, needed) => {
      const condition = node.inputs[0];
      const zero = build.zerosLike(dOut);
      return [null, needed[1] ? select(condition, dOut, zero) : null, needed[2] ? select(condition, zero, dOut) : null];
    },
    evaluate: ({ node, inputs: [condition, a, b] }) => {
      const out = newArray(node.dtype, a.length);
      for (let i = 0; i < out.length; i++) out[i] = condition[i] !== 0 ? a[i] : b[i];
      return out;
    },
    samples: () => [
      ...shapes.map((shape) => ({ name: `[${shape}]`, inputs: [{ shape, dtype: 'bool' as const }, { shape }, { shape }], attributes: {} })),
      ...(['int32', 'uint8', 'bool', 'float64'] as const).map((dtype) => ({
        name: dtype,
        inputs: [
          { shape: [19], dtype: 'bool' as const },
          { shape: [19], dtype, low: 0, high: 1 },
          { shape: [19], dtype, low: 0, high: 200 },
        ],
        attributes: {},
      })),
    ],
  }),
} satisfies Partial<{ [K in OpName]: Op<K> }>;
