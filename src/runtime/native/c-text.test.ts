/** The C texts compile without a warning, for every vector width that the compiler knows. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cPrelude, runtimeSource } from './c-text.ts';
import { findCompiler } from './compiler.ts';

const directory = mkdtempSync(join(tmpdir(), 'gradix-c-'));
const compiler = findCompiler(directory);
rmSync(directory, { recursive: true, force: true });

/** What a compiler says of a text that it only reads. */
function warningsOf(text: string, machine: readonly string[]): string {
  if ('unavailable' in compiler) throw new Error(compiler.unavailable);
  const [command, ...leading] = compiler.command;
  // Vectors wider than the machine's are passed in memory; all functions that take them are inlined or local.
  const flags = ['-fsyntax-only', '-std=gnu11', '-Wall', '-Wextra', '-Wno-psabi', ...machine];
  const { status, stderr } = spawnSync(command, [...leading, ...flags, '-x', 'c', '-'], { input: text, encoding: 'utf8' });
  return status === 0 ? stderr : `status ${status}: ${stderr}`;
}

const isX86 = !('unavailable' in compiler) && compiler.macros.some((macro) => macro.startsWith('__x86_64__'));
const machines: readonly (readonly [name: string, lanes: number, flags: readonly string[]])[] = isX86
  ? [
      ['SSE2', 4, ['-msse2']],
      ['AVX', 8, ['-mavx']],
      ['AVX2', 8, ['-mavx2', '-mfma', '-mf16c']],
      ['AVX-512', 16, ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl']],
    ]
  : [['this machine', 4, []]];

describe.skipIf('unavailable' in compiler)('C texts', () => {
  it('the runtime', () => {
    expect(warningsOf(runtimeSource(), [])).toBe('');
  });
  it.each(machines)('the prelude of kernels for %s', (_, lanes, flags) => {
    expect(warningsOf(cPrelude({ lanes }), flags)).toBe('');
  });
  it('no width but those', () => {
    expect(warningsOf(cPrelude({ lanes: 5 }), [])).toMatch(/LANES must be 4, 8 or 16/);
  });
});
