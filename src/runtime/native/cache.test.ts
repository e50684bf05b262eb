import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { floats, inDirectory, input, kernel, launch, output, program, storageOf, testDevice, tryDevice } from '../../../test/support/native.ts';
import type { CompiledDevice } from '../device.ts';
import { openCache } from './cache.ts';
import { digest } from './compiler.ts';
import { threadCount } from './machine.ts';

const saved = { ...process.env };
const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
beforeEach(() => warn.mockClear());
afterEach(() => {
  for (const name of ['GRADIX_CACHE', 'GRADIX_CC', 'GRADIX_THREADS', 'CC', 'PATH', 'FAIL']) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
});

const tripled = program({
  kernels: [kernel('triple', 'for (int64_t i = from; i < to; i++) x1[i] = 3 * x0[i];')],
  steps: [launch(0, 4, [input(0), output(0)])],
  inputs: [4],
  outputs: [4],
});

function triple(device: CompiledDevice): number[] {
  const result = device.allocate(16);
  device.loadSync(tripled).run([storageOf(device, [1, 2, 3, 4])], [result]);
  return [...floats(result)];
}

const libraries = (directory: string) => readdirSync(directory).filter((name) => name.endsWith('.so'));
const reason = () => {
  const device = tryDevice();
  return 'unavailable' in device ? device.unavailable : 'available';
};

/** A compiler that does `first` before it becomes the real one. */
function compilerScript(directory: string, first: string): void {
  const path = join(directory, 'my cc');
  writeFileSync(path, `#!/bin/sh\n${first}\nexec cc "$@"\n`);
  chmodSync(path, 0o755);
  process.env.GRADIX_CC = path;
}

describe('cache', () => {
  it('makes its directory private, keeps what it compiled, and starts without the compiler next time', () =>
    inDirectory((directory) => {
      process.env.GRADIX_CACHE = join(directory, 'a', 'b');
      compilerScript(directory, `echo run >> '${directory}/runs'`);
      expect(triple(testDevice())).toEqual([3, 6, 9, 12]);
      expect(statSync(join(directory, 'a', 'b')).mode & 0o777).toBe(0o700);
      const runs = readFileSync(join(directory, 'runs'), 'utf8');
      expect(triple(testDevice())).toEqual([3, 6, 9, 12]);
      expect(readFileSync(join(directory, 'runs'), 'utf8')).toBe(runs);
      expect(readdirSync(join(directory, 'a', 'b')).filter((name) => name.startsWith('tmp-'))).toEqual([]);
    }));

  it.each([
    ['truncated', (path: string) => truncateSync(path, 5000)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['overwritten', (path: string) => writeFileSync(path, readFileSync(path).fill(7, 3000, 9000))],
  ])('compiles again what was %s', (_how, damage) =>
    inDirectory((directory) => {
      process.env.GRADIX_CACHE = directory;
      triple(testDevice());
      // Files are replaced, not changed: the process has the old ones mapped.
      for (const name of libraries(directory)) {
        const bytes = readFileSync(join(directory, name));
        spawnSync('rm', [join(directory, name)]);
        writeFileSync(join(directory, name), bytes);
        damage(join(directory, name));
      }
      expect(triple(testDevice())).toEqual([3, 6, 9, 12]);
      for (const name of libraries(directory)) expect(`${digest(readFileSync(join(directory, name)))}.so`).toBe(name);
    }),
  );

  it('may be deleted while it is in use', () =>
    inDirectory((directory) => {
      process.env.GRADIX_CACHE = join(directory, 'cache');
      const device = testDevice();
      rmSync(join(directory, 'cache'), { recursive: true });
      expect(triple(device)).toEqual([3, 6, 9, 12]);
    }));

  it('survives damaged index and machine files', () =>
    inDirectory((directory) => {
      process.env.GRADIX_CACHE = directory;
      triple(testDevice());
      for (const name of readdirSync(directory)) if (!name.endsWith('.so')) writeFileSync(join(directory, name), name.endsWith('.json') ? '{"flags": [1' : 'x');
      expect(triple(testDevice())).toEqual([3, 6, 9, 12]);
    }));

  it('refuses a directory that others may write to, and works without it', () =>
    inDirectory((directory) => {
      const open = join(directory, 'open');
      mkdirSync(open);
      chmodSync(open, 0o777);
      process.env.GRADIX_CACHE = open;
      expect(triple(testDevice())).toEqual([3, 6, 9, 12]);
      expect(warn.mock.calls.join()).toContain(`cannot use the cache directory ${open}: others may write to it`);
      expect(readdirSync(open)).toEqual([]);
    }));

  it.each([
    ['below a file', (directory: string) => join(directory, 'file', 'cache')],
    ['below /proc', () => '/proc/gradix/cache'],
  ])('falls back to a temporary directory when its own would be %s', (_where, path) =>
    inDirectory((directory) => {
      writeFileSync(join(directory, 'file'), '');
      process.env.GRADIX_CACHE = path(directory);
      expect(triple(testDevice())).toEqual([3, 6, 9, 12]);
      expect(warn.mock.calls.join()).toContain('cannot use the cache directory');
    }),
  );

  it('removes the libraries used longest ago', () =>
    inDirectory((directory) => {
      const cache = openCache(directory);
      const added = [1, 2, 3].map((i) => {
        const path = join(directory, `tmp-${i}`);
        writeFileSync(path, Buffer.alloc(1000, i));
        const library = cache.add(path, [digest(String(i))]);
        utimesSync(join(directory, `${library}.so`), i * 1000, i * 1000);
        return library;
      });
      cache.prune(2500);
      expect(added.map((library) => existsSync(join(directory, `${library}.so`)))).toEqual([false, true, true]);
      expect([1, 2, 3].map((i) => cache.lookUp(digest(String(i))))).toEqual([undefined, added[1], added[2]]);
    }));

  it('is shared by two processes that fill it at the same time', { timeout: 60_000 }, () =>
    inDirectory(async (directory) => {
      const root = resolve(import.meta.dirname, '../../..');
      const configuration = {
        extends: join(root, 'tsconfig.build.json'),
        compilerOptions: {
          rootDir: root,
          outDir: join(directory, 'js'),
          noCheck: true,
          declaration: false,
          typeRoots: [join(root, 'node_modules/@types')],
        },
      };
      writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ ...configuration, include: [], files: [join(root, 'test/support/native.ts')] }));
      writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
      const built = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory], { encoding: 'utf8' });
      expect(built.stdout).toBe('');
      cpSync(join(root, 'src/runtime/native/c'), join(directory, 'js/src/runtime/native/c'), { recursive: true });
      writeFileSync(
        join(directory, 'main.js'),
        `import { floats, kernel, launch, input, program, storageOf, testDevice } from './js/test/support/native.js';
        const device = testDevice(2);
        const kernels = Array.from({ length: 24 }, (_, k) => kernel('k' + k, 'for (int64_t i = from; i < to; i++) x0[i] += ' + k + ';'));
        const state = storageOf(device, [0, 0, 0, 0]);
        device.loadSync(program({ kernels, steps: kernels.map((_, k) => launch(k, 4, [input(0)], 4)), inputs: [4], outputs: [] })).run([state], []);
        console.log(floats(state).join());`,
      );
      const env = { ...process.env, NODE_PATH: join(root, 'node_modules'), GRADIX_CACHE: join(directory, 'cache') };
      const outputOf = (child: ChildProcess) =>
        new Promise<string>((done) => {
          let text = '';
          child.stdout?.on('data', (chunk) => (text += chunk));
          child.stderr?.on('data', (chunk) => (text += chunk));
          child.on('close', () => done(text.trim()));
        });
      const start = () => outputOf(spawn(process.execPath, [join(directory, 'main.js')], { env }));
      expect(await Promise.all([start(), start(), start()])).toEqual(Array(3).fill('276,276,276,276'));
      expect(await start()).toBe('276,276,276,276');
    }),
  );
});

