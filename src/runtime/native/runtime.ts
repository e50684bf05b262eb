/** The C runtime as functions: loaded through koffi, the only library that goes this way. Machine addresses are plain numbers here. */
import { createRequire } from 'node:module';
import { fail } from '../../core/errors.ts';

export interface Runtime {
  /** Makes the process's thread pool at least so large; returns how many threads a program may have, the caller counted. */
  start(threads: number, cpus: readonly number[]): number;
  /** The handle of a library of kernels, or the loader's message. */
  open(path: string): number | string;
  /** The address of a function; 0 when the library has none of this name. */
  symbol(library: number, name: string): number;
  /** C keeps the address of `bound`: who owns the program must keep a reference to it. */
  create(words: Float64Array, bound: Float64Array): number;
  /** Frees the program some time after its owner was collected. */
  freeAfter(owner: object, program: number): void;
  run(program: number, sequence: number, profiled: boolean): void;
  runAsync(program: number, sequence: number, done: (error: unknown) => void): void;
  /** Asks for large pages under memory that has not been touched yet. */
  largePages(address: number, bytes: number): void;
  times(program: number, out: Float64Array): void;
}

type Koffi = typeof import('koffi');
let koffi: Koffi | undefined;

/** Kernels keep packed panels on the stack, and koffi brings its own: 128 KiB for asynchronous calls unless told otherwise. */
const stackBytes = 8 * 2 ** 20;

/** Loads koffi on first use, so that importing gradix costs nothing. Throws what Node throws when it is not installed. */
function loadKoffi(): Koffi {
  if (koffi) return koffi;
  koffi = createRequire(import.meta.url)('koffi') as Koffi;
  try {
    koffi.config({ sync_stack_size: stackBytes, async_stack_size: stackBytes });
  } catch {
    // The application has used koffi already; asynchronous runs then stay synchronous (deepStack below).
  }
  return koffi;
}

/** Where the bytes of a view lie. ArrayBuffers never move. */
export const addressOf = (view: Uint8Array): number => Number(loadKoffi().address(view));

export function loadRuntime(path: string): Runtime {
  const library = loadKoffi().load(path);
  const start = library.func('int gx_start(int threads, const double *cpus, int count)');
  const open = library.func('double gx_open(const char *path)');
  const symbol = library.func('double gx_symbol(double library, const char *name)');
  const message = library.func('const char *gx_message()');
  const create = library.func('double gx_create(const double *words, const double *bound)');
  const free = library.func('void gx_free(double program)');
  const run = library.func('void gx_run(double program, double sequence, int profiled)');
  const largePages = library.func('void gx_large_pages(double address, double bytes)');
  const times = library.func('void gx_times(double program, void *out)');
  const registry = new FinalizationRegistry<number>((program) => free(program));
  const deepStack = (loadKoffi().config().async_stack_size ?? 0) >= stackBytes;
  return {
    start: (threads, cpus) => start(threads, Float64Array.from(cpus), cpus.length) as number,
    open: (file) => (open(file) as number) || (message() as string),
    symbol: (handle, name) => symbol(handle, name) as number,
    create(words, bound) {
      const program = create(words, bound) as number;
      if (program !== 0) return program;
      const megabytes = Math.ceil(words[5] / 2 ** 20);
      if ((message() as string) !== 'arena') fail('device', 'native', 'out of memory');
      const problem = `the program needs ${megabytes} MiB of working memory, which this machine does not have`;
      return fail('device', 'native', problem, 'A smaller batch or checkpoint() needs less.');
    },
    freeAfter: (owner, program) => registry.register(owner, program),
    run: (program, sequence, profiled) => void run(program, sequence, profiled ? 1 : 0),
    runAsync(program, sequence, done) {
      if (deepStack) run.async(program, sequence, 0, done);
      else {
        run(program, sequence, 0);
        setImmediate(done, undefined);
      }
    },
    largePages: (address, bytes) => void largePages(address, bytes),
    times: (program, out) => void times(program, out),
  };
}
