/** The questions that a stopwatch around one call cannot answer: each asked in fresh processes (probes/*.mjs), which answer with one JSON line. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from './numbers.mjs';
import { installPeers } from './workers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const execute = promisify(execFile);

/** The JSON line of a probe, run in a process of its own; without `cache` with the user's cache of kernels. */
export async function ask(probe, args, cache, threads) {
  const env = { ...process.env, ...(cache && { GRADIX_CACHE: cache }), ...(threads && { GRADIX_THREADS: String(threads) }) };
  const { stdout } = await execute(process.execPath, [join(here, 'probes', probe), ...args], { env });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Runs `body` with a kernel cache folder of its own, empty at first. */
export async function withCache(body) {
  const cache = await mkdtemp(join(tmpdir(), 'gradix-bench-'));
  try {
    return await body(cache);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/** Fresh processes, each with a cold and a warm cache. */
const rounds = 5;

/** First training step of the digit net in a fresh process, kernel cache empty and full, and the import; medians of `rounds` processes. */
export async function startReport(print) {
  const cold = [];
  const warm = [];
  for (let i = 0; i < rounds; i++) {
    await withCache(async (cache) => {
      cold.push(await ask('start.mjs', [], cache));
      warm.push(await ask('start.mjs', [], cache));
    });
  }
  const all = [...cold, ...warm];
  print({
    name: 'start',
    import_ms: median(all.map((row) => row.import_ms)),
    first_step_cold_ms: median(cold.map((row) => row.first_step_ms)),
    first_step_warm_ms: median(warm.map((row) => row.first_step_ms)),
    processes: all.length,
  });
}

/** First training step of the digit net in Chromium, from opening the page, by how the page takes gradix and in which browser; medians of `rounds` browsers each. */
export async function pageStartReport(print) {
  for (const ways of [['files'], ['files', 'launching'], ['bundled'], ['bundled', 'launching'], ['modules']]) {
    const rows = [];
    for (let i = 0; i < rounds; i++) rows.push(await ask('start-page.mjs', ways));
    print({
      name: ['start-page', ...ways].join('-'),
      ...Object.fromEntries(Object.keys(rows[0]).map((key) => [key, median(rows.map((row) => row[key]))])),
      browsers: rows.length,
    });
  }
}

/** Resident memory after 1,000 and after 20,000 turns of two loops, each in a fresh process. */
export async function memoryReport(print) {
  for (const loop of ['steps', 'lazy']) print({ name: `memory-${loop}`, ...(await withCache((cache) => ask('memory.mjs', [loop], cache))) });
}

/** 100 different small expressions, gradients among them, in a fresh process with an empty kernel cache. */
export async function exploreReport(print) {
  print({ name: 'explore', ...(await withCache((cache) => ask('explore.mjs', [], cache))) });
}

/** Bytes of a data cache of the first processor, or a usual size. */
function cacheBytes(level, otherwise) {
  for (let index = 0; index < 8; index++) {
    const read = (name) => readFileSync(`/sys/devices/system/cpu/cpu0/cache/index${index}/${name}`, 'utf8').trim();
    try {
      if (Number(read('level')) !== level || read('type') === 'Instruction') continue;
      const [, size, unit] = /^(\d+)([KMG]?)/.exec(read('size'));
      return Number(size) * { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit];
    } catch {}
  }
  return otherwise;
}

/** Of all three levels; the third is shared by the cores. */
export const cacheSizes = () => ({ l1: cacheBytes(1, 32 * 2 ** 10), l2: cacheBytes(2, 2 ** 20), l3: cacheBytes(3, 8 * 2 ** 20) });

/** What the processor can do at most: multiply-add fed from the first cache, reading from the others, reading, writing and copying memory, a barrier. Needs a C compiler. */
export async function ceilings(threads) {
  const folder = await mkdtemp(join(tmpdir(), 'gradix-bench-'));
  try {
    const program = join(folder, 'ceilings');
    const source = join(here, 'probes/ceilings.c');
    await execute(process.env.GRADIX_CC ?? 'cc', [
      '-O3',
      '-march=native',
      '-mprefer-vector-width=512',
      '-ffp-contract=fast',
      '-pthread',
      source,
      '-o',
      program,
    ]);
    const { l1, l2, l3 } = cacheSizes();
    const { stdout } = await execute(program, [threads, l1, l2, l3].map(String));
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function ceilingsReport(print, threads) {
  for (const count of new Set([threads, 1])) print({ name: 'ceilings', threads: count, ...(await ceilings(count)) });
}

/** What fit costs over the bare compiled step: images per second of both, in turns epoch by epoch, and their ratio. */
export async function fitReport(print, threads) {
  for (const net of ['lenet3-b32', 'mlp-b64'])
    print({ name: `fit-${net}`, threads, ...(await withCache((cache) => ask('fit.mjs', [net, '31'], cache, threads))) });
}

/** Frames and tasks of a page's main thread, with nothing to do and while a worker trains; with jax-js as a peer, a product on both in a page. */
export async function pageReport(print, threads, peers = []) {
  if (peers.includes('jax-js')) {
    installPeers();
    print({ name: 'page-gemm-1024', ...(await ask('page-product.mjs', [])), peer: 'jax-js' });
  }
  const both = await withCache((cache) => ask('page.mjs', ['10'], cache, threads));
  for (const [state, figures] of Object.entries(both)) print({ name: `page-${state}`, ...figures });
}

/** The CIFAR-10 pictures in a tar, in GRADIX_DATA or beside the project. */
function picturesTar() {
  const places = [process.env.GRADIX_DATA, join(here, '../../shared/data')].flatMap((place) =>
    place ? [join(place, 'cifar10-images/cifar10-images-subset.tar')] : [],
  );
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`--feeding needs ${places.join(' or ')}`);
  return found;
}

/** A training step fed from an image folder in a tar with augmentation against one fed from memory, what a batch costs, and memory while a large set streams. */
export async function feedingReport(print, threads) {
  const tar = picturesTar();
  for (const question of ['lenet3', 'resnet20', 'stream'])
    print({ name: `feeding-${question}`, threads, ...(await withCache((cache) => ask('feeding.mjs', [question, tar], cache, threads))) });
}
