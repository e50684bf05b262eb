/**
 * The vectorised float32 maths: functions of four lanes, within 2 ulp over the whole range. The same reductions and polynomials as runtime/native/c/maths.h, where
 * their reasons are.
 */
import { errorFunction, exponential, hyperbolicTangent, logarithm } from '../maths-coefficients.ts';
import { FunctionBuilder, type FunctionText } from './function.ts';
import { type Code, f32x4, i32, i32x4, op } from './instructions.ts';

export const add = (a: Code, b: Code): Code => op('f32x4.add', a, b);
export const sub = (a: Code, b: Code): Code => op('f32x4.sub', a, b);
export const mul = (a: Code, b: Code): Code => op('f32x4.mul', a, b);
export const div = (a: Code, b: Code): Code => op('f32x4.div', a, b);
export const abs = (a: Code): Code => op('f32x4.abs', a);
export const or = (a: Code, b: Code): Code => op('v128.or', a, b);
export const and = (a: Code, b: Code): Code => op('v128.and', a, b);
/** mask ? a : b */
export const select = (mask: Code, a: Code, b: Code): Code => op('v128.bitselect', a, b, mask);
export const signBit = i32x4(-0x80000000);
/** Clamps keep NaN. */
const atMost = (x: Code, bound: number): Code => op('f32x4.pmin', x, f32x4(bound));
const atLeast = (x: Code, bound: number): Code => op('f32x4.pmax', x, f32x4(bound));
const withSign = (magnitude: Code, x: Code): Code => or(magnitude, and(x, signBit));
/** x + rounding is the nearest whole number, in the low bits: its shift by 23 is an exponent. */
const rounding = f32x4(12582912);
const powerOfTwo = (rounded: Code, more: number): Code => op('i32x4.add', op('i32x4.shl', rounded, i32(23)), i32x4((127 + more) << 23));

/** a · b + c: with one rounding where the engine has it. */
export type MultiplyAdd = (a: Code, b: Code, c: Code) => Code;

/** Horner's scheme; x is used more than once. */
export const polynomial = (fma: MultiplyAdd, x: Code, coefficients: readonly number[], constant: (value: number) => Code = f32x4): Code =>
  coefficients.slice(0, -1).reduceRight<Code>((sum, c) => fma(sum, x, constant(c)), constant(coefficients[coefficients.length - 1]));

/** A function of vectors; `make` gets its arguments and gives its result. */
export function vectorFunction(name: string, count: number, make: (f: FunctionBuilder, ...x: Code[]) => Code): FunctionText {
  const f = new FunctionBuilder(name, 'v128');
  const parameters = Array.from({ length: count }, (): Code => ({ op: 'local.get', number: f.parameter('v128').number }));
  return f.finish(make(f, ...parameters));
}

/** x times two to the power n, which is whole and within 150 of zero: one rounding even where the result is denormal. */
export function scale(f: FunctionBuilder, x: Code, n: Code): Code {
  const whole = f.hold(op('i32x4.trunc_sat_f32x4_s', n));
  const half = f.hold(op('i32x4.shr_s', whole, i32(1)));
  const power = (exponent: Code): Code => op('i32x4.shl', op('i32x4.add', exponent, i32x4(127)), i32(23));
  return mul(mul(x, power(half)), power(op('i32x4.sub', whole, half)));
}

/** x = m times two to the power n, m from 3/4 to 3/2. */
export function split(f: FunctionBuilder, x: Code): { readonly m: Code; readonly n: Code } {
  const tiny = f.hold(op('f32x4.lt', x, f32x4(2 ** -126)));
  const bits = f.hold(select(tiny, mul(x, f32x4(2 ** 23)), x));
  const n = f.hold(op('i32x4.shr_s', op('i32x4.sub', bits, i32x4(0x3f400000)), i32(23)));
  const m = f.hold(op('i32x4.sub', bits, op('i32x4.shl', n, i32(23))));
  return { m, n: f.hold(op('f32x4.convert_i32x4_s', op('i32x4.sub', n, and(tiny, i32x4(23))))) };
}

/** expm1 of x − n log 2, and n + rounding. x within 104. */
function reducedExpm1(f: FunctionBuilder, fma: MultiplyAdd, x: Code): { readonly p: Code; readonly rounded: Code } {
  const held = f.hold(x);
  const rounded = f.hold(fma(held, f32x4(Math.LOG2E), rounding));
  const n = f.hold(sub(rounded, rounding));
  const r = f.hold(fma(n, f32x4(2.1219444e-4), fma(n, f32x4(-0.693359375), held)));
  const z = f.hold(mul(r, r));
  const [a, b, c] = [exponential.a, exponential.b, exponential.c].map((list) => polynomial(fma, r, list));
  return { p: f.hold(fma(z, fma(fma(c, z, b), z, a), r)), rounded };
}

