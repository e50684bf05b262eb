/** Runs that are broken off: in pages that are closed in mid-training, and in one runtime to go on in another. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker as NodeWorker } from 'node:worker_threads';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { remote } from '../../src/remote/index.ts';
import { bundled, Chromium, call, missing, patience, type RemoteHere, root, skipped } from './chromium.ts';

interface Result {
  readonly history: readonly Readonly<Record<string, number>>[];
  /** The values of every parameter and statistic as bytes in base64. */
  readonly weights: Readonly<Record<string, string>>;
}

interface Run {
  readonly folder: string;
  /** The address of the folder to go on from. */
  readonly from?: string;
  readonly epochs?: number;
  readonly device?: string;
  /** Also writes a log. */
  readonly log?: boolean;
  /** The number of the checkpoint that is never finished. */
  readonly held?: number;
}

const module = 'resumed-worker.js';
const worker = '/worker.js';
const folder = mkdtempSync(join(tmpdir(), 'gradix-runtimes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The run in a thread of Node. */
async function inNode(run: Run): Promise<Result> {
  const thread = new NodeWorker(join(root, 'test/browser', module), { env: { ...process.env, GRADIX_THREADS: '1' } });
  try {
    return await remote<{ train: (run: Run) => Result }>(thread).train(run);
  } finally {
    await thread.terminate();
  }
}

const floats = (text: string): Float32Array => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

/** The largest relative difference of the losses, and of weights to the largest of their tensor. */
function difference(a: Result, b: Result): number {
  const relative = (x: number, y: number, size: number) => Math.abs(x - y) / size;
  const losses = a.history.flatMap(({ loss, valLoss }, i) => [relative(loss, b.history[i].loss, loss), relative(valLoss, b.history[i].valLoss, valLoss)]);
  const weights = Object.entries(a.weights).map(([name, text]) => {
    const [left, right] = [floats(text), floats(b.weights[name])];
    const size = left.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return left.reduce((most, value, i) => Math.max(most, relative(value, right[i], size)), 0);
  });
  expect(b.history).toHaveLength(a.history.length);
  return Math.max(...losses, ...weights);
}

describe.skipIf(missing)(`runs in pages${skipped}`, () => {
  let browser: Chromium;
  let url: string;
  let script: string;
  let profile: BrowserContext;
  let whole: Result;
  beforeAll(async () => {
    browser = await Chromium.start();
    script = bundled(module);
    url = await browser.site({ texts: { [worker]: script } });
    profile = await browser.browser.newContext();
    whole = await call<Result>(await open(), worker, 'train', { folder: 'whole', log: true });
  }, patience);
  afterAll(() => browser?.close());

  const open = (): Promise<Page> => browser.open(url, profile);

  /** Starts the run in a page, which is closed when it has said so. */
  async function startAndClose(run: Run, told: (message: { readonly steps: number; readonly heldUp: boolean }) => boolean): Promise<void> {
    const page = await open();
    let steps = 0;
    let finish: (() => void) | undefined;
    const due = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await page.exposeFunction('told', (what: string) => {
      if (what === 'step') steps++;
      if (told({ steps, heldUp: what === 'held up' })) finish?.();
    });
    await page.evaluate(
      async ([address, given]) => {
        const { remote, told } = globalThis as unknown as RemoteHere & { readonly told: (what: string) => void };
        const started = new Worker(address, { type: 'module' });
        started.addEventListener('message', ({ data }) => data === 'held up' && told(data));
        void remote(started).train({ ...given, onStep: () => told('step') });
      },
      [worker, run] as const,
    );
    await due;
    await page.close();
  }

  test('a page that is closed in mid-training, again and again, ends with the bits of one that was not', { timeout: patience }, async () => {
    // Told when something is wrong.
    const closings = Array.from({ length: 3 }, () => 1 + Math.floor(40 * Math.random()));
    for (const steps of closings) await startAndClose({ folder: 'closed', log: true }, (told) => told.steps >= steps);
    const page = await open();
    const closed = await call<Result>(page, worker, 'train', { folder: 'closed', log: true });
    expect(closed, `closed after ${closings.join(', ')} steps`).toEqual(whole);
    const [before, after] = [
      await call<Record<string, string>>(page, worker, 'files', 'whole'),
      await call<Record<string, string>>(page, worker, 'files', 'closed'),
    ];
    const kept = (files: Record<string, string>) =>
      Object.entries(files)
        .filter(([name]) => /safetensors|csv$/.test(name))
        .sort();
    expect(kept(after)).toEqual(kept(before));
    expect(kept(after).filter(([name]) => name.startsWith('checkpoint'))).toHaveLength(3);
  });

  test.each([1, 5])('a page that is closed while it saves checkpoint %s loses nothing that was saved before', { timeout: patience }, async (held) => {
    const name = `held-${held}`;
    await startAndClose({ folder: name, held }, ({ heldUp }) => heldUp);
    const page = await open();
    const files = await call<Record<string, string>>(page, worker, 'files', name);
    if (held === 1) expect(files['checkpoint.safetensors'] ?? '').toBe('');
    else expect(files['checkpoint.safetensors'].length).toBeGreaterThan(1000);
    expect(await call<Result>(page, worker, 'train', { folder: name })).toEqual(whole);
  });

  describe('in Node and in a page', () => {
    let node: Result;
    let native: Result;
    beforeAll(async () => {
      node = await inNode({ folder: join(folder, 'node'), device: 'wasm' });
      native = await inNode({ folder: join(folder, 'native') });
    }, patience);

    test('the same seed gives the same losses and weights', () => {
      expect(difference(node, whole)).toBeLessThan(1e-3);
      expect(difference(native, whole)).toBeLessThan(1e-3);
    });

    test('a run that Node began goes on in a page', { timeout: patience }, async () => {
      const begun = join(folder, 'begun');
      await inNode({ folder: begun, epochs: 3, device: 'wasm' });
      const site = await browser.site({
        texts: { [worker]: script, '/runs/begun/checkpoint.safetensors': readFileSync(join(begun, 'checkpoint.safetensors')) },
      });
      const page = await browser.open(site);
      const resumed = await call<Result>(page, worker, 'train', { folder: 'begun', from: `${site}/runs/begun/` });
      expect(difference(resumed, whole)).toBeLessThan(1e-3);
    });

    test('a run that a page began goes on in Node', { timeout: patience }, async () => {
      const page = await open();
      await call<Result>(page, worker, 'train', { folder: 'begun', epochs: 3 });
      const files = await call<Record<string, string>>(page, worker, 'files', 'begun');
      const begun = mkdtempSync(join(folder, 'page-'));
      for (const [name, text] of Object.entries(files)) writeFileSync(join(begun, name), Buffer.from(text, 'base64'));
      const resumed = await inNode({ folder: begun, device: 'wasm' });
      expect(difference(resumed, whole)).toBeLessThan(1e-3);
    });
  });
});
