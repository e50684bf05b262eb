/**
 * Counter-based random bits: Threefry-2×32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * The same key gives the same bits on every device, in any order.
 */
import { fail } from '../core/errors.ts';
import { sameShape, showType, sizeOf } from '../core/shape.ts';
import { checkOperands } from './check.ts';
import { family } from './registry.ts';

/** Makes the third key word; from the Skein hash. */
const parity = 0x1bd11bda;

/** Both output words, as signed 32-bit integers, written to out[0] and out[1]; gives the first. Initial values are drawn by the million: no allocation, no tables. */
export function threefryInto(out: Int32Array, key0: number, key1: number, counter0: number, counter1: number): number {
  let k0 = key0;
  let k1 = key1;
  let k2 = key0 ^ key1 ^ parity;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let group = 1; group <= 5; group++) {
    if ((group & 1) === 1) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    } else {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
    }
    const first = k0;
    k0 = k1;
    k1 = k2;
    k2 = first;
    x0 = (x0 + k0) | 0;
    x1 = (x1 + k1 + group) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  return x0;
}

/** Both output words, as signed 32-bit integers. */
export const threefry2x32 = (...words: [number, number, number, number]): [number, number] => [threefryInto(both, ...words), both[1]];
const both = new Int32Array(2);

export const randomOps = family('indexed', {
  randomBits: {
    doc: 'element i (row-major) is the first word of Threefry-2×32 at counter (i, 0) under the key',
    infer(given, { shape }) {
      const [key] = checkOperands('randomBits', given, 1);
      if (key.dtype === 'int32' && sameShape(key.shape, [2])) return { shape, dtype: 'int32' };
      return fail('shape', 'randomBits', `expected a key int32 [2], got ${showType(key)}`, 'Make one with random.key(seed).');
    },
    gradient: null,
    evaluate: ({ node, inputs: [key] }) => new Int32Array(sizeOf(node.shape)).map((_, i) => threefryInto(both, key[0], key[1], i, 0)),
  },
});
