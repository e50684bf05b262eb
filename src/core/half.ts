/**
 * The two-byte floating formats. float16 has 10 mantissa bits and exponents −14 … 15; bfloat16 is the upper half of a float32.
 * Numbers are rounded to the nearest representable one, ties to even (IEEE 754-2019, section 4.3.1).
 */
import { type DType, newArray, type TypedArray } from './dtype.ts';

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** Nearest whole number, ties to the even one. */
export function roundHalfToEven(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

export function float16FromNumber(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  if (magnitude >= 65520) return sign | 0x7c00; // halfway between the largest float16, 65504, and the next power of two
  if (magnitude < 2 ** -14) return sign | roundHalfToEven(magnitude * 2 ** 24);
  float32[0] = magnitude;
  let exponent = (bits32[0] >>> 23) - 127;
  if (2 ** exponent > magnitude) exponent--; // the float32 was rounded up to a power of two
  // The mantissa is 1024 … 2048: its leading one adds 1 to the exponent field, and a carry another.
  return sign | (((exponent + 14) << 10) + roundHalfToEven(magnitude * 2 ** (10 - exponent)));
}

export function numberFromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** By way of float32, as every device does it. */
export function bfloat16FromNumber(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0;
  float32[0] = x;
  const bits = bits32[0];
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function numberFromBfloat16(bits: number): number {
  bits32[0] = bits << 16;
  return float32[0];
}

export const isHalf = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16';

/** A number as it is stored in an array of this dtype: the bits of a half float, 0 or 1 for a bool, else the number itself. */
export function storedNumber(dtype: DType, x: number): number {
  if (dtype === 'float16') return float16FromNumber(x);
  if (dtype === 'bfloat16') return bfloat16FromNumber(x);
  return dtype === 'bool' ? Number(x !== 0) : x;
}

/** The values of an array as numbers: half floats become float32, other arrays are returned as they are. */
export function decodeArray(dtype: DType, stored: TypedArray): TypedArray {
  if (!isHalf(dtype)) return stored;
  return Float32Array.from(stored, dtype === 'float16' ? numberFromFloat16 : numberFromBfloat16);
}

/** An array of `dtype` with these values. Floats become whole numbers by truncation; whole numbers too large for the dtype wrap. */
export function encodeArray(dtype: DType, values: ArrayLike<number>): TypedArray {
  const stored = newArray(dtype, values.length);
  if (dtype === 'bool' || isHalf(dtype)) for (let i = 0; i < stored.length; i++) stored[i] = storedNumber(dtype, values[i]);
  else stored.set(values);
  return stored;
}
