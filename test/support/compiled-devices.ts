/** The compiled devices of this machine, each with two threads, and again with one and three: for tests that every device must pass. */
import type { CompiledDevice } from '../../src/runtime/device.ts';
import { nativeDevice } from '../../src/runtime/native/index.ts';
import { openWasm } from './wasm.ts';

export interface TestedDevice {
  readonly name: string;
  readonly unavailable: string | undefined;
  readonly open: () => { readonly device: CompiledDevice; readonly others: readonly CompiledDevice[] };
}

const native = nativeDevice({ threads: 2 });

export const compiledDevices: readonly TestedDevice[] = [
  {
    name: 'native',
    unavailable: 'unavailable' in native ? native.unavailable : undefined,
    open: () => ({ device: native as CompiledDevice, others: [1, 3].map((threads) => nativeDevice({ threads }) as CompiledDevice) }),
  },
  {
    name: 'wasm',
    unavailable: undefined,
    open: () => ({ device: openWasm({ threads: 2 }), others: [openWasm({ threads: 1 }), openWasm({ threads: 3 })] }),
  },
];
