/** The competitors as long-lived processes: one JSON request per line in, one answer per line out. A worker is stopped (SIGSTOP) whenever it is not asked. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Nobody may outlive this process, least of all a stopped one. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

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
  running.add(child);
  exited.then(() => running.delete(child));

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
    /** The most memory that was resident at any time so far (Linux). */
    peakBytes() {
      const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
      return Number(kilobytes) * 1024;
    },
    end: () => child.kill('SIGKILL'),
  };
}

/** gradix on a device (default: the fastest), run by `node` (default: this one). */
export const startGradix = (threads, { device, node = process.execPath } = {}) =>
  startWorker('gradix', node, [join(here, 'worker.mjs')], { GRADIX_THREADS: String(threads), ...(device && { GRADIX_DEVICE: device }) });

const install = 'On Debian: apt-get install python3-torch libopenblas0-pthread. Another python is named with GRADIX_PYTHON.';

export const python = process.env.GRADIX_PYTHON ?? '/usr/bin/python3';

/** PyTorch with its default settings, or pinned (OMP_PROC_BIND=true): which is faster depends on the workload. */
export async function startTorch(threads, setting) {
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

/** The engine in which JavaScript peers, and gradix beside them, are measured: they need more than Node 20 has. */
const engineVersion = '24.21.0';
const windows = process.platform === 'win32';

function succeed(title, command, args, options) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', shell: windows, ...options });
  if (error || status !== 0) throw new Error(`${title} failed: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

/** Path of a Node of the engine's version: this one, or the one that npx keeps. */
export const engine = () =>
  process.versions.node === engineVersion
    ? process.execPath
    : succeed('npx', 'npx', ['--yes', `node@${engineVersion}`, '--print', 'process.execPath'])
        .split('\n')
        .at(-1);

/** The packages of bench/peers, at the versions of its lock file. */
export function installPeers() {
  const folder = join(here, 'peers');
  const [lock, installed] = [join(folder, 'package-lock.json'), join(folder, 'node_modules/.package-lock.json')];
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('bench: installing the peers (npm ci in bench/peers) …');
  succeed('npm ci in bench/peers', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
}

/** The competitors that a peer's name stands for. */
export const scriptPeers = {
  'jax-js': (node) => [startWorker('jax-js', node, [join(here, 'peers/jax_js_peer.mjs')], {})],
  tfjs: (node) => ['wasm', 'cpu'].map((backend) => startWorker(`tfjs ${backend}`, node, [join(here, 'peers/tfjs_peer.mjs'), backend], {})),
};
