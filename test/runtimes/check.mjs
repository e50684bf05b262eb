/**
 * gradix in other JavaScript runtimes: each trains the digit net for a few steps from the built package (train.mjs), on WebAssembly and on the native device,
 * and the losses must be those of this Node. `node test/runtimes/check.mjs [RUNTIME@VERSION …]`; npx brings the runtimes. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = join(dirname(fileURLToPath(import.meta.url)), 'train.mjs');
const usual = ['node@22.23.3', 'node@24.21.0', 'node@26.10.0', 'deno@2.9.6', 'bun@1.4.5'];
const devices = ['wasm', 'native'];
/** Engines differ in whether they have a fused multiply-add, so the losses do by some units in the last place, and these add up. */
const tolerance = 1e-4;

function lossesOf(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000, shell: process.platform === 'win32' });
  if (error || status !== 0) throw new Error(error?.message ?? stderr.trim().split('\n').slice(-5).join('\n'));
  return JSON.parse(stdout.trim().split('\n').at(-1)).losses;
}

const expected = lossesOf(process.execPath, [script, 'wasm']);
let failed = false;
for (const runtime of process.argv.length > 2 ? process.argv.slice(2) : usual) {
  for (const device of devices) {
    const run = runtime.startsWith('deno') ? ['run', '--allow-all'] : [];
    try {
      const losses = lossesOf('npx', ['--yes', runtime, ...run, script, device]);
      const largest = Math.max(...expected.map((loss, i) => Math.abs(losses[i] - loss)));
      if (losses.length !== expected.length || !(largest <= tolerance)) throw new Error(`the losses are ${losses}, expected ${expected}`);
      console.log(`${runtime}, ${device}: the same losses (largest difference ${largest.toExponential(1)})`);
    } catch (problem) {
      failed = true;
      console.log(`${runtime}, ${device}: FAILED: ${problem.message}`);
    }
  }
}
process.exitCode = failed ? 1 : 0;