describe('compiler', () => {
  it('is missed with a reason', () =>
    inDirectory((directory) => {
      process.env.GRADIX_CACHE = directory;
      process.env.GRADIX_CC = '/no/such/compiler';
      expect(reason()).toContain('GRADIX_CC, "/no/such/compiler", was not found');
      process.env.GRADIX_CC = '';
      process.env.CC = '';
      process.env.PATH = directory;
      expect(reason()).toContain('no C compiler was found');
    }));

  it('that is none, dies or cannot compile makes the device unavailable', () =>
    inDirectory((directory) => {
      process.env.GRADIX_CACHE = join(directory, 'cache');
      process.env.GRADIX_CC = '/bin/true';
      expect(reason()).toContain('is no C compiler');
      compilerScript(directory, 'kill -9 $$');
      expect(reason()).toContain('was killed by SIGKILL');
      compilerScript(directory, 'case "$*" in *-dM*) ;; *) echo "fatal error: pthread.h: No such file" >&2; exit 1 ;; esac');
      expect(reason()).toContain('failed with status 1:\nfatal error: pthread.h: No such file');
    }));

  it('that fails later is a clear error, and the next attempt may succeed', () =>
    inDirectory(async (directory) => {
      process.env.GRADIX_CACHE = join(directory, 'cache');
      compilerScript(directory, '[ "$FAIL" = 1 ] && kill -9 $$');
      const device = testDevice();
      process.env.FAIL = '1';
      expect(() => device.loadSync(tripled)).toThrow(/was killed by signal 9/);
      await expect(device.load(tripled)).rejects.toThrow(/was killed by signal 9/);
      process.env.FAIL = '0';
      expect(triple(device)).toEqual([3, 6, 9, 12]);
    }));

  it('shows its first errors', () => {
    const broken = program({ kernels: [kernel('broken', 'int y = undeclared;')], steps: [launch(0, 1, [])], inputs: [], outputs: [] });
    expect(() => testDevice().loadSync(broken)).toThrow(/failed with status 1:\n.*undeclared/);
  });

  it('may come with arguments', () => {
    process.env.GRADIX_CC = 'cc -DUNUSED';
    expect(triple(testDevice())).toEqual([3, 6, 9, 12]);
  });
});

describe('threads', () => {
  it('follow GRADIX_THREADS, which must be a whole number', () => {
    expect(threadCount(3)).toBe(3);
    process.env.GRADIX_THREADS = '5';
    expect(threadCount(3)).toBe(5);
    for (const wrong of ['many', '0', '1.5']) {
      process.env.GRADIX_THREADS = wrong;
      expect(() => threadCount(3)).toThrow(/GRADIX_THREADS: expected a whole number from 1 to 1024, got/);
    }
  });
});
