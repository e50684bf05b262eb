/** Registers the devices of this host, the fastest first: native on Node, WebAssembly everywhere. */
import { wasmDevice } from '../runtime/wasm/index.ts';
import { webWorkers } from '../runtime/wasm/workers-web.ts';
import { registerDevice } from './devices.ts';

interface Host {
  readonly process?: { readonly versions?: { readonly node?: string } };
}

if ((globalThis as Host).process?.versions?.node !== undefined) {
  const { nativeDevice } = await import('../runtime/native/index.ts');
  const { nodeWorkers } = await import('../runtime/wasm/workers-node.ts');
  registerDevice('native', nativeDevice);
  registerDevice('wasm', () => wasmDevice({ workers: nodeWorkers }));
} else registerDevice('wasm', () => wasmDevice({ workers: webWorkers }));
