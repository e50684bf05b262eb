/** Runs in a worker of a page: the conformance suite on the WebAssembly device, on one thread and on two. Answers with what failed. */
import { wasmDevice } from '../../src/runtime/wasm/index.ts';
import { webWorkers } from '../../src/runtime/wasm/workers-web.ts';
import { conformanceCases } from '../conformance/suite.ts';

const failures: string[] = [];
const cases = conformanceCases();
let threads = 0;
for (const options of [{ shared: false }, { threads: 2, workers: webWorkers }]) {
  const device = wasmDevice(options);
  if ('unavailable' in device) throw new Error(device.unavailable);
  for (let i = 0; i < 500 && device.running() < device.target.threads; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  threads = Math.max(threads, device.running());
  for (const { name, run } of cases) {
    try {
      run(device);
    } catch (error) {
      failures.push(`${device.target.identity}, ${name}: ${(error as Error).message}`);
    }
  }
}
(globalThis as unknown as { postMessage: (value: unknown) => void }).postMessage({ cases: cases.length, threads, failures });
