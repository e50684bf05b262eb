/**
 * The default random sequence: a seed and a counter on the host. Draw c has the key threefry2x32(seed, c), so that a draw depends only on
 * its number (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 */
import { fail } from '../core/errors.ts';
import type { Node } from '../graph/node.ts';
import { threefry2x32, threefryInto } from '../ops/random.ts';
import type { Recorder } from './recorder.ts';
import { storageFrom, storageLeaf } from './values.ts';

export interface RandomState {
  readonly seed: number;
  readonly counter: number;
}

let seed = Date.now() % 2 ** 31;
let counter = 0;

/** Starts the default sequence anew. */
export function setRandomState(state: RandomState): void {
  if (!Number.isSafeInteger(state.seed) || state.seed < 0) fail('value', 'seed', `expected a whole number ≥ 0, got ${state.seed}`);
  seed = state.seed;
  counter = state.counter;
}

export const randomState = (): RandomState => ({ seed, counter });

/** The words of a key for a seed: high and low 32 bits. */
export const keyWords = (value: number): readonly [number, number] => [Math.floor(value / 2 ** 32) | 0, value | 0];

/** The key of the next draw of the default sequence. */
export const nextHostKey = (): [number, number] => threefry2x32(...keyWords(seed), ...keyWords(counter++));

/** A key as a node, int32 [2]. */
export const keyLeaf = (words: readonly number[]): Node => storageLeaf(storageFrom(Int32Array.from(words)), { shape: [2], dtype: 'int32' });

/** The key of the next draw as a node; while a function is being recorded, one that each of its runs draws anew. */
export const nextKey = (recorder: Recorder | undefined): Node => (recorder ? recorder.nextKey() : keyLeaf(nextHostKey()));

/** `count` numbers in [low, high) from the default sequence, drawn on the host (for initial values). */
export function hostUniform(count: number, low = 0, high = 1): Float64Array {
  const [key0, key1] = nextHostKey();
  const out = new Float64Array(count);
  const words = new Int32Array(2);
  for (let i = 0; i < count; i += 2) {
    threefryInto(words, key0, key1, i / 2, 0);
    out[i] = low + (high - low) * ((words[0] >>> 8) * 2 ** -24);
    if (i + 1 < count) out[i + 1] = low + (high - low) * ((words[1] >>> 8) * 2 ** -24);
  }
  return out;
}
