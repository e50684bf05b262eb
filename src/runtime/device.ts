/** The contract of a device: where tensors live and how programs run. */
import type { Target } from '../ir/ir.ts';
import type { Program } from '../ir/program.ts';

export type DeviceName = 'reference' | 'native' | 'wasm' | 'webgpu';

/** Memory of one tensor, freed when the garbage collector finds it unused. `buffer` is looked up anew for each use: WebAssembly memory changes it when it grows. */
export interface Storage {
  readonly byteLength: number;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
}

export interface KernelTime {
  /** Position in the program's depth-first list of launches. */
  readonly launch: number;
  readonly name: string;
  readonly comment: string;
  /** How often it ran in this run. */
  readonly calls: number;
  /** Wall time of the slowest thread, seconds. */
  readonly seconds: number;
  readonly flops: number;
  readonly bytes: number;
}

/** A program loaded on a device. Runs one at a time; a run waits for the one before it. */
export interface Executable {
  /** Blocks until done. */
  run(inputs: readonly Storage[], outputs: readonly Storage[]): void;
  /** Leaves the event loop free while it runs. */
  runAsync(inputs: readonly Storage[], outputs: readonly Storage[]): Promise<void>;
  /** One blocking run with a time for every launch. */
  profile(inputs: readonly Storage[], outputs: readonly Storage[]): readonly KernelTime[];
  /** The source text that was compiled, for debugging. */
  readonly source: string;
}

/** A device that runs compiled programs. (The reference device interprets graphs instead and has no Target.) */
export interface CompiledDevice {
  readonly name: DeviceName;
  readonly target: Target;
  /** It reads JavaScript memory where it lies: an input of any size costs nothing. */
  readonly readsInPlace?: boolean;
  /** Memory with undefined contents, at least 64-byte aligned. */
  allocate(byteLength: number): Storage;
  /** Whether the device's kernels reach this storage; others are copied for each run. Without this, they reach all of JavaScript's memory. */
  holds?(storage: Storage): boolean;
  /** `structure` identifies the graph that the program computes: a device may remember the program for later processes. */
  loadSync(program: Program, structure?: string): Executable;
  load(program: Program, structure?: string): Promise<Executable>;
  /** What an earlier process loaded with this structure, its kernels without their loop IR. */
  recall?(structure: string): { readonly program: Program; readonly executable: Executable } | undefined;
}
