/** The WebAssembly device: programs as modules that the compiler writes itself, for every JavaScript engine; threads where memory can be shared. */
import { printFunctions } from '../../codegen/wasm/print.ts';
import { type RenderedProgram, relaxedProbe, renderProgram } from '../../codegen/wasm/program.ts';
import { debug, environmentVariable } from '../../core/debug.ts';
import { fail } from '../../core/errors.ts';
import type { Target } from '../../ir/ir.ts';
import type { Program } from '../../ir/program.ts';
import type { CompiledDevice, Executable, Storage } from '../device.ts';
import { estimatedSeconds, type LoadedModule, makeExecutable, RunQueue } from './executable.ts';
import { Heap, type WasmStorage } from './heap.ts';
import { Pool, type WorkerHost } from './pool.ts';
import { type Walk, words } from './thread.ts';

export interface WasmOptions {
  /** Default: GRADIX_THREADS, else one per processor. */
  readonly threads?: number;
  /** Without it there is one thread. */
  readonly workers?: WorkerHost;
  /** False: memory of its own, one thread, as in a page that is not isolated. */
  readonly shared?: boolean;
  /** Seconds without a sign of life after which a worker is given up. Default: 60. */
  readonly patience?: number | undefined;
}

export interface WasmDevice extends CompiledDevice {
  /** Bytes in use, and the size of the whole memory. */
  readonly memory: () => { readonly used: number; readonly total: number };
  /** Threads that run now: workers take a moment to start. */
  readonly running: () => number;
}

interface Environment {
  readonly crossOriginIsolated?: boolean;
  readonly document?: unknown;
}

const environment = globalThis as Environment;

function threadCount(processors = 1): number {
  const wanted = Number(environmentVariable('GRADIX_THREADS') ?? processors);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 1024) fail('argument', 'GRADIX_THREADS', `expected a whole number from 1 to 1024, got "${wanted}"`);
  return wanted;
}

/** The device, or the reason why this engine cannot have it. */
export function wasmDevice(options: WasmOptions = {}): WasmDevice | { readonly unavailable: string } {
  if (typeof WebAssembly === 'undefined') return { unavailable: 'this engine has no WebAssembly' };
  const shareable = typeof SharedArrayBuffer !== 'undefined' && environment.crossOriginIsolated !== false;
  const threads = options.threads ?? threadCount(options.workers?.processors);
  const shared = (options.shared ?? shareable) && options.workers !== undefined;
  if (!shareable && threads > 1 && options.shared === undefined) {
    const headers = 'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';
    console.warn(`gradix: one thread, because this page is served without the headers ${headers}.`);
  }
  const fma = WebAssembly.validate(relaxedProbe());
  const heap = new Heap(shared);
  const pool = new Pool(heap, options.workers, shared ? threads : 1, options.patience);
  const target: Target = {
    language: 'wasm',
    lanes: 4,
    // Of 16, engines keep one to themselves; without a fused multiply-add the product needs another.
    registers: fma ? 15 : 11,
    fma,
    masks: false,
    threads: shared ? threads : 1,
    l1Bytes: 32 * 2 ** 10,
    l2Bytes: 512 * 2 ** 10,
    identity: `wasm${fma ? ' relaxed' : ''}${shared ? ' shared' : ''}`,
  };
  return new Device(target, heap, pool);
}

class Device implements WasmDevice {
  readonly name = 'wasm';
  readonly target: Target;
  private readonly heap: Heap;
  private readonly pool: Pool;
  private readonly queue: RunQueue;

  constructor(target: Target, heap: Heap, pool: Pool) {
    this.target = target;
    this.heap = heap;
    this.pool = pool;
    this.queue = new RunQueue(pool);
  }

  allocate(byteLength: number) {
    return this.heap.allocate(byteLength);
  }

  holds(storage: Storage): boolean {
    return (storage as Partial<WasmStorage>).heap === this.heap;
  }

  memory() {
    return { used: this.heap.used, total: this.heap.memory.buffer.byteLength };
  }

  running(): number {
    return 1 + this.pool.ready;
  }

  loadSync(program: Program): Executable {
    const prepared = this.prepare(program);
    return this.executable(prepared, new WebAssembly.Module(prepared.rendered.bytes));
  }

  async load(program: Program): Promise<Executable> {
    const prepared = this.prepare(program);
    return this.executable(prepared, await WebAssembly.compile(prepared.rendered.bytes));
  }

  private prepare(program: Program) {
    const { heap, pool, target } = this;
    if (pool.delegates(estimatedSeconds(program))) pool.expectDelegation();
    const owner = {};
    const arena = heap.reserveZeros(owner, program.arenaBytes);
    const bindings = heap.reserveFor(owner, 4 * (program.inputs.length + program.outputs.length));
    const render = (times: number | undefined): RenderedProgram =>
      renderProgram(program, target, { arena, bindings, barrier: heap.shared ? 4 * words.barrier : undefined, times });
    const rendered = render(undefined);
    debug(5, () => printFunctions(rendered.functions));
    return { program, owner, places: { arena, bindings }, rendered, render };
  }

  private executable({ program, owner, places, rendered, render }: ReturnType<Device['prepare']>, module: WebAssembly.Module): Executable {
    const { heap, pool, queue, target } = this;
    const instantiate = (compiled: WebAssembly.Module, bytes: Uint8Array): LoadedModule => {
      const instance = new WebAssembly.Instance(compiled, { host: { memory: heap.memory, ...pool.functions } });
      return { walk: instance.exports.walk as Walk, bytes };
    };
    const timed = (times: number): LoadedModule => {
      const { bytes } = render(times);
      return instantiate(new WebAssembly.Module(bytes), bytes);
    };
    const loaded = instantiate(module, rendered.bytes);
    return makeExecutable({
      program,
      heap,
      pool,
      queue,
      threads: target.threads,
      places,
      owner,
      module: loaded,
      timed,
      source: () => printFunctions(render(undefined).functions),
    });
  }
}
