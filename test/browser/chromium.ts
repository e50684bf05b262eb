/** Chromium for the tests of this folder. Pages see the built package at /dist/, and what a test adds to it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { environmentVariable } from '../../src/core/debug.ts';
import { type Served, serve } from './serve.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const executablePath = environmentVariable('GRADIX_CHROMIUM') ?? '/usr/bin/chromium';
export const missing = existsSync(executablePath) ? undefined : `${executablePath} is not there; GRADIX_CHROMIUM names another browser`;
if (missing && environmentVariable('GRADIX_REQUIRE')?.includes('browser')) throw new Error(`a browser is required: ${missing}`);
if (!existsSync(`${root}dist/index.js`)) throw new Error('dist/ is not built: npm run build');
export const skipped = missing ? ` (skipped: ${missing})` : '';

/** How long a test may take, milliseconds: seconds on a quiet machine, but some are busy. */
export const patience = 120_000;

const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** A file of this folder with everything that it imports, as one script: pages open faster than with hundreds of modules. */
export const bundled = (file: string): string =>
  buildSync({ entryPoints: [join(root, 'test/browser', file)], bundle: true, write: false, format: 'esm', platform: 'browser', target: 'es2022' })
    .outputFiles[0].text;

/** Every site's first page has the page's end of gradix/remote as `remote`. */
const start = `<!doctype html><title>gradix</title><script type="module">
import { remote } from '/dist/remote/index.js';
globalThis.remote = remote;
</script>`;
export type RemoteHere = Pick<typeof import('../../src/remote/index.ts'), 'remote'>;

/** A browser, and sites for it, until `close`. */
export class Chromium {
  readonly #browser: Browser;
  readonly #closers: (() => void)[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(flags: readonly string[] = []): Promise<Chromium> {
    return new Chromium(await chromium.launch({ executablePath, args: [...quiet, ...flags], timeout: patience }));
  }

  get browser(): Browser {
    return this.#browser;
  }

  /** Serves a site; gives its address. */
  async site(served: Partial<Served> = {}): Promise<string> {
    const server = await serve({ root, ...served, texts: { '/': start, ...served.texts } });
    this.#closers.push(server.close);
    return server.url;
  }

  /** A page at an address; pages of one profile share the files of their origin. */
  async open(url: string, profile?: BrowserContext): Promise<Page> {
    const page = await (profile ?? this.#browser).newPage();
    page.setDefaultTimeout(patience);
    await page.goto(url);
    return page;
  }

  /** The text of an element of a page as soon as it matches. Errors in the page, or in the start of its worker, are errors here. */
  async textIn(page: Page, selector: string, pattern: RegExp): Promise<string> {
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
    const found = page.locator(selector).filter({ hasText: pattern }).textContent();
    return (await Promise.race([found, failed])) ?? '';
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close();
    await this.#browser.close();
  }
}

/** Calls a function of the worker whose module is at `script`, started anew in the page, by way of gradix/remote. */
export const call = <T>(page: Page, script: string, name: string, ...values: readonly unknown[]): Promise<T> =>
  page.evaluate(
    async ([url, called, given]) => {
      const { remote } = globalThis as unknown as RemoteHere;
      const worker = new Worker(url, { type: 'module' });
      try {
        return await remote(worker)[called](...given);
      } finally {
        worker.terminate();
      }
    },
    [script, name, values] as const,
  ) as Promise<T>;
