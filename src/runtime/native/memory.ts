/** Tensor memory: JavaScript ArrayBuffers, so the garbage collector owns them, aligned for vector loads, with their machine address. */
import { fail } from '../../core/errors.ts';
import type { Storage } from '../device.ts';
import { addressOf, type Runtime } from './runtime.ts';

interface NativeStorage extends Storage {
  /** Machine address of the first byte. */
  readonly address: number;
}

const alignment = 64;
const largePage = 2 ** 21;

/** Undefined contents. Large tensors ask for large pages; what the C library has recycled needs no new pages at all. */
export function allocate(byteLength: number, runtime: Pick<Runtime, 'largePages'>): Storage {
  const bytes = Math.max(1, byteLength) + alignment;
  let buffer: ArrayBuffer;
  try {
    buffer = bytes < 4096 ? new ArrayBuffer(bytes) : (Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer);
  } catch (error) {
    return fail('device', 'native', `cannot allocate ${byteLength} bytes`, 'A smaller batch needs less memory.', error);
  }
  const start = addressOf(new Uint8Array(buffer));
  const byteOffset = (alignment - (start % alignment)) % alignment;
  if (byteLength >= 2 * largePage) {
    const first = Math.ceil(start / largePage) * largePage;
    runtime.largePages(first, Math.floor((start + bytes - first) / largePage) * largePage);
  }
  const storage: NativeStorage = { byteLength, buffer, byteOffset, address: start + byteOffset };
  return storage;
}

const foreignAddresses = new WeakMap<Storage, number>();

/** The address of a storage, which may come from elsewhere. The caller keeps the storage referenced while it uses the address. */
export function storageAddress(storage: Storage): number {
  const known = (storage as Partial<NativeStorage>).address ?? foreignAddresses.get(storage);
  if (known !== undefined) return known;
  const address = addressOf(new Uint8Array(storage.buffer, storage.byteOffset, storage.byteLength));
  foreignAddresses.set(storage, address);
  return address;
}
