/** Half floats: every bit pattern there and back, and rounding to even. */
import { expect, test } from 'vitest';
import { bfloat16FromNumber, encodeArray, float16FromNumber, numberFromBfloat16, numberFromFloat16, roundHalfToEven } from './half.ts';

test.each([
  ['float16', float16FromNumber, numberFromFloat16],
  ['bfloat16', bfloat16FromNumber, numberFromBfloat16],
] as const)('%s: each of the 65,536 patterns survives', (_, encode, decode) => {
  for (let bits = 0; bits < 65536; bits++) {
    const x = decode(bits);
    if (Number.isNaN(x)) expect(decode(encode(x))).toBeNaN();
    else if (encode(x) !== bits) throw new Error(`${bits} became ${x} and then ${encode(x)}`);
  }
});

test('float16: known numbers', () => {
  expect([1, -2, 65504, 2 ** -14, 2 ** -24, 1 / 3].map(float16FromNumber)).toEqual([0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555]);
  expect([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, Number.NaN].map(float16FromNumber)).toEqual([0x7c00, 0xfc00, 0x8000, 0x7e00]);
});

test('float16: ties go to even, in one rounding', () => {
  expect(float16FromNumber(1 + 2 ** -11)).toBe(0x3c00);
  expect(float16FromNumber(1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(float16FromNumber(1 + 2 ** -11 + 2 ** -40)).toBe(0x3c01); // float32 would have lost the 2⁻⁴⁰ and made it a tie
  expect(float16FromNumber(65519.99)).toBe(0x7bff);
  expect(float16FromNumber(65520)).toBe(0x7c00);
  expect(float16FromNumber(2 ** -25)).toBe(0);
  expect(float16FromNumber(3 * 2 ** -25)).toBe(2);
  expect(float16FromNumber(2 - 2 ** -30)).toBe(0x4000);
});

test('bfloat16: known numbers and ties', () => {
  expect([1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38 * 10].map(bfloat16FromNumber)).toEqual([0x3f80, 0xc000, 0x3f80, 0x3f82, 0x7f80]);
});

test('roundHalfToEven', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 2.4, -2.6].map(roundHalfToEven)).toEqual([0, 2, 2, -0, -2, -2, 0, 2, -3]);
});

test('encodeArray: truncation, truth and wrapping', () => {
  expect(Array.from(encodeArray('int32', [1.9, -1.9, 2 ** 31]))).toEqual([1, -1, -(2 ** 31)]);
  expect(Array.from(encodeArray('uint8', [255, 256, -1]))).toEqual([255, 0, 255]);
  expect(Array.from(encodeArray('bool', [0, -0, 0.1, Number.NaN]))).toEqual([0, 0, 1, 1]);
});
