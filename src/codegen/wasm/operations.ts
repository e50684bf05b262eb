/**
 * What each operation of the loop IR is in WebAssembly: an exhaustive table. A value is a list of parts: one for a scalar; a vector has one 128-bit part
 * per four lanes, for float64 one per two. Whole numbers of any width are 32 bits wide in registers (a byte stays within 0 … 255, half precision is its 16
 * bits), and a vector of bools is a mask of 32-bit lanes.
 */
import type { Expr, IrOp, Scalar, Target, Type } from '../../ir/ir.ts';
import { castValue } from './casts.ts';
import type { FunctionBuilder, ValueType } from './function.ts';
import { type Code, call, f32, f32x4, f64, f64x2, i32, i32x4, lane, op, type Plain, shuffle } from './instructions.ts';

export type Value = readonly Code[];

export interface Operation {
  readonly type: Type;
  readonly args: readonly Value[];
  /** The arguments as the IR has them. */
  readonly exprs: readonly Expr[];
  readonly f: FunctionBuilder;
  readonly target: Target;
}

type Rule = (operation: Operation) => Value;
export type Kind = 'f32' | 'f64' | 'i32';

export const kindOf = (scalar: Scalar): Kind => (scalar === 'f32' || scalar === 'f64' ? scalar : 'i32');
export const localType = ({ scalar, lanes }: Type): ValueType => (lanes > 1 ? 'v128' : kindOf(scalar));
export const partsOf = ({ scalar, lanes }: Type): number => (lanes === 1 ? 1 : lanes / (scalar === 'f64' ? 2 : 4));
const vectorKinds = { f32: 'f32x4', f64: 'f64x2', i32: 'i32x4' } as const;
/** The instruction for this type: the same word on scalars and vectors. */
const named = (type: Type, word: string): Plain => `${type.lanes > 1 ? vectorKinds[kindOf(type.scalar)] : kindOf(type.scalar)}.${word}` as Plain;
const isFloat = (type: Type): boolean => kindOf(type.scalar) !== 'i32';

/** A number in every lane. */
export function constantPart(type: Type, value: number): Code {
  const kind = kindOf(type.scalar);
  if (type.lanes === 1) return { f32, f64, i32 }[kind](value);
  return { f32: f32x4, f64: f64x2, i32: i32x4 }[kind](type.scalar === 'bool' ? -value : value);
}

/** Bytes wrap. */
const wrap = (type: Type, code: Code): Code =>
  type.scalar !== 'u8' ? code : type.lanes > 1 ? op('v128.and', code, i32x4(255)) : op('i32.and', code, i32(255));

const zip = (args: readonly Value[], make: (...parts: Code[]) => Code): Code[] => args[0].map((_, i) => make(...args.map((a) => a[i])));

const native =
  (word: string, integerWord = word): Rule =>
  ({ type, args }) =>
    zip(args, (...parts) => wrap(type, op(named(type, isFloat(type) ? word : integerWord), ...parts)));

/** Parts in variables of their own, to be used more than once. */
const held = (f: FunctionBuilder, type: Type, value: Value): Code[] => value.map((part) => f.hold(part, localType(type)));

const compare =
  (word: string, signed = ''): Rule =>
  ({ args, exprs }) => {
    const type = exprs[0].type;
    const masks = zip(args, (a, b) => op(named(type, isFloat(type) ? word : `${word}${signed}`), a, b));
    return type.scalar === 'f64' && type.lanes > 1 ? narrowMasks(masks) : masks;
  };

/** Masks of 64-bit lanes, two by two, to masks of 32-bit lanes. */
const narrowMasks = (masks: readonly Code[]): Code[] => Array.from({ length: masks.length / 2 }, (_, i) => shuffle(masks[2 * i], masks[2 * i + 1], 0, 2, 4, 6));
export const widenMasks = (f: FunctionBuilder, masks: Value): Code[] =>
  masks.flatMap((mask) => {
    const m = f.hold(mask);
    return [op('i64x2.extend_low_i32x4_s', m), op('i64x2.extend_high_i32x4_s', m)];
  });

