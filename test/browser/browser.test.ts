/** gradix in Chromium: the conformance suite, and training from the built package, in workers of a page. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environmentVariable } from '../../src/core/debug.ts';
import { serve } from './serve.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const executablePath = environmentVariable('GRADIX_CHROMIUM') ?? '/usr/bin/chromium';
const missing = existsSync(executablePath) ? undefined : `${executablePath} is not there; GRADIX_CHROMIUM names another browser`;
if (missing && environmentVariable('GRADIX_REQUIRE')?.includes('browser')) throw new Error(`a browser is required: ${missing}`);

const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

interface FromWorker {
  readonly data: unknown;
  readonly message?: string;
}
/** The names of the page that are used below. */
declare const Worker: new (
  url: string,
  options: { readonly type: 'module' },
) => { onmessage: (event: FromWorker) => void; onerror: (event: FromWorker) => void };

/** What a module worker of the page sends first. */
const answerOf = <T>(page: Page, script: string): Promise<T> =>
  page.evaluate(
    (url) =>
      new Promise<unknown>((resolve, reject) => {
        const worker = new Worker(url, { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
    script,
  ) as Promise<T>;

describe.skipIf(missing)(`Chromium${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let browser: Browser;
  let folder: string;
  const servers: { readonly url: string; readonly close: () => void }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gradix-browser-'));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const built = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], { cwd: root, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stdout);
    browser = await chromium.launch({ executablePath, args: quiet });
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(texts: Readonly<Record<string, string>>, isolated = true): Promise<Page> {
    const server = await serve({ root: folder, texts: { '/': '<!doctype html><title>gradix</title>', ...texts }, isolated });
    servers.push(server);
    const page = await browser.newPage();
    await page.goto(server.url);
    return page;
  }
  const bundled = (file: string): string =>
    buildSync({ entryPoints: [join(root, 'test/browser', file)], bundle: true, write: false, format: 'esm', platform: 'browser', target: 'es2022' })
      .outputFiles[0].text;

  test('the conformance suite, on one thread and on two', { timeout: 180_000 }, async () => {
    const page = await open({ '/worker.js': bundled('conformance-worker.ts') });
    const { cases, threads, failures } = await answerOf<{ cases: number; threads: number; failures: string[] }>(page, '/worker.js');
    expect(failures).toEqual([]);
    expect(cases).toBeGreaterThan(500);
    expect(threads).toBe(2);
  });

  test.each([
    ['with shared memory', true],
    ['without', false],
  ])('trains the digit net from plain modules, %s', { timeout: 180_000 }, async (_, isolated) => {
    const page = await open({ '/worker.js': readFileSync(join(root, 'test/browser/training-worker.js'), 'utf8') }, isolated);
    const lines: string[] = [];
    page.on('console', (message) => lines.push(message.text()));
    interface Answer {
      readonly epochs: readonly Readonly<Record<string, number>>[];
      readonly firstStep: number;
      readonly isolated: boolean;
    }
    const answer = await answerOf<Answer>(page, '/worker.js');
    expect(answer.isolated).toBe(isolated);
    expect(answer.epochs.at(-1)?.valAccuracy).toBeGreaterThan(0.85);
    expect(lines.filter((line) => line.includes('Cross-Origin-Opener-Policy'))).toHaveLength(isolated ? 0 : 1);
  });
});
