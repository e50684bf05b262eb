/**
 * A loaded program: binds storages and calls the C walk. One run at a time on the device: asynchronous runs wait in a queue here, and a
 * synchronous run first does what is waiting.
 */
import { debug, debugLevel } from '../../core/debug.ts';
import { bytesOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Program, ValueType } from '../../ir/program.ts';
import type { Executable, KernelTime, Storage } from '../device.ts';
import { showTimes } from '../times.ts';
import { encodeProgram, estimatedSeconds } from './descriptor.ts';
import { storageAddress } from './memory.ts';
import type { Runtime } from './runtime.ts';

/** Leaving the main thread costs about 0.1 ms; shorter programs run on it. */
const asyncFromSeconds = 100e-6;

interface Waiting {
  readonly program: Loaded;
  readonly inputs: readonly Storage[];
  readonly outputs: readonly Storage[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  sequence: number;
}

/** What must live as long as anything can still run the program. */
interface Loaded {
  readonly address: number;
  /** Sequence number of the run, then one address per input and output. C reads it. */
  readonly bound: Float64Array;
  readonly inputBytes: readonly number[];
  readonly outputBytes: readonly number[];
}

/** The order of runs on one device. */
export interface RunQueue {
  readonly waiting: Waiting[];
  /** Handed to the thread that runs it. */
  current: Waiting | undefined;
  sequence: number;
}

export const newRunQueue = (): RunQueue => ({ waiting: [], current: undefined, sequence: 0 });

export interface ExecutableOptions {
  readonly program: Program;
  /** Address of each kernel of the program. */
  readonly addresses: readonly number[];
  readonly threads: number;
  readonly runtime: Runtime;
  readonly queue: RunQueue;
  readonly source: () => string;
}

export function makeExecutable({ program, addresses, threads, runtime, queue, source }: ExecutableOptions): Executable {
  const { words, launches } = encodeProgram(program, addresses, threads);
  const bound = new Float64Array(1 + program.inputs.length + program.outputs.length);
  const [inputBytes, outputBytes] = [program.inputs, program.outputs].map((values) => values.map(bytesOfValue));
  const loaded: Loaded = { address: runtime.create(words, bound), bound, inputBytes, outputBytes };
  runtime.freeAfter(loaded, loaded.address);
  const worthAsync = estimatedSeconds(program) >= asyncFromSeconds;

  function runNow(inputs: readonly Storage[], outputs: readonly Storage[], profiled: boolean): void {
    if (queue.current) finishWaiting(runtime, queue);
    const sequence = ++queue.sequence;
    bind(loaded, sequence, inputs, outputs);
    runtime.run(loaded.address, sequence, profiled);
  }

  function profile(inputs: readonly Storage[], outputs: readonly Storage[]): KernelTime[] {
    runNow(inputs, outputs, true);
    const times = new Float64Array(2 * launches.length + 1);
    runtime.times(loaded.address, times);
    return launches.map((k, launch) => {
      const { name, comment, flops, bytes } = program.kernels[k];
      const calls = times[2 * launch];
      return { launch, name, comment, calls, seconds: times[2 * launch + 1], flops: flops * calls, bytes: bytes * calls };
    });
  }

  const run = (inputs: readonly Storage[], outputs: readonly Storage[]): void => {
    if (debugLevel() < 2) {
      runNow(inputs, outputs, false);
      return;
    }
    const start = performance.now();
    const times = profile(inputs, outputs);
    debug(2, () => showTimes('native', times, (performance.now() - start) / 1000));
  };

  return {
    run,
    async runAsync(inputs, outputs) {
      if ((!worthAsync && !queue.current) || debugLevel() >= 2) {
        run(inputs, outputs);
        return;
      }
      await new Promise<void>((resolve, reject) => {
        queue.waiting.push({ program: loaded, inputs, outputs, resolve, reject, sequence: 0 });
        if (!queue.current) startNext(runtime, queue);
      });
    },
    profile,
    get source() {
      return source();
    },
  };
}

function startNext(runtime: Runtime, queue: RunQueue): void {
  const run = queue.waiting.shift();
  queue.current = run;
  if (!run) return;
  try {
    bindNext(run, queue);
  } catch (error) {
    run.reject(error);
    startNext(runtime, queue);
    return;
  }
  runtime.runAsync(run.program.address, run.sequence, (error) => {
    // A synchronous run may have finished it already and gone on.
    if (queue.current !== run) return;
    if (error) run.reject(error);
    else run.resolve();
    startNext(runtime, queue);
  });
}

/** Completes the asynchronous runs here and now: the current one is waited for, or done if its thread has not begun it. */
function finishWaiting(runtime: Runtime, queue: RunQueue): void {
  for (let run = queue.current; run; run = queue.waiting.shift()) {
    try {
      if (run !== queue.current) bindNext(run, queue);
      runtime.run(run.program.address, run.sequence, false);
      run.resolve();
    } catch (error) {
      run.reject(error);
    }
  }
  queue.current = undefined;
}

function bindNext(run: Waiting, queue: RunQueue): void {
  run.sequence = ++queue.sequence;
  bind(run.program, run.sequence, run.inputs, run.outputs);
}

/** Writes the addresses, and the sequence number last. */
function bind(loaded: Loaded, sequence: number, inputs: readonly Storage[], outputs: readonly Storage[]): void {
  check(loaded, inputs, outputs);
  const { bound } = loaded;
  let at = 1;
  for (let i = 0; i < inputs.length; i++) bound[at++] = storageAddress(inputs[i]);
  for (let i = 0; i < outputs.length; i++) bound[at++] = storageAddress(outputs[i]);
  bound[0] = sequence;
}

/** A wrong size here would be a crash there. */
function check({ inputBytes, outputBytes }: Loaded, inputs: readonly Storage[], outputs: readonly Storage[]): void {
  if (inputs.length !== inputBytes.length || outputs.length !== outputBytes.length) {
    const counts = `${inputBytes.length} inputs and ${outputBytes.length} outputs, got ${inputs.length} and ${outputs.length}`;
    fail('internal', 'native', `the program expects ${counts}`);
  }
  for (let i = 0; i < inputs.length; i++) checkSize(inputs[i], inputBytes[i], 'input', i);
  for (let i = 0; i < outputs.length; i++) checkSize(outputs[i], outputBytes[i], 'output', i);
}

function checkSize(storage: Storage, bytes: number, role: string, index: number): void {
  if (storage.byteLength >= bytes && storage.buffer.byteLength >= storage.byteOffset + bytes) return;
  const got = storage.buffer.byteLength === 0 ? 'memory that was transferred elsewhere' : `${storage.byteLength} bytes`;
  fail('internal', 'native', `${role} ${index} of the program has ${bytes} bytes, got ${got}`);
}

const bytesOfValue = ({ shape, dtype }: ValueType): number => sizeOf(shape) * bytesOf(dtype);
