/** A loaded program: its module, its arena and the table of its inputs and outputs, all in the device's memory. One run at a time on the device. */

import { launchesOf } from '../../codegen/wasm/walk.ts';
import { debug, debugLevel } from '../../core/debug.ts';
import { bytesOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Program, Step, ValueType } from '../../ir/program.ts';
import type { Executable, KernelTime, Storage } from '../device.ts';
import { showTimes } from '../times.ts';
import type { Heap, WasmStorage } from './heap.ts';
import type { Pool, RunWords } from './pool.ts';
import type { Walk } from './thread.ts';

/** Time on one thread, roughly. */
export const estimatedSeconds = (program: Program): number => program.flops / 15e9 + program.bytes / 8e9;
const barriersIn = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => sum + (step.kind === 'barrier' ? 1 : step.kind === 'loop' ? step.count * barriersIn(step.body) : 0), 0);
/** Starting the other threads costs about 1 µs and a barrier 0.5 µs. */
const worthThreads = (program: Program): boolean => estimatedSeconds(program) > 3e-6 + 1e-6 * barriersIn(program.steps);

/** Delegated runs of one device, in order. */
export class RunQueue {
  private readonly waiting: (() => Promise<void>)[] = [];
  private busy = false;
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  get idle(): boolean {
    return !this.busy;
  }

  add(start: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push(() => start().then(resolve, reject));
      if (!this.busy) void this.next();
    });
  }

  private async next(): Promise<void> {
    this.busy = true;
    for (let start = this.waiting.shift(); start; start = this.waiting.shift()) await start();
    this.busy = false;
  }

  /** The run that is on its way is finished when this returns. Those behind it come after the caller's. */
  finishCurrent(): void {
    if (this.busy && !this.pool.waitForDelegated())
      fail('state', 'wasm', 'a program is still running in a worker, and a page may not wait for it', 'Await the asynchronous run first.');
  }
}

export interface LoadedModule {
  readonly walk: Walk;
  readonly bytes: Uint8Array;
}

export interface ExecutableOptions {
  readonly program: Program;
  readonly heap: Heap;
  readonly pool: Pool;
  readonly queue: RunQueue;
  readonly threads: number;
  readonly places: { readonly arena: number; readonly bindings: number };
  /** Lives as long as the memory at `places`. */
  readonly owner: object;
  readonly module: LoadedModule;
  /** The program again, with a clock around every launch. */
  readonly timed: (times: number) => LoadedModule;
  readonly source: () => string;
}

let programs = 0;

export function makeExecutable(options: ExecutableOptions): Executable {
  const { program, heap, pool, queue, places, owner } = options;
  const threads = worthThreads(program) ? options.threads : 1;
  const sizes = [program.inputs, program.outputs].map((values) => values.map(bytesOfValue));
  const runOf = ({ bytes }: LoadedModule): RunWords => {
    const address = heap.reserveFor(owner, bytes.byteLength);
    heap.bytes(address, bytes.byteLength).set(bytes);
    return { program: ++programs, module: address, moduleBytes: bytes.byteLength, threads, seconds: estimatedSeconds(program) };
  };
  const words = runOf(options.module);
  const staging = new Staging(heap, owner, sizes.flat());
  const { seconds } = words;
  let timed: { readonly walk: Walk; readonly words: RunWords; readonly times: number } | undefined;
  const launches = launchesOf(program.steps);

  /** Writes the addresses; gives what must be copied back afterwards. */
  function bind(inputs: readonly Storage[], outputs: readonly Storage[]): () => void {
    check(inputs, sizes[0], 'input');
    check(outputs, sizes[1], 'output');
    const addresses = staging.addresses(inputs, outputs);
    new Uint32Array(heap.memory.buffer, places.bindings, addresses.length).set(addresses);
    return () => staging.copyBack(outputs, addresses.slice(inputs.length));
  }

  function runNow(inputs: readonly Storage[], outputs: readonly Storage[], walk: Walk, run: RunWords): void {
    queue.finishCurrent();
    const copyBack = bind(inputs, outputs);
    pool.run(walk, run);
    copyBack();
  }

  function profile(inputs: readonly Storage[], outputs: readonly Storage[]): KernelTime[] {
    if (!timed) {
      const times = heap.reserveFor(owner, 16 * launches.length * options.threads);
      const module = options.timed(times);
      timed = { walk: module.walk, words: runOf(module), times };
    }
    heap.bytes(timed.times, 16 * launches.length * options.threads).fill(0);
    runNow(inputs, outputs, timed.walk, timed.words);
    const { times } = timed;
    const seconds = new Float64Array(heap.memory.buffer, times, 2 * launches.length * options.threads);
    const calls = new Int32Array(heap.memory.buffer, times, 4 * launches.length);
    return launches.map(({ kernel }, launch) => {
      const { name, comment, flops, bytes } = program.kernels[kernel];
      const slowest = Math.max(...Array.from({ length: options.threads }, (_, t) => seconds[2 * (t * launches.length + launch)]));
      const count = calls[4 * launch + 2];
      return { launch, name, comment, calls: count, seconds: slowest, flops: flops * count, bytes: bytes * count };
    });
  }

  const run = (inputs: readonly Storage[], outputs: readonly Storage[]): void => {
    if (debugLevel() < 2) {
      runNow(inputs, outputs, options.module.walk, words);
      return;
    }
    const start = performance.now();
    const times = profile(inputs, outputs);
    debug(2, () => showTimes('wasm', times, (performance.now() - start) / 1000));
  };

  return {
    run,
    async runAsync(inputs, outputs) {
      if ((!pool.delegates(seconds) && queue.idle) || debugLevel() >= 2) {
        run(inputs, outputs);
        return;
      }
      await queue.add(async () => {
        const copyBack = bind(inputs, outputs);
        if (pool.delegates(seconds)) await pool.delegate(words);
        else pool.run(options.module.walk, words);
        copyBack();
      });
    },
    profile,
    get source() {
      return options.source();
    },
  };
}

