/**
 * The modes of all modules as one short text, so that compiled functions are recorded anew when a mode changes, and found again when it changes back.
 * A module in training mode and not frozen adds nothing; any other adds (exclusive or) a pseudo-random word of its number and mode.
 */
import { registerSignatureExtra } from '../tensor/index.ts';

let low = 0;
let high = 0;
let count = 0;

registerSignatureExtra(() => `modes ${low} ${high}`);

/** A number for a new module. */
export const nextModuleId = (): number => ++count;

/** Notes that a module goes from one mode to another. */
export function noteMode(id: number, before: number, after: number): void {
  for (const mode of [before, after]) {
    if (mode === 0) continue;
    low ^= mixed(id * 4 + mode);
    high ^= mixed(~(id * 4 + mode));
  }
}

/** The finaliser of MurmurHash3 (Appleby 2011): every bit of the result depends on every bit of x. */
function mixed(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
