/** Pages that train in a worker: the program of docs/browser.md without a bundler and with esbuild and Vite, and examples/browser. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build as buildWithEsbuild } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Chromium, missing, patience, type RemoteHere, root, skipped } from './chromium.ts';

/** The files of docs/browser.md, each a block of code that begins with its name. */
const blocks = new Map(
  [...readFileSync(join(root, 'docs/browser.md'), 'utf8').matchAll(/```(?:js|html)\n(?:\/\/|<!--) ([\w.]+)(?: -->)?\n([\s\S]*?)```/g)].map(
    ([, name, text]) => [name, text] as const,
  ),
);
const block = (name: string): string => blocks.get(name) ?? `docs/browser.md has no ${name}`;
/** The block with the addresses of the package's files in place of its names. */
const plain = (name: string, dist: string): string =>
  block(name).replaceAll("from 'gradix'", `from '${dist}/index.js'`).replaceAll("from 'gradix/remote'", `from '${dist}/remote/index.js'`);
const sources = ['index.html', 'page.js', 'train.js'];

describe.skipIf(missing)(`pages${skipped}`, () => {
  let browser: Chromium;
  const folder = mkdtempSync(join(tmpdir(), 'gradix-pages-'));
  beforeAll(async () => {
    browser = await Chromium.start();
    // As npm would install it.
    const installed = join(folder, 'node_modules/gradix');
    mkdirSync(installed, { recursive: true });
    cpSync(join(root, 'package.json'), join(installed, 'package.json'));
    cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
    for (const name of [...sources, 'model.js', 'node.js']) writeFileSync(join(folder, name), block(name));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  }, patience);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const node = (...args: string[]): string =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: patience, env: { ...process.env, GRADIX_DEVICE: 'wasm' } });

  const said = /^finished: (\d+\.\d) % right; nothing is a \d$/;

  /** What the page of the guide says at its end. */
  async function outcome(site: string): Promise<string> {
    const page = await browser.open(`${await browser.site({ root: site })}/index.html`);
    try {
      const text = await browser.textIn(page, '#out', said);
      expect(Number(await page.getAttribute('#bar', 'value'))).toBeGreaterThan(0.5);
      return text;
    } finally {
      await page.close();
    }
  }

  test('the page of the guide, without a bundler', { timeout: patience }, async () => {
    const site = join(folder, 'plain');
    cpSync(join(folder, 'node_modules'), join(site, 'node_modules'), { recursive: true });
    for (const name of sources) writeFileSync(join(site, name), plain(name, './node_modules/gradix/dist/browser'));
    expect(Number(said.exec(await outcome(site))?.[1])).toBeGreaterThan(60);
  });

  test('with esbuild', { timeout: patience }, async () => {
    const outdir = join(folder, 'esbuild');
    const { outputFiles } = await buildWithEsbuild({
      entryPoints: ['page.js', 'train.js'].map((name) => join(folder, name)),
      bundle: true,
      format: 'esm',
      outdir,
      write: false,
      logLevel: 'silent',
    });
    mkdirSync(outdir);
    for (const { path, contents } of outputFiles) writeFileSync(path, contents);
    writeFileSync(join(outdir, 'index.html'), block('index.html'));
    // The page itself knows nothing of the engine.
    expect(outputFiles.find(({ path }) => path.endsWith('page.js'))?.contents.length).toBeLessThan(12_000);
    expect(await outcome(outdir)).toMatch(said);
  });

  test('with Vite', { timeout: patience }, async () => {
    node(join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error');
    expect(await outcome(join(folder, 'dist'))).toMatch(said);
  });

  test('the example learns digits and reads what is drawn', { timeout: patience }, async () => {
    const page = await browser.open(`${await browser.site()}/examples/browser/index.html`);
    const right = /^trained: (\d+\.\d) % right/.exec(await browser.textIn(page, 'p', /^trained: /))?.[1];
    expect(Number(right)).toBeGreaterThan(90);
    const canvas = await page.locator('canvas').boundingBox();
    const [x, y] = [(canvas?.x ?? 0) + 140, canvas?.y ?? 0];
    await page.mouse.move(x, y + 50);
    await page.mouse.down();
    await page.mouse.move(x, y + 230, { steps: 10 });
    await page.mouse.up();
    expect(await browser.textIn(page, 'b', /^\d$/)).toBe('1');
  });

  test('a model from a URL, with progress', { timeout: patience }, async () => {
    const program = `
      import { models, predict, random, save, seed, tensor } from 'gradix';
      seed(3);
      const model = models.lenet();
      const pixels = await random.uniform([784], { seed: 4 }).data();
      const scores = await (await predict(model, tensor(pixels, { shape: [1, 28, 28, 1] }))).data();
      await save(model, 'digits.safetensors');
      console.log(JSON.stringify({ pixels: [...pixels], scores: [...scores] }));`;
    const expected = JSON.parse(node('--input-type=module', '-e', program)) as { readonly pixels: number[]; readonly scores: number[] };
    const file = readFileSync(join(folder, 'digits.safetensors'));
    const site = await browser.site({ texts: { '/model.js': plain('model.js', '/dist/browser'), '/digits.safetensors': file } });
    const page = await browser.open(site);
    const load = (name: string) =>
      page.evaluate(
        async ([address, pixels]) => {
          const { remote } = globalThis as unknown as RemoteHere;
          const net = remote(new Worker('/model.js', { type: 'module' }));
          const told: unknown[] = [];
          const summary = await net.open(address, (progress: unknown) => told.push(progress)).catch((error: Error) => error.message);
          return { summary, last: told.at(-1), scores: await net.classify(Float32Array.from(pixels)) };
        },
        [`${site}/${name}`, expected.pixels] as const,
      );
    const { summary, last, scores } = await load('digits.safetensors');
    expect(summary).toContain('180,880');
    expect(last).toEqual({ url: `${site}/digits.safetensors`, done: file.length, total: file.length });
    for (const [i, score] of (scores as number[]).entries()) expect(score).toBeCloseTo(expected.scores[i], 4);
    expect((await load('absent.safetensors')).summary).toBe(`load: ${site}/absent.safetensors answered 404 Not Found. Check the address.`);
  });

  test(
    'the same module in a thread of Node',
    () => {
      expect(node('node.js')).toBe('1 epoch, learned\n');
    },
    patience,
  );
});
