/** gradix in Chromium: the conformance suite, and training from the built package, in workers of a page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundled, Chromium, missing, patience, root, skipped } from './chromium.ts';

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

describe.skipIf(missing)(`Chromium${skipped}`, () => {
  let browser: Chromium;
  beforeAll(async () => {
    browser = await Chromium.start();
  }, patience);
  afterAll(() => browser?.close());

  const open = async (texts: Readonly<Record<string, string>>, isolated = true): Promise<Page> => browser.open(await browser.site({ texts, isolated }));

  test('conformance, gradients and random graphs, on one thread and on two', { timeout: 2 * patience }, async () => {
    const page = await open({ '/worker.js': bundled('suites-worker.ts') });
    interface Answer {
      readonly cases: Readonly<Record<'conformance' | 'gradients', number>>;
      readonly threads: number;
      readonly failures: readonly string[];
    }
    const { cases, threads, failures } = await answerOf<Answer>(page, '/worker.js');
    expect(failures).toEqual([]);
    expect(cases.conformance).toBeGreaterThan(500);
    expect(cases.gradients).toBeGreaterThan(300);
    expect(threads).toBe(2);
  });

  test.each([
    ['with shared memory', true],
    ['without', false],
  ])('trains the digit net from plain modules, %s', { timeout: patience }, async (_, isolated) => {
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
