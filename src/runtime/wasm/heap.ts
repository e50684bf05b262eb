/** The device's memory: one WebAssembly memory, the allocator in it, and storages that give their bytes back when they are collected. */
import { fail } from '../../core/errors.ts';
import type { Storage } from '../device.ts';

const pageBytes = 65_536;
const alignment = 64;
/** The first bytes belong to the threads' control words. */
export const controlBytes = 8192;
const firstPages = 64;
const limitBytes = 65_536 * pageBytes;
/** From here on the collector is told how much memory hangs on a storage. */
const noticedBytes = 4096;

interface Block {
  readonly start: number;
  readonly bytes: number;
}

export interface WasmStorage extends Storage {
  readonly heap: Heap;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Free blocks by address; no two touch. */
  private free: Block[];
  private end: number;
  /** Memory from here on has never been given away: it is zero. */
  private untouched = controlBytes;
  private readonly freed = new FinalizationRegistry<Block>((block) => this.release(block));

  constructor(shared: boolean) {
    this.shared = shared;
    this.memory = newMemory(shared);
    this.end = firstPages * pageBytes;
    this.free = [{ start: controlBytes, bytes: this.end - controlBytes }];
  }

  /** Bytes that are in use. */
  get used(): number {
    return this.end - controlBytes - this.free.reduce((sum, block) => sum + block.bytes, 0);
  }

  /** The address of memory with undefined contents: the smallest free block that is large enough, else new pages. */
  reserve(byteLength: number): Block {
    const bytes = Math.max(alignment, Math.ceil(byteLength / alignment) * alignment);
    let best = -1;
    for (let i = 0; i < this.free.length; i++) {
      const size = this.free[i].bytes;
      if (size >= bytes && (best < 0 || size < this.free[best].bytes)) best = i;
    }
    if (best < 0) {
      this.grow(bytes);
      return this.reserve(bytes);
    }
    const { start, bytes: size } = this.free[best];
    this.untouched = Math.max(this.untouched, start + bytes);
    if (size === bytes) this.free.splice(best, 1);
    else this.free[best] = { start: start + bytes, bytes: size - bytes };
    return { start, bytes };
  }

  release({ start, bytes }: Block): void {
    let low = 0;
    for (let high = this.free.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.free[middle].start < start) low = middle + 1;
      else high = middle;
    }
    const before = this.free[low - 1];
    const after = this.free[low];
    const joinsBefore = before !== undefined && before.start + before.bytes === start;
    const joinsAfter = after !== undefined && start + bytes === after.start;
    const from = joinsBefore ? before.start : start;
    const to = joinsAfter ? after.start + after.bytes : start + bytes;
    this.free.splice(joinsBefore ? low - 1 : low, Number(joinsBefore) + Number(joinsAfter), { start: from, bytes: to - from });
  }

  /** Given back when `owner` is collected. */
  reserveFor(owner: object, byteLength: number): number {
    const block = this.reserve(byteLength);
    this.freed.register(owner, block);
    return block.start;
  }

  /** The same, with zeros in it. */
  reserveZeros(owner: object, byteLength: number): number {
    const { untouched } = this;
    const start = this.reserveFor(owner, byteLength);
    this.bytes(start, Math.max(0, Math.min(byteLength, untouched - start))).fill(0);
    return start;
  }

  allocate(byteLength: number): WasmStorage {
    const block = this.reserve(byteLength);
    const storage = new HeapStorage(this, block.start, byteLength);
    this.freed.register(storage, block);
    return storage;
  }

  bytes(address: number, byteLength: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, byteLength);
  }

  private grow(bytes: number): void {
    const last = this.free.at(-1);
    const atEnd = last !== undefined && last.start + last.bytes === this.end ? last.bytes : 0;
    const needed = Math.ceil((bytes - atEnd) / pageBytes);
    const generous = Math.min(Math.max(needed, Math.ceil(this.end / pageBytes / 4)), (limitBytes - this.end) / pageBytes);
    for (const pages of generous > needed ? [generous, needed] : [needed]) {
      try {
        this.memory.grow(pages);
      } catch {
        continue;
      }
      const start = this.end;
      this.end += pages * pageBytes;
      this.release({ start, bytes: this.end - start });
      return;
    }
    const have = `${(this.used / 2 ** 20).toFixed(0)} MiB are in use`;
    const reason = this.end + needed * pageBytes > limitBytes ? 'WebAssembly memory ends at 4 GiB' : 'the system has no more memory';
    fail('device', 'wasm', `cannot allocate ${bytes} bytes: ${have}, and ${reason}`, 'A smaller batch needs less memory.');
  }
}

/** Memory that may have to grow loses its old ArrayBuffer: the buffer is looked up whenever it is needed. */
class HeapStorage implements WasmStorage {
  readonly heap: Heap;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** The garbage collector counts these bytes where it cannot see the ones in WebAssembly's memory. Engines do not fill a buffer that may change its size: it is never touched. */
  readonly weight: ArrayBuffer | undefined;

  constructor(heap: Heap, byteOffset: number, byteLength: number) {
    this.heap = heap;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    this.weight = byteLength >= noticedBytes ? new ArrayBuffer(byteLength, { maxByteLength: byteLength }) : undefined;
  }

  get buffer(): ArrayBufferLike {
    return this.heap.memory.buffer;
  }
}

/** Shared memory reserves addresses up to its maximum; where that is refused, less will do. */
function newMemory(shared: boolean): WebAssembly.Memory {
  for (const maximum of [limitBytes, limitBytes / 2, limitBytes / 4]) {
    try {
      return new WebAssembly.Memory({ initial: firstPages, maximum: maximum / pageBytes, shared });
    } catch {
      // The next one is smaller.
    }
  }
  return fail('device', 'wasm', 'this machine refuses a WebAssembly memory of 1 GiB of addresses');
}
