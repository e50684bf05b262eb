import { expect, test } from 'vitest';
import { bodyParameter, make } from './build.ts';
import { evaluateGraph } from './evaluate.ts';
import './index.ts';
import { threefry2x32 } from './random.ts';

const hex = (words: readonly number[]): string => words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ');

test('known answers of Threefry-2×32-20 (Random123, kat_vectors)', () => {
  expect(hex(threefry2x32(0, 0, 0, 0))).toBe('6b200159 99ba4efe');
  expect(hex(threefry2x32(-1, -1, -1, -1))).toBe('1cb996fc bb002be7');
  expect(hex(threefry2x32(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff))).toBe('1cb996fc bb002be7');
  expect(hex(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3))).toBe('c4923a9c 483df7a0');
});

test('randomBits counts its elements', () => {
  const key = bodyParameter({ shape: [2], dtype: 'int32' });
  const [bits] = evaluateGraph([make('randomBits', [key], { shape: [3, 2] })], () => Int32Array.of(5, -9));
  expect([...bits]).toEqual([0, 1, 2, 3, 4, 5].map((i) => threefry2x32(5, -9, i, 0)[0]));
  expect(() => make('randomBits', [bodyParameter({ shape: [3], dtype: 'int32' })], { shape: [] })).toThrow('expected a key int32 [2], got int32 [3]');
});

test('bits are even: each is set in about half of the words, and neighbours differ', () => {
  const n = 4096;
  const counts = new Array<number>(32).fill(0);
  for (let i = 0; i < n; i++) for (let bit = 0; bit < 32; bit++) counts[bit] += (threefry2x32(1, 2, i, 0)[0] >>> bit) & 1;
  for (const count of counts) expect(Math.abs(count - n / 2)).toBeLessThan(5 * Math.sqrt(n / 4));
});
