/** For tests of the native device: kernels given as C statements, and programs of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '../../src/ir/ir.ts';
import type { Launch, Place, Program, Step } from '../../src/ir/program.ts';
import type { CompiledDevice, Storage } from '../../src/runtime/device.ts';
import { type NativeOptions, nativeDevice } from '../../src/runtime/native/device.ts';

/** The body sees float *x0, *x1, … and int64_t from, to. */
export const kernel = (name: string, body: string, work = 0): Kernel => ({ name, parameters: [], body: [], comment: body, flops: work, bytes: work });

const renderer: NonNullable<NativeOptions['renderer']> = {
  prelude: () => 'typedef long long int64_t;',
  kernel: (k, _target, name) =>
    `void ${name}(char *const *restrict arguments, int64_t from, int64_t to) {
${[0, 1, 2, 3]
  .filter((i) => k.comment.includes(`x${i}`))
  .map((i) => `  float *x${i} = (float *)arguments[${i}];`)
  .join('\n')}
  ${k.comment}
}`,
};

export function testDevice(threads = 2, options: NativeOptions = {}): CompiledDevice {
  const device = nativeDevice({ threads, renderer, ...options });
  if ('unavailable' in device) throw new Error(device.unavailable);
  return device;
}

export const tryDevice = () => nativeDevice({ threads: 2, renderer });

export const input = (index: number, byteOffset = 0): Place => ({ kind: 'input', index, byteOffset });
export const output = (index: number, byteOffset = 0): Place => ({ kind: 'output', index, byteOffset });
export const arena = (byteOffset: number): Place => ({ kind: 'arena', byteOffset });
export const barrier: Step = { kind: 'barrier' };
export const launch = (index: number, units: number, args: Place[], align = 1): Launch => ({ kind: 'launch', kernel: index, arguments: args, units, align });

export interface ProgramFacts {
  readonly kernels: readonly Kernel[];
  readonly steps: readonly Step[];
  /** Lengths of the float32 inputs and outputs. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly arenaBytes?: number;
  /** Estimated operations; large ones use all threads and run off the main thread. */
  readonly work?: number;
}

export function program({ kernels, steps, inputs, outputs, arenaBytes = 0, work = 1e9 }: ProgramFacts): Program {
  const value = (length: number) => ({ shape: [length], dtype: 'float32' }) as const;
  return {
    kernels,
    steps,
    inputs: inputs.map(value),
    outputs: outputs.map(value),
    aliases: outputs.map(() => undefined),
    arenaBytes,
    flops: work,
    bytes: work,
  };
}

export const floats = (storage: Storage): Float32Array => new Float32Array(storage.buffer, storage.byteOffset, storage.byteLength / 4);

export function storageOf(device: CompiledDevice, values: ArrayLike<number>): Storage {
  const storage = device.allocate(values.length * 4);
  floats(storage).set(values);
  return storage;
}

/** Runs `work` with a new empty directory, which is removed afterwards. */
export async function inDirectory<T>(work: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'gradix-test-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
