/** Registers the devices of this host: on Node the native one. Browsers never load it. */
import { registerDevice } from './devices.ts';

interface Host {
  readonly process?: { readonly versions?: { readonly node?: string } };
}

if ((globalThis as Host).process?.versions?.node !== undefined) {
  // TEMPORARY until runtime/native/index.ts lands: a literal path, no catch.
  const path = '../runtime/native/index.ts';
  const native = await import(/* @vite-ignore */ path).catch(() => undefined);
  if (native) registerDevice('native', native.nativeDevice);
}
