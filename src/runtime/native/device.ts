/** The native device: programs compiled to C for this processor by the system's compiler, run by a pool of pinned threads. */

import { renderKernel } from '../../codegen/c.ts';
import { debug, debugLevel } from '../../core/debug.ts';
import { GradixError } from '../../core/errors.ts';
import type { Kernel, Target } from '../../ir/ir.ts';
import type { Program } from '../../ir/program.ts';
import type { CompiledDevice, Executable } from '../device.ts';
import { cPrelude, runtimeSource } from './c-text.ts';
import { type Cache, openCache, temporaryCache } from './cache.ts';
import { type Compiler, compileSync, digest, findCompiler, type Unavailable } from './compiler.ts';
import { makeExecutable, newRunQueue } from './executable.ts';
import { inWorkDirectory, kernelLoader, namePlaceholder } from './kernels.ts';
import { processors, targetOf, threadCount } from './machine.ts';
import { allocate } from './memory.ts';
import { programStore } from './programs.ts';
import { loadRuntime, type Runtime } from './runtime.ts';

export interface NativeOptions {
  /** Default: GRADIX_THREADS, else one per core. */
  readonly threads?: number;
  /** Prints the kernels; another one serves tests. */
  readonly renderer?: { readonly kernel: (kernel: Kernel, target: Target, name: string) => string; readonly prelude: (target: Target) => string };
}

/** The device, or the reason why this machine cannot have it (no compiler, no koffi, no place for libraries). */
export function nativeDevice(options: NativeOptions = {}): CompiledDevice | Unavailable {
  if (process.platform === 'win32') return { unavailable: 'the native device needs Linux or macOS' };
  const { list, cores } = processors();
  const wanted = options.threads ?? threadCount(cores);
  try {
    return openDevice(wanted, list, options);
  } catch (error) {
    return { unavailable: (error instanceof Error ? error.message : String(error)).replace(/\nRequire stack:.*$/s, '') };
  }
}

function openDevice(
  wanted: number,
  list: readonly number[],
  { renderer = { kernel: renderKernel, prelude: cPrelude } }: NativeOptions,
): CompiledDevice | Unavailable {
  const opened = openCache();
  const compiler = findCompiler(opened.directory);
  if ('unavailable' in compiler) return compiler;
  const { cache, runtime } = runtimeFrom(opened, compiler);
  if (cache.warning !== undefined) console.warn(`gradix: ${cache.warning}`);
  const target = targetOf(compiler, runtime.start(wanted, list));
  const loader = kernelLoader({ compiler, cache, runtime, prelude: renderer.prelude(target) });
  const store = programStore(cache, target);
  const queue = newRunQueue();
  debug(1, () => `native: ${compiler.command.join(' ')}, ${target.lanes} lanes, ${target.threads} threads, kernels in ${cache.directory}`);

  const render = (program: Program): string[] => {
    const texts = program.kernels.map((kernel) => renderer.kernel(kernel, target, namePlaceholder));
    debug(5, () => sourceOf(program, texts));
    return texts;
  };
  const executable = (program: Program, texts: readonly string[], addresses: readonly number[]): Executable =>
    makeExecutable({ program, addresses, threads: target.threads, runtime, queue, source: () => sourceOf(program, texts) });

  const rendered = (program: Program, structure: string | undefined): string[] => {
    const texts = render(program);
    if (structure !== undefined) store.keep(structure, { program, texts });
    return texts;
  };

  return {
    name: 'native',
    target,
    readsInPlace: true,
    allocate: (byteLength) => allocate(byteLength, runtime),
    recall(structure) {
      // Higher levels of debugging show the compiler at work.
      const stored = debugLevel() < 3 ? store.find(structure) : undefined;
      return stored && { program: stored.program, executable: executable(stored.program, stored.texts, loader.loadSync(stored.texts)) };
    },
    loadSync(program, structure) {
      const texts = rendered(program, structure);
      return executable(program, texts, loader.loadSync(texts));
    },
    async load(program, structure) {
      const texts = rendered(program, structure);
      return executable(program, texts, await loader.load(texts));
    },
  };
}

const sourceOf = (program: Program, texts: readonly string[]): string =>
  texts
    .map((text, k) => {
      const { name, comment } = program.kernels[k];
      return `/* ${name}: ${comment.replaceAll('*/', '* /')} */\n${text.replace(/^\/\*.*\*\/\n/, '').replaceAll(namePlaceholder, name)}`;
    })
    .join('\n');

/** Loads the C runtime, compiling it the first time. A directory that libraries cannot be loaded from (mounted noexec) is given up for a temporary one. */
function runtimeFrom(cache: Cache, compiler: Compiler): { cache: Cache; runtime: Runtime } {
  const source = runtimeSource();
  const key = digest(compiler.identity + source);
  const library = cache.lookUp(key);
  const path = library === undefined ? undefined : cache.verified(library);
  try {
    return { cache, runtime: loadRuntime(path ?? compileRuntime(cache, compiler, source, key)) };
  } catch (error) {
    // A compiler that fails here fails there too; the same error again is the answer.
    if (error instanceof GradixError || cache.warning !== undefined || (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') throw error;
    const other = temporaryCache(`cannot use the cache directory ${cache.directory}: ${(error as Error).message}. Kernels are compiled anew for this process`);
    return { cache: other, runtime: loadRuntime(compileRuntime(other, compiler, source, key)) };
  }
}

function compileRuntime(cache: Cache, compiler: Compiler, source: string, key: string): string {
  const library = inWorkDirectory(cache, (directory) => cache.add(compileSync(compiler, directory, [source])[0], [key]));
  const path = cache.verified(library);
  if (path === undefined) throw new Error('the compiled runtime changed on disk');
  return path;
}
