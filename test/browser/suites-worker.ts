/**
 * Runs in a worker of a page, on the WebAssembly device with memory of its own and with threads: conformance, gradients and random graphs.
 * Answers with what failed.
 */
import { type WasmDevice, type WasmOptions, wasmDevice } from '../../src/runtime/wasm/index.ts';
import { webWorkers } from '../../src/runtime/wasm/workers-web.ts';
import { computedOn, gradientCases } from '../conformance/gradients.ts';
import { conformanceCases } from '../conformance/suite.ts';
import { randomDisagreement } from '../differential/random-graphs.ts';

async function open(options: WasmOptions): Promise<WasmDevice> {
  const device = wasmDevice(options);
  if ('unavailable' in device) throw new Error(device.unavailable);
  for (let i = 0; i < 500 && device.running() < device.target.threads; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  return device;
}

const failures: string[] = [];
function attempt(what: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    failures.push(`${what}: ${(error as Error).message}`);
  }
}

const alone = await open({ shared: false });
const threaded = await open({ threads: 2, workers: webWorkers });
const conformance = conformanceCases();
const gradients = gradientCases();
for (const device of [alone, threaded]) {
  const evaluate = computedOn(device);
  for (const { name, run } of conformance) attempt(`${device.target.identity}, ${name}`, () => run(device));
  for (const { name, run } of gradients) attempt(`${device.target.identity}, gradients, ${name}`, () => run(evaluate));
}
for (const size of [0, 3]) {
  attempt(`random graphs, size ${size}`, () => {
    const found = randomDisagreement(threaded, [alone], { runs: 10, seed: 7, size });
    if (found) throw new Error(found);
  });
}
const cases = { conformance: conformance.length, gradients: gradients.length };
(globalThis as unknown as { postMessage: (value: unknown) => void }).postMessage({ cases, threads: threaded.running(), failures });
