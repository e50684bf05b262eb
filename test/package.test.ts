/** The package as a stranger sees it: every public entry point exists with its declarations and can be imported; the rooms obey the architecture. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { nativeDevice } from '../src/runtime/native/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly node: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

it('every entry point is built, declared and importable', () => {
  for (const { types, node, default: code } of Object.values(manifest.exports))
    for (const file of [types, node, code]) expect(existsSync(join(root, file)), file).toBe(true);
  for (const file of Object.values(manifest.bin)) expect(existsSync(join(root, file)), file).toBe(true);
  const names = Object.keys(manifest.exports).map((path) => path.replace('.', 'gradix'));
  const program = `for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import(name)).length);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' });
  expect(output.trim().split('\n')).toHaveLength(names.length);
  expect(output).not.toMatch(/ 0$/m);
});

const architecture = join(root, 'scripts/architecture.mjs');

/** What the architecture check says about a source tree. */
function problemsOf(files: Readonly<Record<string, string>>, published?: object): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'gradix-architecture-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const program = `import { inspect } from ${JSON.stringify(architecture)}; console.log(JSON.stringify(inspect(${JSON.stringify(folder)}, ${JSON.stringify(published)}).problems));`;
    return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })) as string[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it('the architecture check sees wrong arrows, cycles, stray Node imports and long files', () => {
  expect(problemsOf({ 'core/a.ts': '/** import nothing from "x" */\nexport const a = 1;\n', 'graph/b.ts': "import { a } from '../core/a.ts';\n" })).toEqual([]);
  expect(problemsOf({ 'core/a.ts': "import type {\n  B,\n} from '../graph/b.ts';\n", 'graph/b.ts': '' })).toEqual([
    'core/a.ts: imports graph/b.ts, but core/ may import only nothing',
  ]);
  expect(problemsOf({ 'nn/a.ts': "export * from './b.ts';\n", 'nn/b.ts': "import './a.ts';\n" })).toEqual(['cycle: nn/a.ts → nn/b.ts → nn/a.ts']);
  expect(problemsOf({ 'tensor/a.ts': "const fs = await import('node:fs');\n" })[0]).toMatch(/Node's modules belong in/);
  expect(
    problemsOf({ 'io/files-node.ts': "import { readFile } from 'node:fs/promises';\n", 'runtime/native/load.ts': "import koffi from 'koffi';\n" }),
  ).toEqual([]);
  expect(problemsOf({ 'core/a.ts': 'export {};\n'.repeat(501) })).toEqual(['core/a.ts: 501 lines, more than 500']);
  expect(problemsOf({ 'zoo/a.ts': "import '../core/b.ts';\n", 'core/b.ts': '' })).toEqual(['zoo/a.ts: zoo/ is not in the table of rooms']);
});

it('the architecture check sees modules of Node that bundlers would find from what pages import', () => {
  const files = {
    'io/index.ts': "export * from './files.ts';\n",
    'io/files.ts': "import type { A } from './type-node.ts';\nexport const files = () => import('./disk-node.ts');\n",
    'io/type-node.ts': "import type { A } from 'node:fs';\n",
    'io/disk-node.ts': "import { readFile } from 'node:fs';\n",
  };
  const published = (browser: object) => ({ exports: { './io': { default: './dist/io/index.js' } }, browser });
  expect(problemsOf(files, published({ './dist/io/disk-node.js': false }))).toEqual([]);
  expect(problemsOf(files, published({}))).toEqual([
    'io/disk-node.ts: pages would load node:fs; import this file dynamically and name it in browser of package.json',
  ]);
  expect(problemsOf({ ...files, 'io/files.ts': "import './disk-node.ts';\n" }, published({ './dist/io/disk-node.js': false }))).toEqual([
    'io/files.ts: imports io/disk-node.ts statically, which pages do not have (browser in package.json)',
  ]);
  expect(problemsOf(files, published({ './dist/io/disk-node.js': false, './dist/io/gone.js': false }))).toEqual([
    'package.json: browser names io/gone.ts, which does not exist',
  ]);
});

/** A bundle for pages of a program that uses the package. What could not be resolved is an error. */
const bundledForPages = (program: string) =>
  buildSync({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });

it('every entry point can be bundled for pages, and none brings a part for Node along', () => {
  const names = Object.keys(manifest.exports).map((path) => path.replace('.', 'gradix'));
  const { metafile } = bundledForPages(names.map((name, i) => `import * as e${i} from '${name}'; console.log(e${i});`).join('\n'));
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((input) => input.startsWith('dist/')).length).toBeGreaterThan(200);
  expect(inputs.filter((input) => /^dist\/.*(-node|host|native\/.*)\.js$/.test(input))).toEqual([]);
});

it('a training page is small: the engine with its device, one layer and one optimizer', () => {
  const program = `import { compile, nn, optim, random } from 'gradix';
    const model = nn.linear(3);
    const optimizer = optim.sgd();
    const step = compile((x) => { const loss = model.apply(x).square().mean(); optimizer.minimize(loss, model); return loss; });
    console.log(await step(random.normal([4, 5])).item());`;
  expect(gzipSync(bundledForPages(program).outputFiles[0].contents).length).toBeLessThan(120 * 1024);
});

const opened = nativeDevice();

it.skipIf('unavailable' in opened)('a later process takes compiled programs from the cache and computes the same', () => {
  const cache = mkdtempSync(join(tmpdir(), 'gradix-recall-'));
  const program = `
    import { compile, nn, optim, random, seed } from 'gradix';
    seed(3);
    const model = nn.sequential(nn.linear(8), nn.tanh(), nn.linear(3));
    const optimizer = optim.adam({ learningRate: 0.1 });
    const step = compile((x, y) => { const loss = nn.crossEntropy(model.apply(x), y); optimizer.minimize(loss, model); return loss; });
    const [x, y] = [random.normal([16, 4], { seed: 1 }), random.randint([16], { low: 0, high: 3, seed: 2 })];
    for (let i = 0; i < 5; i++) console.log(await step(x, y).item());
    console.log(step.explain(x, y).kernels.length, step.explain(x, y).source.length);`;
  const run = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, GRADIX_CACHE: cache, GRADIX_DEBUG: '1', GRADIX_DEVICE: 'native' },
    });
  try {
    const [first, second] = [run(), run()];
    expect(first.stderr).toContain('native: compiled');
    expect(second.stderr).toMatch(/program \w+, recalled in/);
    expect(second.stderr).not.toContain('native: compiled');
    expect(first.stdout.split('\n')).toHaveLength(7);
    expect(second.stdout).toBe(first.stdout);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