const bytesOfValue = ({ shape, dtype }: ValueType): number => sizeOf(shape) * bytesOf(dtype);

function check(storages: readonly Storage[], bytes: readonly number[], role: string): void {
  if (storages.length !== bytes.length) fail('internal', 'wasm', `the program expects ${bytes.length} ${role}s, got ${storages.length}`);
  storages.forEach((storage, i) => {
    if (storage.byteLength >= bytes[i] && storage.buffer.byteLength >= storage.byteOffset + bytes[i]) return;
    const got = storage.buffer.byteLength === 0 ? 'memory that was transferred elsewhere' : `${storage.byteLength} bytes`;
    fail('internal', 'wasm', `${role} ${i} of the program has ${bytes[i]} bytes, got ${got}`);
  });
}

/** Places for storages that are not in the device's memory: one per input and output, kept for the next run. */
class Staging {
  private readonly heap: Heap;
  private readonly owner: object;
  /** Bytes of each input and output. */
  private readonly sizes: readonly number[];
  private readonly places: (number | undefined)[] = [];

  constructor(heap: Heap, owner: object, sizes: readonly number[]) {
    this.heap = heap;
    this.owner = owner;
    this.sizes = sizes;
  }

  private isHere(storage: Storage): boolean {
    return (storage as Partial<WasmStorage>).heap === this.heap;
  }

  private placeOf(i: number): number {
    const place = this.places[i] ?? this.heap.reserveFor(this.owner, this.sizes[i]);
    this.places[i] = place;
    return place;
  }

  addresses(inputs: readonly Storage[], outputs: readonly Storage[]): number[] {
    const foreign = new Map<Storage, number>();
    return [...inputs, ...outputs].map((storage, i) => {
      if (this.isHere(storage)) return storage.byteOffset;
      // The same storage as input and output is one place.
      const known = foreign.get(storage);
      if (known !== undefined) return known;
      const place = this.placeOf(i);
      foreign.set(storage, place);
      if (i < inputs.length) this.heap.bytes(place, this.sizes[i]).set(new Uint8Array(storage.buffer, storage.byteOffset, this.sizes[i]));
      return place;
    });
  }

  copyBack(outputs: readonly Storage[], addresses: readonly number[]): void {
    const first = this.sizes.length - outputs.length;
    outputs.forEach((storage, i) => {
      const bytes = this.sizes[first + i];
      if (!this.isHere(storage)) new Uint8Array(storage.buffer, storage.byteOffset, bytes).set(this.heap.bytes(addresses[i], bytes));
    });
  }
}
