/** Registers the devices of a web page: WebAssembly. Bundlers for browsers take this file in place of host.ts (`browser` in package.json). */
import { wasmDevice } from '../runtime/wasm/index.ts';
import { webWorkers } from '../runtime/wasm/workers-web.ts';
import { registerDevice } from './devices.ts';

registerDevice('wasm', () => wasmDevice({ workers: webWorkers }));