const bitwise =
  (word: 'and' | 'or' | 'xor'): Rule =>
  ({ type, args }) =>
    zip(args, (a, b) => op(type.lanes > 1 ? `v128.${word}` : `i32.${word}`, a, b));

/** Each lane by itself, as a scalar. */
function lanewise({ f, type, args, exprs }: Operation, make: (...scalars: Code[]) => Code): Code[] {
  if (type.lanes === 1) return [make(...args.map((a) => a[0]))];
  const wide = exprs.map(({ type: t }, i) => ({ kind: kindOf(t.scalar), parts: held(f, t, args[i]) }));
  const kind = kindOf(type.scalar);
  const perPart = kind === 'f64' ? 2 : 4;
  return Array.from({ length: partsOf(type) }, (_, part) => {
    let result: Code = constantPart(type, 0);
    for (let l = 0; l < perPart; l++) {
      const scalars = wide.map(({ kind: k, parts }) => lane(`${vectorKinds[k]}.extract_lane`, l, parts[part]));
      result = lane(`${vectorKinds[kind]}.replace_lane`, l, result, make(...scalars));
    }
    return result;
  });
}

/** float32 by a vector function of this module (a scalar in all lanes of one), float64 by the host's function, lane by lane. */
const maths =
  (name: string): Rule =>
  (operation) => {
    const { type, args } = operation;
    if (type.scalar === 'f64') return lanewise(operation, (...scalars) => call(name, ...scalars));
    if (type.lanes > 1) return zip(args, (...parts) => call(`${name}_f32x4`, ...parts));
    return [lane('f32x4.extract_lane', 0, call(`${name}_f32x4`, ...args.map(([a]) => op('f32x4.splat', a))))];
  };

const integers =
  (name: string, floats: Rule): Rule =>
  (operation) =>
    isFloat(operation.type) ? floats(operation) : lanewise(operation, (a, b) => wrap({ ...operation.type, lanes: 1 }, call(name, a, b)));

/** A NaN on either side wins. Where the other side is a number that is known, one instruction does. */
const extreme =
  (word: 'min' | 'max'): Rule =>
  ({ type, args, exprs, f }) => {
    const known = (e: Expr): boolean => e.kind === 'const' && !Number.isNaN(e.value);
    if (type.scalar === 'bool') return zip(args, (a, b) => op(`${type.lanes > 1 ? 'v128' : 'i32'}.${word === 'min' ? 'and' : 'or'}`, a, b));
    if (isFloat(type) && type.lanes > 1 && known(exprs[1])) return zip(args, (a, b) => op(named(type, `p${word}`), a, b));
    if (isFloat(type) && type.lanes > 1 && known(exprs[0])) return zip(args, (a, b) => op(named(type, `p${word}`), b, a));
    if (isFloat(type)) return zip(args, (a, b) => op(named(type, word), a, b));
    if (type.lanes > 1) return zip(args, (a, b) => op(`i32x4.${word}_s`, a, b));
    const [a, b] = [f.hold(args[0][0], 'i32'), f.hold(args[1][0], 'i32')];
    return [op('select', a, b, op(word === 'min' ? 'i32.lt_s' : 'i32.gt_s', a, b))];
  };

const shift =
  (word: 'shl' | 'shr_u'): Rule =>
  (operation) => {
    const [, by] = operation.exprs;
    if (operation.type.lanes > 1 && by.kind === 'const') return operation.args[0].map((a) => op(`i32x4.${word}`, a, i32(by.value)));
    return lanewise(operation, (a, b) => op(`i32.${word}`, a, b));
  };

