/** Conversions between element types, scalars and vectors. */
import type { Scalar, Type } from '../../ir/ir.ts';
import type { FunctionBuilder } from './function.ts';
import { type Code, call, f32, f32x4, f64, f64x2, i32, i32x4, lane, op, shuffle } from './instructions.ts';

/** Out of range, numbers saturate; towards bytes they wrap, as in JavaScript's typed arrays. */
export function castValue(f: FunctionBuilder, value: readonly Code[], from: Type, to: Type): readonly Code[] {
  if (from.scalar === to.scalar) return value;
  const half = [from, to].find(({ scalar }) => scalar === 'f16' || scalar === 'bf16');
  if (half) return halfPrecision(value, `${from.scalar}_${to.scalar}`, to);
  return to.lanes > 1 ? vectorCast(f, value, from.scalar, to.scalar) : [scalarCast(value[0], from.scalar, to.scalar)];
}

/** From and to float32; the compiler goes through it for every other type. */
function halfPrecision(value: readonly Code[], name: string, to: Type): readonly Code[] {
  if (to.lanes > 1) return value.map((part) => call(`${name}_x4`, part));
  const vector = call(`${name}_x4`, op(to.scalar === 'f32' ? 'i32x4.splat' : 'f32x4.splat', value[0]));
  return [lane(to.scalar === 'f32' ? 'f32x4.extract_lane' : 'i32x4.extract_lane', 0, vector)];
}

function scalarCast(x: Code, from: Scalar, to: Scalar): Code {
  if (to === 'bool') return from === 'f32' ? op('f32.ne', x, f32(0)) : from === 'f64' ? op('f64.ne', x, f64(0)) : op('i32.ne', x, i32(0));
  if (to === 'f32') return op(from === 'f64' ? 'f32.demote_f64' : 'f32.convert_i32_s', x);
  if (to === 'f64') return op(from === 'f32' ? 'f64.promote_f32' : 'f64.convert_i32_s', x);
  const whole = from === 'f32' ? op('i32.trunc_sat_f32_s', x) : from === 'f64' ? op('i32.trunc_sat_f64_s', x) : x;
  return to === 'u8' && from !== 'bool' ? op('i32.and', whole, i32(255)) : whole;
}

function vectorCast(f: FunctionBuilder, value: readonly Code[], from: Scalar, to: Scalar): Code[] {
  const pairs = (make: (low: Code, high: Code) => Code): Code[] => Array.from({ length: value.length / 2 }, (_, i) => make(value[2 * i], value[2 * i + 1]));
  const halves = (parts: readonly Code[], make: (low: Code) => Code): Code[] =>
    parts.flatMap((part) => {
      const x = f.hold(part);
      return [make(x), make(shuffle(x, x, 2, 3, 2, 3))];
    });
  if (to === 'bool') {
    if (from === 'f32') return value.map((x) => op('f32x4.ne', x, f32x4(0)));
    if (from === 'f64') return pairs((low, high) => shuffle(op('f64x2.ne', low, f64x2(0)), op('f64x2.ne', high, f64x2(0)), 0, 2, 4, 6));
    return value.map((x) => op('i32x4.ne', x, i32x4(0)));
  }
  if (from === 'f32' && to === 'f64') return halves(value, (x) => op('f64x2.promote_low_f32x4', x));
  if (from === 'f64' && to === 'f32') return pairs((low, high) => shuffle(op('f32x4.demote_f64x2_zero', low), op('f32x4.demote_f64x2_zero', high), 0, 1, 4, 5));
  const whole =
    from === 'f32'
      ? value.map((x) => op('i32x4.trunc_sat_f32x4_s', x))
      : from === 'f64'
        ? pairs((low, high) => shuffle(op('i32x4.trunc_sat_f64x2_s_zero', low), op('i32x4.trunc_sat_f64x2_s_zero', high), 0, 1, 4, 5))
        : from === 'bool'
          ? value.map((x) => op('v128.and', x, i32x4(1)))
          : value;
  if (to === 'f32') return whole.map((x) => op('f32x4.convert_i32x4_s', x));
  if (to === 'f64') return halves(whole, (x) => op('f64x2.convert_low_i32x4_s', x));
  return to === 'u8' && from !== 'bool' ? whole.map((x) => op('v128.and', x, i32x4(255))) : [...whole];
}
