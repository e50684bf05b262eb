/** The float32 maths that needs float64 on the way (powers, angles, remainders), conversions of half precision, and whole-number helpers. */
import { circular, power } from '../maths-coefficients.ts';
import { FunctionBuilder, type FunctionText, get } from './function.ts';
import { type Code, call, f32x4, f64x2, i32, i32x4, lane, op, type Plain, shuffle } from './instructions.ts';
import { abs, add, and, type MultiplyAdd, mul, or, polynomial, select, signBit, split, vectorFunction } from './maths.ts';

type Wide = (a: Code, b: Code) => Code;
const wide =
  (name: Plain): Wide =>
  (a, b) =>
    op(name, a, b);
const [addWide, subWide, mulWide, divWide] = [wide('f64x2.add'), wide('f64x2.sub'), wide('f64x2.mul'), wide('f64x2.div')];
/** x + shifter has the nearest whole number in its low bits. */
const shifter = f64x2(1.5 * 2 ** 52);
const nearest = (x: Code): Code => op('f64x2.nearest', x);

/** Both halves of float32 vectors as float64, worked on and joined again. */
function inHalves(f: FunctionBuilder, values: readonly Code[], make: (...halves: Code[]) => Code): Code {
  const held = values.map((x) => f.hold(x));
  const low = f.hold(make(...held.map((x) => f.hold(op('f64x2.promote_low_f32x4', x)))));
  const high = make(...held.map((x) => f.hold(op('f64x2.promote_low_f32x4', shuffle(x, x, 2, 3, 2, 3)))));
  return shuffle(op('f32x4.demote_f64x2_zero', low), op('f32x4.demote_f64x2_zero', high), 0, 1, 4, 5);
}

/** Two to the power y (n + log2 m): the one rounding is the last. */
function powerHalf(f: FunctionBuilder, fma: MultiplyAdd, m: Code, n: Code, y: Code): Code {
  const s = f.hold(divWide(subWide(m, f64x2(1)), addWide(m, f64x2(1))));
  const z = f.hold(mulWide(s, s));
  const logarithm = fma(s, polynomial(fma, z, power.logarithm, f64x2), n);
  const t = f.hold(op('f64x2.pmax', op('f64x2.pmin', mulWide(y, logarithm), f64x2(200)), f64x2(-200)));
  const w = f.hold(addWide(t, shifter));
  const r = f.hold(subWide(t, subWide(w, shifter)));
  return op('i64x2.add', polynomial(fma, r, power.exponential, f64x2), op('i64x2.shl', w, i32(52)));
}

function powFunction(fma: MultiplyAdd): FunctionText {
  return vectorFunction('pow_f32x4', 2, (f, x, y) => {
    const [zero, one, infinity] = [f32x4(0), f32x4(1), f32x4(Number.POSITIVE_INFINITY)];
    const [a, b] = [f.hold(abs(x)), f.hold(abs(y))];
    const isZero = f.hold(op('f32x4.eq', a, zero));
    const isInfinite = f.hold(op('f32x4.eq', a, infinity));
    const whole = f.hold(op('f32x4.eq', op('f32x4.nearest', y), y));
    const { m, n } = split(f, a);
    const finite = select(or(isZero, isInfinite), zero, n);
    let r = inHalves(f, [m, finite, y], (mm, nn, yy) => powerHalf(f, fma, mm, nn, yy));
    const edge = and(op('v128.xor', op('f32x4.lt', y, zero), isInfinite), infinity);
    r = select(or(isZero, isInfinite), edge, r);
    const moderate = f.hold(op('f32x4.lt', b, f32x4(2 ** 24)));
    const lowBit = and(op('i32x4.trunc_sat_f32x4_s', select(moderate, y, zero)), i32x4(1));
    const odd = and(and(whole, moderate), op('i32x4.neg', lowBit));
    r = or(r, and(and(x, odd), signBit));
    const invalid = op('v128.andnot', op('v128.andnot', op('f32x4.lt', x, zero), isInfinite), whole);
    r = select(invalid, f32x4(Number.NaN), r);
    r = select(or(op('f32x4.ne', x, x), op('f32x4.ne', y, y)), add(x, y), r);
    const isOne = or(op('f32x4.eq', x, one), op('f32x4.eq', y, zero));
    return select(or(isOne, and(op('f32x4.eq', a, one), op('f32x4.eq', b, infinity))), one, r);
  });
}

/** x − n π/2 (the first part of π/2 has 33 bits), exact enough up to 2^20. */
function reducedAngle(f: FunctionBuilder, x: Code): { readonly angle: Code; readonly n: Code } {
  const n = f.hold(nearest(mulWide(x, f64x2(0.6366197723675814))));
  return { angle: f.hold(subWide(subWide(x, mulWide(n, f64x2(1.5707963267341256))), mulWide(n, f64x2(6.077100506506192e-11)))), n };
}

