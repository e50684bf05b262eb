/** The allocator in WebAssembly memory: blocks never overlap, freed blocks join, memory grows under storages that are in use. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

test('blocks are aligned, do not overlap, and all of them together leave nothing behind', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(300_000), fc.boolean()), { maxLength: 60 }), (steps) => {
      const heap = new Heap(false);
      const live: ReturnType<Heap['reserve']>[] = [];
      for (const [bytes, frees] of steps) {
        if (frees && live.length > 0) heap.release(live.splice(bytes % live.length, 1)[0]);
        else live.push(heap.reserve(bytes));
        const sorted = [...live].sort((a, b) => a.start - b.start);
        for (const [i, block] of sorted.entries()) {
          if (block.start % 64 !== 0) return false;
          if (i > 0 && sorted[i - 1].start + sorted[i - 1].bytes > block.start) return false;
        }
        if (heap.used !== live.reduce((sum, block) => sum + block.bytes, 0)) return false;
      }
      for (const block of live) heap.release(block);
      return heap.used === 0;
    }),
    { numRuns: 40 },
  );
});

test.each([false, true])('a storage keeps its contents when the memory grows (shared: %s)', (shared) => {
  const heap = new Heap(shared);
  const storage = heap.allocate(16);
  new Float32Array(storage.buffer, storage.byteOffset, 4).set([1, 2, 3, 4]);
  const before = heap.memory.buffer.byteLength;
  const large = heap.allocate(2 * before);
  expect(storage.buffer.byteLength).toBeGreaterThan(2 * before);
  expect(large.byteOffset + large.byteLength).toBeLessThanOrEqual(large.buffer.byteLength);
  expect([...new Float32Array(storage.buffer, storage.byteOffset, 4)]).toEqual([1, 2, 3, 4]);
});

test('reserved zeros are zeros, also where something else was before', () => {
  const heap = new Heap(false);
  const old = heap.reserve(1000);
  heap.bytes(old.start, old.bytes).fill(7);
  heap.release(old);
  const start = heap.reserveZeros({}, 5000);
  expect(start).toBe(old.start);
  expect(heap.bytes(start, 5000).every((byte) => byte === 0)).toBe(true);
});

test('beyond 4 GiB: an error that says so', () => {
  expect(() => new Heap(false).allocate(2 ** 32)).toThrow(/WebAssembly memory ends at 4 GiB/);
});
