/**
 * From C texts to machine addresses. Each kernel is looked up by the digest of its text: in this process, then in the cache on disk;
 * the missing ones are compiled together, in as many units as there are processors, and remembered.
 */

import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { debug } from '../../core/debug.ts';
import { fail, GradixError } from '../../core/errors.ts';
import type { Cache } from './cache.ts';
import { type Compiler, compile, compileSync, digest } from './compiler.ts';
import type { Runtime } from './runtime.ts';

/** Stands in a kernel's text where its name will be: the name is the digest of the text. */
export const namePlaceholder = 'gx_kernel_name';

export interface KernelLoader {
  /** Addresses of the kernels whose C texts are given (each defines one function called `namePlaceholder`). */
  loadSync(texts: readonly string[]): number[];
  load(texts: readonly string[]): Promise<number[]>;
}

export interface KernelLoaderOptions {
  readonly compiler: Compiler;
  readonly cache: Cache;
  readonly runtime: Runtime;
  /** Stands once at the head of every unit. */
  readonly prelude: string;
}

interface Missing {
  readonly key: string;
  readonly text: string;
}

export function kernelLoader({ compiler, cache, runtime, prelude }: KernelLoaderOptions): KernelLoader {
  const addresses = new Map<string, number>();
  /** Handles of the cache's libraries that are open. */
  const libraries = new Map<string, number>();
  let pruned = false;
  const salt = `${digest(compiler.identity + prelude)}\n`;
  const keyOf = (text: string) => digest(salt + text);
  const symbolOf = (key: string) => `gx_${key.slice(0, 40)}`;
  const unitText = (group: readonly Missing[]) => [prelude, ...group.map(({ key, text }) => text.replaceAll(namePlaceholder, symbolOf(key)))].join('\n');

  /** The handle of a library of the cache, or why it cannot be loaded. */
  function openLibrary(library: string): number | string {
    const known = libraries.get(library);
    if (known !== undefined) return known;
    const path = cache.verified(library);
    const handle = path === undefined ? 'it changed on disk' : runtime.open(path);
    if (typeof handle === 'number') libraries.set(library, handle);
    return handle;
  }

  /** Looks the kernel up in the cache; whether it was found. */
  function find(key: string): boolean {
    if (addresses.has(key)) return true;
    const library = cache.lookUp(key);
    const handle = library === undefined ? undefined : openLibrary(library);
    const address = typeof handle === 'number' ? runtime.symbol(handle, symbolOf(key)) : 0;
    if (address !== 0) addresses.set(key, address);
    return address !== 0;
  }

  function store(group: readonly Missing[], path: string): void {
    const keys = group.map((kernel) => kernel.key);
    const handle = openLibrary(cache.add(path, keys));
    if (typeof handle === 'string') fail('compile', 'native', `cannot load the compiled kernels: ${handle}`);
    for (const key of keys) {
      const address = runtime.symbol(handle, symbolOf(key));
      if (address === 0) fail('internal', 'native', `the compiled unit does not define ${symbolOf(key)}`);
      addresses.set(key, address);
    }
  }

  const plan = (texts: readonly string[]) => {
    const keys = texts.map(keyOf);
    const found = new Map<string, Missing>();
    for (const [i, key] of keys.entries()) if (!found.has(key) && !find(key)) found.set(key, { key, text: texts[i] });
    const groups = balance([...found.values()]);
    return { keys, count: found.size, groups, units: groups.map(unitText), start: performance.now() };
  };
  const finish = ({ count, groups, start }: ReturnType<typeof plan>, paths: readonly string[]) => {
    for (const [i, path] of paths.entries()) store(groups[i], path);
    if (!pruned) cache.prune();
    pruned = true;
    debug(1, () => `native: compiled ${count} kernels in ${groups.length} units, ${(performance.now() - start).toFixed(0)} ms`);
  };
  const known = (keys: readonly string[]) => keys.map((key) => addresses.get(key) ?? fail('internal', 'native', 'a kernel was not compiled'));

  return {
    loadSync(texts) {
      const work = plan(texts);
      if (work.count > 0) inWorkDirectory(cache, (directory) => finish(work, compileSync(compiler, directory, work.units)));
      return known(work.keys);
    },
    async load(texts) {
      const work = plan(texts);
      if (work.count > 0) await inWorkDirectory(cache, async (directory) => finish(work, await compile(compiler, directory, work.units)));
      return known(work.keys);
    },
  };
}

/** Runs `work`, perhaps asynchronous, in a new directory of the cache that is removed afterwards. */
export function inWorkDirectory<T>(cache: Cache, work: (directory: string) => T): T {
  let directory: string | undefined;
  const remove = () => directory === undefined || rmSync(directory, { recursive: true, force: true });
  const giveUp = (error: unknown): never => {
    remove();
    if (error instanceof GradixError) throw error;
    const problem = `cannot keep compiled kernels in ${cache.directory}: ${(error as Error).message}`;
    return fail('file', 'native', problem, 'GRADIX_CACHE chooses another directory.', error);
  };
  try {
    directory = cache.workDirectory();
    const result = work(directory);
    if (result instanceof Promise) return result.catch(giveUp).finally(remove) as T;
    remove();
    return result;
  } catch (error) {
    return giveUp(error);
  }
}

/** Groups for the compiler to work on at once: the longest text goes first, each to the group that is shortest so far. */
function balance(kernels: readonly Missing[]): Missing[][] {
  const groups = Array.from({ length: Math.min(kernels.length, availableParallelism()) }, () => ({ length: 0, kernels: [] as Missing[] }));
  for (const kernel of [...kernels].sort((a, b) => b.text.length - a.text.length)) {
    const shortest = groups.reduce((a, b) => (b.length < a.length ? b : a));
    shortest.kernels.push(kernel);
    shortest.length += kernel.text.length;
  }
  return groups.map((group) => group.kernels);
}
