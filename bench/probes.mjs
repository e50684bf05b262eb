/** The questions that a stopwatch around one call cannot answer: each asked in fresh processes (probes/*.mjs), which answer with one JSON line. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const execute = promisify(execFile);

async function ask(probe, args, cache) {
  const { stdout } = await execute(process.execPath, [join(here, 'probes', probe), ...args], { env: { ...process.env, GRADIX_CACHE: cache } });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Runs `body` with a kernel cache folder of its own, empty at first. */
async function withCache(body) {
  const cache = await mkdtemp(join(tmpdir(), 'gradix-bench-'));
  try {
    return await body(cache);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** First training step of the digit net in a fresh process, kernel cache empty and full, and the import; medians of `rounds` processes. */
export async function startReport(print, rounds = 5) {
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
    import_ms: middle(all.map((row) => row.import_ms)),
    first_step_cold_ms: middle(cold.map((row) => row.first_step_ms)),
    first_step_warm_ms: middle(warm.map((row) => row.first_step_ms)),
    processes: all.length,
  });
}

/** Resident memory after 1,000 and after 20,000 turns of two loops, each in a fresh process. */
export async function memoryReport(print) {
  for (const loop of ['steps', 'lazy']) print({ name: `memory-${loop}`, ...(await withCache((cache) => ask('memory.mjs', [loop], cache))) });
}

/** 100 different small expressions, gradients among them, in a fresh process with an empty kernel cache. */
export async function exploreReport(print) {
  print({ name: 'explore', ...(await withCache((cache) => ask('explore.mjs', [], cache))) });
}
