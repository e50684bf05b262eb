/** Registers the devices of this host: on Node the native one. Browsers never load it. */
import { registerDevice } from './devices.ts';

interface Host {
  readonly process?: { readonly versions?: { readonly node?: string } };
}

if ((globalThis as Host).process?.versions?.node !== undefined) {
  const { nativeDevice } = await import('../runtime/native/index.ts');
  registerDevice('native', nativeDevice);
}