/** Lanes beyond what the vector code can do go through the host's function. */
function farLanes(f: FunctionBuilder, result: Code, far: Code, arguments_: readonly Code[], name: string): Code {
  const value = f.local('v128');
  f.set(value, result);
  const mask = f.hold(far);
  f.when(op('v128.any_true', mask), () => {
    for (let l = 0; l < 4; l++) {
      f.when(lane('i32x4.extract_lane', l, mask), () => {
        const scalars = arguments_.map((x) => op('f64.promote_f32', lane('f32x4.extract_lane', l, x)));
        f.set(value, lane('f32x4.replace_lane', l, get(value), op('f32.demote_f64', call(name, ...scalars))));
      });
    }
  });
  return get(value);
}

const isFar = (x: Code): Code => op('v128.not', op('f32x4.le', abs(x), f32x4(2 ** 20)));

function sineFunction(fma: MultiplyAdd, name: string, quarter: number): FunctionText {
  return vectorFunction(`${name}_f32x4`, 1, (f, x) => {
    const halves = [x, shuffle(x, x, 2, 3, 2, 3)].map((half) => reducedAngle(f, f.hold(op('f64x2.promote_low_f32x4', half))));
    const joined = (parts: readonly Code[]): Code =>
      f.hold(shuffle(op('f32x4.demote_f64x2_zero', parts[0]), op('f32x4.demote_f64x2_zero', parts[1]), 0, 1, 4, 5));
    const r = joined(halves.map((half) => half.angle));
    const q = f.hold(op('i32x4.add', op('i32x4.trunc_sat_f32x4_s', joined(halves.map((half) => half.n))), i32x4(quarter)));
    const z = f.hold(mul(r, r));
    const sine = fma(mul(polynomial(fma, z, circular.sine), z), r, r);
    const cosine = fma(mul(polynomial(fma, z, circular.cosine), z), z, fma(z, f32x4(-0.5), f32x4(1)));
    const value = select(op('i32x4.ne', and(q, i32x4(1)), i32x4(0)), cosine, sine);
    const signed = op('v128.xor', value, op('i32x4.shl', and(q, i32x4(2)), i32(30)));
    return farLanes(f, quarter === 0 ? select(op('f32x4.eq', x, f32x4(0)), x, signed) : signed, isFar(x), [x], name);
  });
}

function tanFunction(fma: MultiplyAdd): FunctionText {
  return vectorFunction('tan_f32x4', 1, (f, x) => {
    const half = (wideX: Code): Code => {
      const { angle: r, n } = reducedAngle(f, wideX);
      const z = f.hold(mulWide(r, r));
      const s = f.hold(fma(mulWide(r, z), polynomial(fma, z, circular.wideSine, f64x2), r));
      const c = f.hold(fma(mulWide(z, z), polynomial(fma, z, circular.cosine, f64x2), fma(z, f64x2(-0.5), f64x2(1))));
      const odd = f.hold(op('f64x2.ne', mulWide(n, f64x2(0.5)), nearest(mulWide(n, f64x2(0.5)))));
      return divWide(select(odd, op('f64x2.neg', c), s), select(odd, s, c));
    };
    return farLanes(f, select(op('f32x4.eq', x, f32x4(0)), x, inHalves(f, [x], half)), isFar(x), [x], 'tan');
  });
}

/** a − b floor(a / b): exact in float64 while the quotient has at most 28 bits. */
function modFunction(): FunctionText {
  return vectorFunction('mod_f32x4', 2, (f, a, b) => {
    const half = (x: Code, y: Code): Code => {
      const r = f.hold(subWide(x, mulWide(nearest(divWide(x, y)), y)));
      const zero = f64x2(0);
      const differ = (left: Plain, right: Plain): Code => and(op(left, r, zero), op(right, y, zero));
      return addWide(r, and(or(differ('f64x2.lt', 'f64x2.gt'), differ('f64x2.gt', 'f64x2.lt')), y));
    };
    const near = and(op('f32x4.lt', abs(a), mul(abs(b), f32x4(2 ** 28))), op('f32x4.lt', abs(b), f32x4(Number.POSITIVE_INFINITY)));
    return farLanes(f, inHalves(f, [a, b], half), op('v128.not', near), [a, b], 'mod');
  });
}

