/**
 * The guide type-checks and runs: the ts blocks of a page, one after another, are a program of its own that knows the package only by its public name; the lines of
 * sh blocks that call gradix run too.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSmallMnist } from './support/command.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, `.cache/guide-${process.pid}`); // within the project, so that the package finds itself
const text = (page: string): string => readFileSync(join(root, 'docs/guide', page), 'utf8');
const blocks = (page: string, language: string): string[] =>
  [...text(page).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code]) => code);
const node = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): string =>
  execFileSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 240_000,
    stdio: 'pipe',
    env: { ...process.env, GRADIX_DATA: '', ...environment },
  });

/** What a page's program must print, and what must be true of it. */
const pages: Readonly<Record<string, (out: string) => void>> = {
  'installing.md': (out) => {
    expect(out).toContain('[ [ 7, 10 ], [ 15, 22 ] ]');
    expect(out).toMatch(/\[ 1000, 1000 \] \w+ -?\d\.\d\d/);
  },
  'first-net.md': (out) => {
    expect(out).toContain('4000 x [28,28,1], y []');
    expect(Number(out.match(/test accuracy ([\d.]+) %/)?.[1])).toBeGreaterThan(80);
    expect(out.match(/a \d, read as \d \(\d+ %\)/g)).toHaveLength(5);
  },
  'own-layer.md': (out) => {
    expect(out).toMatch(/^true$/m);
    expect(out).toMatch(/^7 centres +\[10\] +320 /m);
    expect(out).toContain('2.squeeze.weight 2.squeeze.bias 2.excite.weight');
    const accuracies =
      out
        .match(/accuracy ([\d.]+) → [\d.]+ → ([\d.]+)/)
        ?.slice(1)
        .map(Number) ?? [];
    expect(accuracies[1]).toBeGreaterThan(accuracies[0]);
  },
  'own-loss-and-loop.md': (out) => {
    const [first, second] =
      out
        .match(/focal loss ([\d.]+) → ([\d.]+)/)
        ?.slice(1)
        .map(Number) ?? [];
    expect(second).toBeLessThan(first);
    expect(out).toMatch(/epoch 2: loss \d\.\d+, accuracy 0\.[6-9]/);
    expect(out).toContain('w 3.000, b 4.000\n-12\n');
  },
  'saving-and-resuming.md': (out) => {
    expect(out).toContain('same after loading: true');
    expect(out).toMatch(/1\.weight is \[784, 32\] in the state but \[784, 64\] in the model/);
    expect(out).toContain('same after resuming: true');
  },
  'when-it-does-not-learn.md': (out) => {
    expect(out).toContain('x: 0 … 1');
    expect(out).toContain('labels per class: 50,50,50,50,50,50,50,50,50,50');
    expect(out).toMatch(/first loss 2\.[2-4]\d, ln 10 = 2\.30/);
    expect(out).toMatch(/loss \d\.\d\d → 0\.0\d+, accuracy 1\n/);
    expect(out.match(/gradient norm [\d.e-]+/g)).toHaveLength(4);
    expect(out.match(/learning rate [\d.e-]+: loss [\d.]+/g)).toHaveLength(5);
  },
};

beforeAll(() => {
  expect(existsSync(join(root, 'dist/index.js')), 'dist/ is built (npm run build)').toBe(true);
  mkdirSync(folder, { recursive: true });
  for (const page of Object.keys(pages)) writeFileSync(join(folder, page.replace('.md', '.ts')), blocks(page, 'ts').join('\n'));
  const compilerOptions = { target: 'ES2022', module: 'NodeNext', strict: true, skipLibCheck: true, rootDir: '.', types: ['node'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(pages).map((page) => page.replace('.md', '.ts')) }));
  const compiled = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: folder, encoding: 'utf8' });
  expect(compiled.stdout).toBe('');
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the guide', () => {
  it('leaves no page out, and no page is long', () => {
    const found = readdirSync(join(root, 'docs/guide')).sort();
    expect(found).toEqual([...Object.keys(pages), 'README.md'].sort());
    for (const page of found) expect(text(page).split('\n').length, page).toBeLessThanOrEqual(120);
    for (const page of found)
      for (const [, link] of text(page).matchAll(/\]\(([^)]+)\)/g)) expect(existsSync(join(root, 'docs/guide', link)), `${page}: ${link}`).toBe(true);
  });

  it.each(Object.keys(pages))('%s runs', (page) => pages[page](node([page.replace('.md', '.js')])), 240_000);

  const commands = Object.keys(pages).flatMap((page) => blocks(page, 'sh').flatMap((block) => block.trim().split('\n')));
  it('its command lines run', async () => {
    const known = /^(npx gradix |npm install gradix$|sudo apt install gcc|GRADIX_\w+=\w+ node check\.mjs$)/;
    for (const line of commands) expect(line).toMatch(known);
    const calls = commands.filter((line) => line.startsWith('npx gradix ')).map((line) => line.split(' ').slice(2));
    await writeSmallMnist(join(folder, 'data'));
    for (const args of calls) node([join(root, 'dist/cli/main.js'), ...args], { GRADIX_DATA: join(folder, 'data') });
    pages['installing.md'](node(['installing.js'], { GRADIX_THREADS: '1' }));
  }, 240_000);
});