/** Non-negative whole numbers below 2^31: their quotient in float64, cut off, is exact. */
function quotient({ type, args, f }: Operation): Code[] {
  if (type.lanes === 1) return [op('i32.div_u', args[0][0], args[1][0])];
  return zip(args, (a, b) => {
    const halves = [a, b].map((x) => f.hold(x)).map((x) => [x, shuffle(x, x, 2, 3, 2, 3)].map((half) => op('f64x2.convert_low_i32x4_s', half)));
    const [low, high] = [0, 1].map((h) => op('i32x4.trunc_sat_f64x2_s_zero', op('f64x2.div', halves[0][h], halves[1][h])));
    return shuffle(low, high, 0, 1, 4, 5);
  });
}

function remainder(operation: Operation): Value {
  const { type, f } = operation;
  if (type.lanes === 1) return [op('i32.rem_u', operation.args[0][0], operation.args[1][0])];
  const args = operation.args.map((a) => held(f, type, a));
  const whole = quotient({ ...operation, args });
  return zip([args[0], args[1], whole], (a, b, q) => op('i32x4.sub', a, op('i32x4.mul', q, b)));
}

/** Pairwise: lane l with lane l + half. */
const fold =
  (combine: (operation: Operation) => Value): Rule =>
  (operation) => {
    const { f, exprs, type } = operation;
    const { scalar, lanes } = exprs[0].type;
    const vector: Type = { scalar, lanes };
    const join = (a: Code, b: Code): Code => combine({ ...operation, type: vector, args: [[a], [b]], exprs: [exprs[0], exprs[0]] })[0];
    let parts = held(f, vector, operation.args[0]);
    while (parts.length > 1) parts = parts.slice(0, parts.length / 2).map((part, i) => f.hold(join(part, parts[i + parts.length / 2])));
    let all = parts[0];
    all = f.hold(join(all, shuffle(all, all, 2, 3, 2, 3)));
    const kind = kindOf(scalar);
    if (kind !== 'f64') all = f.hold(join(all, shuffle(all, all, 1, 1, 1, 1)));
    const first = lane(`${vectorKinds[kind]}.extract_lane`, 0, all);
    return [scalar === 'bool' ? op('i32.and', first, i32(1)) : wrap(type, first)];
  };

const add = native('add');
const mul = native('mul');
const one = (type: Type): Code => constantPart(type, 1);

function sign({ type, args, f }: Operation): Value {
  return held(f, type, args[0]).map((x) => {
    const zero = constantPart(type, 0);
    const [above, below] = isFloat(type) ? [named(type, 'gt'), named(type, 'lt')] : [named(type, 'gt_s'), named(type, 'lt_s')];
    if (!isFloat(type)) return type.lanes > 1 ? op('i32x4.sub', op(below, x, zero), op(above, x, zero)) : op('i32.sub', op(above, x, zero), op(below, x, zero));
    const minus = constantPart(type, -1);
    if (type.lanes > 1) return op('v128.bitselect', one(type), op('v128.bitselect', minus, x, op(below, x, zero)), op(above, x, zero));
    return op('select', one(type), op('select', minus, x, op(below, x, zero)), op(above, x, zero));
  });
}

function abs({ type, args, f }: Operation): Value {
  if (isFloat(type) || type.lanes > 1) return args[0].map((x) => op(named(type, 'abs'), x));
  const x = f.hold(args[0][0], 'i32');
  return [op('select', op('i32.sub', i32(0), x), x, op('i32.lt_s', x, i32(0)))];
}

function select({ type, args, f }: Operation): Value {
  if (type.lanes === 1) return [op('select', args[1][0], args[2][0], args[0][0])];
  const masks = type.scalar === 'f64' ? widenMasks(f, args[0]) : args[0];
  return zip([args[1], args[2], masks], (a, b, m) => op('v128.bitselect', a, b, m));
}

function fma({ type, args, target }: Operation): Value {
  if (isFloat(type) && type.lanes > 1 && target.fma)
    return zip(args, (a, b, c) => op(type.scalar === 'f64' ? 'f64x2.relaxed_madd' : 'f32x4.relaxed_madd', a, b, c));
  return zip(args, (a, b, c) => wrap(type, op(named(type, 'add'), op(named(type, 'mul'), a, b), c)));
}