/** log((1 + f) times two to the power n), f from −1/4 to 1/2. */
function joinedLog(f: FunctionBuilder, fma: MultiplyAdd, x: Code, n: Code): Code {
  const held = f.hold(x);
  const z = f.hold(mul(held, held));
  const p = mul(mul(polynomial(fma, held, logarithm), held), z);
  return fma(n, f32x4(0.693145752), add(held, fma(z, f32x4(-0.5), fma(n, f32x4(1.42860682e-6), p))));
}

export function exponentials(fma: MultiplyAdd): Record<string, () => FunctionText> {
  const one = f32x4(1);
  return {
    exp_f32x4: () =>
      vectorFunction('exp_f32x4', 1, (f, x) => {
        const { p, rounded } = reducedExpm1(f, fma, atLeast(atMost(x, 89), -104));
        return scale(f, add(one, p), sub(rounded, rounding));
      }),
    expm1_f32x4: () =>
      vectorFunction('expm1_f32x4', 1, (f, x) => {
        const { p, rounded } = reducedExpm1(f, fma, atLeast(atMost(x, 89), -20));
        const t = f.hold(powerOfTwo(rounded, -1));
        const r = f.hold(fma(t, p, sub(t, f32x4(0.5))));
        return select(op('f32x4.lt', abs(x), f32x4(2 ** -26)), x, add(r, r));
      }),
    sigmoid_f32x4: () =>
      vectorFunction('sigmoid_f32x4', 1, (f, x) => {
        const { p, rounded } = reducedExpm1(f, fma, op('f32x4.neg', atLeast(atMost(x, 20), -104)));
        const t = f.hold(powerOfTwo(rounded, -30));
        return div(f32x4(2 ** -30), add(t, fma(t, p, f32x4(2 ** -30))));
      }),
    tanh_f32x4: () =>
      vectorFunction('tanh_f32x4', 1, (f, x) => {
        const a = f.hold(atMost(abs(x), 10));
        const z = f.hold(mul(x, x));
        const small = fma(mul(polynomial(fma, z, hyperbolicTangent), z), a, a);
        const { p, rounded } = reducedExpm1(f, fma, add(a, a));
        const t = f.hold(powerOfTwo(rounded, 0));
        const large = sub(one, div(f32x4(2), fma(t, p, add(t, one))));
        return withSign(select(op('f32x4.lt', a, f32x4(0.6)), small, large), x);
      }),
    erf_f32x4: () =>
      vectorFunction('erf_f32x4', 1, (f, x) => {
        const a = f.hold(atMost(abs(x), 4));
        const z = f.hold(mul(x, x));
        const small = fma(x, polynomial(fma, z, errorFunction.near), x);
        const { p, rounded } = reducedExpm1(f, fma, polynomial(fma, a, errorFunction.far));
        const t = f.hold(powerOfTwo(rounded, 0));
        return select(op('f32x4.lt', a, f32x4(0.9)), small, withSign(sub(one, fma(t, p, t)), x));
      }),
    log_f32x4: () =>
      vectorFunction('log_f32x4', 1, (f, x) => {
        const { m, n } = split(f, x);
        const infinity = f32x4(Number.POSITIVE_INFINITY);
        let r = joinedLog(f, fma, sub(m, one), n);
        r = select(op('f32x4.eq', x, f32x4(0)), f32x4(Number.NEGATIVE_INFINITY), r);
        r = select(op('f32x4.lt', x, f32x4(0)), f32x4(Number.NaN), r);
        return select(or(op('f32x4.eq', x, infinity), op('f32x4.ne', x, x)), x, r);
      }),
    log1p_f32x4: () =>
      vectorFunction('log1p_f32x4', 1, (f, x) => {
        const { n } = split(f, f.hold(add(one, x)));
        const away = f.hold(op('f32x4.neg', n));
        const fraction = add(scale(f, x, away), sub(scale(f, one, away), one));
        let r = joinedLog(f, fma, fraction, n);
        r = select(op('f32x4.eq', x, f32x4(-1)), f32x4(Number.NEGATIVE_INFINITY), r);
        r = select(op('f32x4.lt', x, f32x4(-1)), f32x4(Number.NaN), r);
        r = select(op('f32x4.ne', x, x), x, r);
        return select(or(op('f32x4.lt', abs(x), f32x4(2 ** -26)), op('f32x4.eq', x, f32x4(Number.POSITIVE_INFINITY))), x, r);
      }),
  };
}
