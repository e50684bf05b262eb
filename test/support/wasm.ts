/** The WebAssembly device for tests, all of its threads started. */
import { type WasmDevice, type WasmOptions, wasmDevice } from '../../src/runtime/wasm/index.ts';
import { nodeWorkers } from '../../src/runtime/wasm/workers-node.ts';

export function openWasm(options: WasmOptions = {}): WasmDevice {
  const device = wasmDevice({ threads: 2, workers: nodeWorkers, ...options });
  if ('unavailable' in device) throw new Error(device.unavailable);
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 2000 && device.running() < device.target.threads; i++) Atomics.wait(nobody, 0, 0, 5);
  if (device.running() < device.target.threads) throw new Error(`only ${device.running()} of ${device.target.threads} threads started`);
  return device;
}
