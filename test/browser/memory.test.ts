/** WebAssembly memory in a page: it does not grow from step to step, and what is dropped is given back without the user's help. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Chromium, call, missing, patience, root, skipped } from './chromium.ts';

/** Bytes in use, and of the whole memory. */
interface Memory {
  readonly used: number;
  readonly total: number;
}
interface Report {
  readonly early: Memory;
  readonly late: Memory;
  /** After the garbage has been collected. */
  readonly collected: Memory;
}

const worker = '/worker.js';

describe.skipIf(missing)(`memory in a page${skipped}`, () => {
  let browser: Chromium;
  beforeAll(async () => {
    browser = await Chromium.start(['--js-flags=--expose-gc']);
  }, patience);
  afterAll(() => browser?.close());

  const ask = async (name: string, count: number, isolated = true): Promise<Report> => {
    const texts = { [worker]: readFileSync(join(root, 'test/browser/memory-worker.js'), 'utf8') };
    const page = await browser.open(await browser.site({ texts, isolated }));
    try {
      return await call<Report>(page, worker, name, count);
    } finally {
      await page.close();
    }
  };

  test.each([
    ['fitted', true],
    ['fitted', false],
    ['looped', true],
  ])('10,000 steps (%s, isolated: %s): it does not grow after the first 100', { timeout: patience }, async (loop, isolated) => {
    const { early, late, collected } = await ask(loop, 10_000, isolated);
    expect(late.total).toBe(early.total);
    expect(collected.used).toBeLessThanOrEqual(early.used);
  });

  test('1,000 models made and dropped: it returns, and never was a tenth of what they took together', { timeout: patience }, async () => {
    const { early, late, collected } = await ask('dropped', 1000);
    expect(late.total).toBeLessThan(20e6);
    expect(collected.used).toBeLessThanOrEqual(early.used);
  });
});
