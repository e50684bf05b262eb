/** What the native device needs to know of the machine: which processors to use, cache sizes, vector registers. */
import { availableParallelism } from 'node:os';
import { environmentVariable } from '../../core/debug.ts';
import { fail } from '../../core/errors.ts';
import type { Target } from '../../ir/ir.ts';
import { type Compiler, readText as read } from './compiler.ts';

export interface Processors {
  /** Processors this process may use: one per core first, then the cores' further hardware threads. */
  readonly list: readonly number[];
  /** How many of them make sense for arithmetic: cores, within the container's quota. */
  readonly cores: number;
}

/** "0-3,8" → [0, 1, 2, 3, 8] */
function parseRanges(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return part.trim() === '' ? [] : Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** The process's own list (not the calling thread's, which a caller may have narrowed). */
export function processors(): Processors {
  const allowed = parseRanges(/^Cpus_allowed_list:\s*(.*)$/m.exec(read('/proc/self/status'))?.[1] ?? '');
  if (allowed.length === 0) return { list: Array.from({ length: availableParallelism() }, (_, i) => i), cores: availableParallelism() };
  const coreOf = new Map<number, string>();
  for (const block of read('/proc/cpuinfo').split('\n\n')) {
    const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(\\d+)$`, 'm').exec(block)?.[1];
    const [processor, core] = [field('processor'), field('core id')];
    if (processor !== undefined && core !== undefined) coreOf.set(Number(processor), `${field('physical id')}/${core}`);
  }
  const first = new Map<string, number>();
  for (const cpu of allowed) {
    const core = coreOf.get(cpu) ?? `cpu ${cpu}`;
    if (!first.has(core)) first.set(core, cpu);
  }
  const primary = [...first.values()];
  return { list: [...primary, ...allowed.filter((cpu) => !primary.includes(cpu))], cores: Math.max(1, Math.min(primary.length, cpuQuota())) };
}

/** CPUs' worth of time that the container may use. */
function cpuQuota(): number {
  const [quota, period] = read('/sys/fs/cgroup/cpu.max').trim().split(' ').map(Number);
  return quota > 0 && period > 0 ? Math.ceil(quota / period) : Number.POSITIVE_INFINITY;
}

/** GRADIX_THREADS, or one thread per core. */
export function threadCount(cores: number): number {
  const text = environmentVariable('GRADIX_THREADS');
  if (text === undefined) return cores;
  const wanted = Number(text);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 1024) fail('argument', 'GRADIX_THREADS', `expected a whole number from 1 to 1024, got "${text}"`);
  return wanted;
}

/** Bytes of the data cache of a level of the first processor. */
function cacheBytes(level: number, otherwise: number): number {
  for (let index = 0; index < 8; index++) {
    const folder = `/sys/devices/system/cpu/cpu0/cache/index${index}`;
    if (Number(read(`${folder}/level`)) !== level || read(`${folder}/type`).trim() === 'Instruction') continue;
    const size = /^(\d+)([KM]?)/.exec(read(`${folder}/size`));
    if (size) return Number(size[1]) * (size[2] === 'M' ? 2 ** 20 : size[2] === 'K' ? 2 ** 10 : 1);
  }
  return otherwise;
}

export function targetOf(compiler: Compiler, threads: number): Target {
  const has = (macro: string) => compiler.macros.some((line) => line.startsWith(`${macro} `));
  const avx512 = has('__AVX512F__') && has('__AVX512BW__') && has('__AVX512DQ__') && has('__AVX512VL__');
  const arm = has('__aarch64__') || has('__ARM_NEON');
  return {
    language: 'c',
    lanes: avx512 ? 16 : has('__AVX2__') ? 8 : 4,
    registers: avx512 || arm ? 32 : 16,
    fma: avx512 || has('__FMA__') || arm,
    masks: avx512,
    threads,
    l1Bytes: cacheBytes(1, 32 * 2 ** 10),
    l2Bytes: cacheBytes(2, 2 ** 20),
    identity: compiler.identity,
  };
}
