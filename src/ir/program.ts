/** A compiled program before a device has loaded it: kernels, buffers, and the list of steps that all threads walk. Plain data. */
import type { DType } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';
import type { Kernel } from './ir.ts';

/** A piece of memory a step can name. */
export type Place =
  /** Bound at each run: inputs come first, then outputs (see Program.inputs, Program.outputs). */
  | { readonly kind: 'input'; readonly index: number; readonly byteOffset: number }
  | { readonly kind: 'output'; readonly index: number; readonly byteOffset: number }
  /** In the program's own arena (zeroed once when it is loaded; contents survive between runs). */
  | { readonly kind: 'arena'; readonly byteOffset: number };

export interface Launch {
  readonly kind: 'launch';
  /** Index into Program.kernels. */
  readonly kernel: number;
  readonly arguments: readonly Place[];
  /** The kernel's units 0 … units−1 are divided over the threads in contiguous ranges whose limits are multiples of `align` units. */
  readonly units: number;
  readonly align: number;
}

export type Step =
  | Launch
  /** Kernels that divide their work over the same `blocks` (each block is `align` units of every launch): a thread runs all of them on one block, then on the next, so that data stays in its cache. */
  | { readonly kind: 'sweep'; readonly blocks: number; readonly launches: readonly Launch[] }
  /** All threads wait for each other. There is one between any two steps that need it; none is implied. */
  | { readonly kind: 'barrier' }
  /** Runs `body` `count` times. After each turn, the named argument of a launch (numbered in depth-first order within this body) moves by `byteStride`. */
  | { readonly kind: 'loop'; readonly count: number; readonly body: readonly Step[]; readonly moves: readonly Move[] };

export interface Move {
  readonly launch: number;
  readonly argument: number;
  readonly byteStride: number;
}

export interface ValueType {
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface Program {
  readonly kernels: readonly Kernel[];
  readonly steps: readonly Step[];
  readonly inputs: readonly ValueType[];
  readonly outputs: readonly ValueType[];
  /** outputs[i] is written in place into inputs[aliases[i]] where that is not undefined: the caller binds the same storage to both. */
  readonly aliases: readonly (number | undefined)[];
  readonly arenaBytes: number;
  /** Estimated work, to decide whether to run it off the main thread. */
  readonly flops: number;
  readonly bytes: number;
}