function splat({ type, args, f }: Operation): Value {
  const kind = kindOf(type.scalar);
  const value = type.scalar === 'bool' ? op('i32.sub', i32(0), args[0][0]) : args[0][0];
  const part = op(`${vectorKinds[kind]}.splat`, value);
  const parts = partsOf(type);
  return Array<Code>(parts).fill(parts > 1 ? f.hold(part) : part);
}

function uniform({ type, args, f }: Operation): Value {
  const [bits] = args;
  if (type.scalar === 'f32')
    return bits.map((x) =>
      type.lanes > 1
        ? op('f32x4.mul', op('f32x4.convert_i32x4_s', op('i32x4.shr_u', x, i32(8))), f32x4(2 ** -24))
        : op('f32.mul', op('f32.convert_i32_s', op('i32.shr_u', x, i32(8))), f32(2 ** -24)),
    );
  if (type.lanes === 1) return [op('f64.mul', op('f64.convert_i32_u', bits[0]), f64(2 ** -32))];
  return bits.flatMap((part) => {
    const x = f.hold(part);
    return [x, shuffle(x, x, 2, 3, 2, 3)].map((half) => op('f64x2.mul', op('f64x2.convert_low_i32x4_u', half), f64x2(2 ** -32)));
  });
}

export const operations: Record<IrOp, Rule> = {
  neg: ({ type, args }) => args[0].map((a) => (isFloat(type) || type.lanes > 1 ? wrap(type, op(named(type, 'neg'), a)) : wrap(type, op('i32.sub', i32(0), a)))),
  abs,
  sign,
  exp: maths('exp'),
  log: maths('log'),
  log1p: maths('log1p'),
  expm1: maths('expm1'),
  sqrt: native('sqrt'),
  rsqrt: ({ type, args }) => args[0].map((a) => op(named(type, 'div'), one(type), op(named(type, 'sqrt'), a))),
  reciprocal: ({ type, args }) => args[0].map((a) => op(named(type, 'div'), one(type), a)),
  sin: maths('sin'),
  cos: maths('cos'),
  tan: maths('tan'),
  tanh: maths('tanh'),
  sigmoid: maths('sigmoid'),
  erf: maths('erf'),
  floor: native('floor'),
  ceil: native('ceil'),
  round: native('nearest'),
  isNaN: (operation) => {
    const x = held(operation.f, operation.exprs[0].type, operation.args[0]);
    return compare('ne')({ ...operation, args: [x, x] });
  },
  logicalNot: ({ type, args }) => args[0].map((a) => op(type.lanes > 1 ? 'v128.not' : 'i32.eqz', a)),
  cast: ({ type, args, exprs, f }) => castValue(f, args[0], exprs[0].type, type),
  bitsToUniform: uniform,
  splat,
  foldAdd: fold(add),
  foldMul: fold(mul),
  foldMax: fold(extreme('max')),
  foldMin: fold(extreme('min')),
  add,
  sub: native('sub'),
  mul,
  div: integers('divide_i32', native('div')),
  pow: integers('power_i32', maths('pow')),
  mod: integers('modulo_i32', maths('mod')),
  minimum: extreme('min'),
  maximum: extreme('max'),
  equal: compare('eq'),
  notEqual: compare('ne'),
  less: compare('lt', '_s'),
  lessEqual: compare('le', '_s'),
  greater: compare('gt', '_s'),
  greaterEqual: compare('ge', '_s'),
  logicalAnd: bitwise('and'),
  logicalOr: bitwise('or'),
  bitXor: bitwise('xor'),
  bitAnd: bitwise('and'),
  bitOr: bitwise('or'),
  shiftLeft: shift('shl'),
  shiftRight: shift('shr_u'),
  quotient,
  remainder,
  fma,
  select,
};
