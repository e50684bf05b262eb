import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kernel, launch, output, program } from '../../../test/support/native.ts';
import type { Target } from '../../ir/ir.ts';
import { type Cache, openCache } from './cache.ts';
import { programStore } from './programs.ts';

const target: Target = {
  language: 'c',
  lanes: 8,
  registers: 16,
  fma: true,
  masks: false,
  threads: 2,
  l1Bytes: 32768,
  l2Bytes: 524288,
  identity: 'gcc',
};
const stored = { program: program({ kernels: [kernel('one', 'x0[from] = 1;')], steps: [launch(0, 4, [output(0)])], inputs: [], outputs: [4] }), texts: ['…'] };

describe('remembered programs', () => {
  let folder: string;
  let cache: Cache;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradix-programs-'));
    cache = openCache(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are found again by structure, build and target', () => {
    programStore(cache, target, 'build').keep('graph', stored);
    expect(programStore(openCache(folder), target, 'build').find('graph')).toEqual(stored);
    expect(programStore(cache, target, 'build').find('another graph')).toBeUndefined();
    expect(programStore(cache, target, 'another build').find('graph')).toBeUndefined();
    expect(programStore(cache, { ...target, threads: 3 }, 'build').find('graph')).toBeUndefined();
  });

  it('leave nothing but their file behind, and damaged ones count as missing', () => {
    const store = programStore(cache, target, 'build');
    store.keep('graph', stored);
    const [file, ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    for (const damaged of ['', text.slice(0, -1), text.replace('"units":4', '"units":9'), 'no line']) {
      writeFileSync(path, damaged);
      expect(store.find('graph')).toBeUndefined();
    }
    writeFileSync(path, text);
    expect(store.find('graph')).toEqual(stored);
  });

  it('are not kept while the state of the compiler is unknown, and a cache that cannot be written to is no error', () => {
    const store = programStore(cache, target);
    store.keep('graph', stored);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
    expect(() => programStore(cache, target, 'build').keep('graph', stored)).not.toThrow();
  });
});
