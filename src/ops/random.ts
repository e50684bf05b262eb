/**
 * Counter-based random bits: Threefry-2×32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * The same key gives the same bits on every device, in any order.
 */
import { fail } from '../core/errors.ts';
import { sameShape, showType, sizeOf } from '../core/shape.ts';
import { checkOperands } from './check.ts';
import { family } from './registry.ts';

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
/** Makes the third key word; from the Skein hash. */
const parity = 0x1bd11bda;

/** Both output words, as signed 32-bit integers, written to out[0] and out[1]: no allocation, for initial values are drawn by the million. */
export function threefryInto(out: Int32Array, key0: number, key1: number, counter0: number, counter1: number): void {
  const key2 = key0 ^ key1 ^ parity;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let group = 1; group <= 5; group++) {
    const first = (group & 1) === 0 ? 4 : 0;
    for (let round = first; round < first + 4; round++) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << rotations[round]) | (x1 >>> (32 - rotations[round]))) ^ x0;
    }
    const [turn0, turn1] = [group % 3, (group + 1) % 3];
    x0 = (x0 + (turn0 === 0 ? key0 : turn0 === 1 ? key1 : key2)) | 0;
    x1 = (x1 + (turn1 === 0 ? key0 : turn1 === 1 ? key1 : key2) + group) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

/** Both output words, as signed 32-bit integers. */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const out = new Int32Array(2);
  threefryInto(out, key0, key1, counter0, counter1);
  return [out[0], out[1]];
}

export const randomOps = family('indexed', {
  randomBits: {
    doc: 'element i (row-major) is the first word of Threefry-2×32 at counter (i, 0) under the key',
    infer(given, { shape }) {
      const [key] = checkOperands('randomBits', given, 1);
      if (key.dtype === 'int32' && sameShape(key.shape, [2])) return { shape, dtype: 'int32' };
      return fail('shape', 'randomBits', `expected a key int32 [2], got ${showType(key)}`, 'Make one with random.key(seed).');
    },
    gradient: null,
    evaluate: ({ node, inputs: [key] }) => Int32Array.from({ length: sizeOf(node.shape) }, (_, i) => threefry2x32(key[0], key[1], i, 0)[0]),
  },
});