/** Rounded to nearest, ties to even; numbers below the normal range by an addition that shifts them into place. */
function halfFromFloat(): FunctionText {
  return vectorFunction('f32_f16_x4', 1, (f, x) => {
    const sign = f.hold(and(x, signBit));
    const u = f.hold(op('v128.xor', x, sign));
    const tooLarge = op('i32x4.ge_s', u, i32x4(143 << 23));
    const special = select(op('i32x4.gt_s', u, i32x4(0x7f800000)), i32x4(0x7e00), i32x4(0x7c00));
    const magic = i32x4(126 << 23);
    const denormal = op('i32x4.sub', op('f32x4.add', u, magic), magic);
    const odd = and(op('i32x4.shr_u', u, i32(13)), i32x4(1));
    const normal = op('i32x4.shr_u', op('i32x4.add', op('i32x4.add', u, i32x4(((15 - 127) << 23) + 0xfff)), odd), i32(13));
    const finite = select(op('i32x4.lt_s', u, i32x4(113 << 23)), denormal, normal);
    return or(select(tooLarge, special, finite), op('i32x4.shr_u', sign, i32(16)));
  });
}

function floatFromHalf(): FunctionText {
  return vectorFunction('f16_f32_x4', 1, (f, h) => {
    const magnitude = f.hold(op('i32x4.shl', and(h, i32x4(0x7fff)), i32(13)));
    const special = op('i32x4.ge_s', magnitude, i32x4(0x7c00 << 13));
    const value = or(op('f32x4.mul', magnitude, f32x4(2 ** 112)), and(special, i32x4(0x7f800000)));
    return or(value, op('i32x4.shl', and(h, i32x4(0x8000)), i32(16)));
  });
}

function bfloatFromFloat(): FunctionText {
  return vectorFunction('f32_bf16_x4', 1, (f, x) => {
    const upper = f.hold(op('i32x4.shr_u', x, i32(16)));
    const rounded = op('i32x4.shr_u', op('i32x4.add', op('i32x4.add', x, i32x4(0x7fff)), and(upper, i32x4(1))), i32(16));
    return select(op('f32x4.ne', x, x), or(upper, i32x4(64)), rounded);
  });
}

/** Floor division and its remainder; by 0 both are 0. */
function divideFunction(name: 'divide_i32' | 'modulo_i32'): FunctionText {
  const f = new FunctionBuilder(name, 'i32');
  const [a, b] = [f.parameter('i32'), f.parameter('i32')].map(get);
  const quotient = name === 'divide_i32';
  f.when(op('i32.eqz', b), () => f.emit(i32(0), { op: 'return' }));
  f.when(op('i32.eq', b, i32(-1)), () => f.emit(quotient ? op('i32.sub', i32(0), a) : i32(0), { op: 'return' }));
  const rest = f.hold(op('i32.rem_s', a, b), 'i32');
  const differ = op('i32.lt_s', op('i32.xor', a, b), i32(0));
  const wrong = op('i32.and', op('i32.ne', rest, i32(0)), differ);
  if (quotient) return f.finish(op('i32.sub', op('i32.div_s', a, b), wrong));
  return f.finish(op('i32.add', rest, op('select', b, i32(0), wrong)));
}

/** Negative exponents: 1 / a^−b cut off, as whole numbers have it. */
function powerFunction(): FunctionText {
  const f = new FunctionBuilder('power_i32', 'i32');
  const [base, exponent] = [f.parameter('i32'), f.parameter('i32')];
  const result = f.local('i32');
  const odd = op('i32.and', get(exponent), i32(1));
  f.when(op('i32.lt_s', get(exponent), i32(0)), () => {
    f.when(op('i32.eq', get(base), i32(1)), () => f.emit(i32(1), { op: 'return' }));
    f.when(op('i32.eq', get(base), i32(-1)), () => f.emit(op('select', i32(-1), i32(1), odd), { op: 'return' }));
    f.emit(i32(0), { op: 'return' });
  });
  f.set(result, i32(1));
  f.when(get(exponent), () =>
    f.whileTrue(() => {
      f.when(odd, () => f.set(result, op('i32.mul', get(result), get(base))));
      f.set(base, op('i32.mul', get(base), get(base)));
      f.set(exponent, op('i32.shr_s', get(exponent), i32(1)));
      return get(exponent);
    }),
  );
  return f.finish(get(result));
}

/** `fma` works on float32, `fmaWide` on float64 vectors. */
export const wideFunctions = (fma: MultiplyAdd, fmaWide: MultiplyAdd): Record<string, () => FunctionText> => ({
  pow_f32x4: () => powFunction(fmaWide),
  sin_f32x4: () => sineFunction(fma, 'sin', 0),
  cos_f32x4: () => sineFunction(fma, 'cos', 1),
  tan_f32x4: () => tanFunction(fmaWide),
  mod_f32x4: modFunction,
  f32_f16_x4: halfFromFloat,
  f16_f32_x4: floatFromHalf,
  f32_bf16_x4: bfloatFromFloat,
  bf16_f32_x4: () => vectorFunction('bf16_f32_x4', 1, (_f, x) => op('i32x4.shl', x, i32(16))),
  divide_i32: () => divideFunction('divide_i32'),
  modulo_i32: () => divideFunction('modulo_i32'),
  power_i32: powerFunction,
});
