/** The competitors as long-lived processes: one JSON request per line in, one answer per line out. A worker is stopped (SIGSTOP) whenever it is not asked. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

async function startWorker(setting, command, args, environment) {
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  let ended;
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-2000);
  });
  child.on('error', (error) => {
    ended ??= error.message;
  });
  child.stdin.on('error', () => {}); // a worker that died is reported through its exit
  const exited = new Promise((resolve) => {
    child.on('close', (code, signal) => {
      ended ??= `ended with ${signal ?? code}`;
      resolve(undefined);
    });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const stop = () => process.exit(130);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
  process.once('exit', () => child.kill('SIGKILL'));

  const answer = async () => {
    const line = await Promise.race([lines.next(), exited.then(() => ({ done: true }))]);
    if (line.done) throw new Error(`${setting}: ${ended ?? 'no answer'}\n${errors.trim()}`);
    const reply = JSON.parse(line.value);
    if (reply.error) throw new Error(`${setting}: ${reply.error}`);
    return reply;
  };

  const facts = await answer();
  child.kill('SIGSTOP');
  return {
    setting,
    facts,
    /** Seconds of each call. */
    async time(request) {
      child.kill('SIGCONT');
      child.stdin.write(`${JSON.stringify(request)}\n`);
      try {
        return (await answer()).times;
      } finally {
        child.kill('SIGSTOP');
      }
    },
    end: () => child.kill('SIGKILL'),
  };
}

export const startGradix = (threads) => startWorker('gradix', process.execPath, [join(here, 'worker.mjs')], { GRADIX_THREADS: String(threads) });

const install = 'On Debian: apt-get install python3-torch libopenblas0-pthread. Another python is named with GRADIX_PYTHON.';

/** PyTorch with its default settings, or pinned (OMP_PROC_BIND=true): which is faster depends on the workload. */
export async function startTorch(threads, setting) {
  const python = process.env.GRADIX_PYTHON ?? '/usr/bin/python3';
  const environment = { OMP_NUM_THREADS: String(threads), ...(setting === 'pinned' ? { OMP_PROC_BIND: 'true' } : {}) };
  try {
    return await startWorker(setting, python, [join(here, 'peers/torch_peer.py'), String(threads)], environment);
  } catch (error) {
    throw new Error(`cannot start PyTorch with ${python} (${error.message.trim()}). ${install}`);
  }
}

/** Refuses a PyTorch whose matrix multiplication is not a fair peer: with the reference BLAS it does about 5 GFLOP/s. */
export async function comparableTorch(peers) {
  const rates = [];
  for (const peer of peers) rates.push((2 * 256 ** 3) / Math.min(...(await peer.time({ workload: 'gemm-256', warmup: 5, calls: 20 }))) / 1e9);
  const best = Math.max(...rates);
  if (best < 20)
    throw new Error(
      `PyTorch multiplies 256³ matrices at only ${best.toFixed(1)} GFLOP/s: it runs on the reference BLAS, so a comparison would mean nothing. ${install}`,
    );
}
