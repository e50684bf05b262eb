/** The WebAssembly device of every JavaScript engine. */
export { type WasmDevice, type WasmOptions, wasmDevice } from './device.ts';
