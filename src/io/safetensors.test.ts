/** safetensors: round trips, an independent reading of the bytes, and refusal of everything broken before anything is allocated. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type DType, newArray } from '../core/dtype.ts';
import { GradixError } from '../core/errors.ts';
import { tensor } from '../tensor/index.ts';
import { readSafetensors, writeFileAtomic } from './files.ts';
import { loadTensors, save } from './index.ts';
import { type ArrayValue, decodeSafetensors, encodeSafetensors } from './safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'gradix-io-'));
afterAll(() => rmSync(folder, { recursive: true }));

const value = (dtype: DType, shape: number[], numbers: number[]): ArrayValue => {
  const data = newArray(dtype, numbers.length);
  data.set(numbers);
  return { dtype, shape, data };
};

/** A file from any header text. */
function file(header: string | object, data = new Uint8Array(0), claimed?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

describe('safetensors', () => {
  test('every dtype comes back, aligned, with metadata', () => {
    const tensors = {
      flags: value('bool', [3], [1, 0, 1]),
      bytes: value('uint8', [2, 1], [7, 255]),
      counts: value('int32', [], [-5]),
      halves: value('float16', [2], [0x3c00, 0xc000]),
      brains: value('bfloat16', [1], [0x3f80]),
      weights: value('float32', [2, 2], [1, 2, 3, 4.5]),
      doubles: value('float64', [1], [Math.PI]),
      none: value('float32', [0, 4], []),
    };
    const bytes = encodeSafetensors(tensors, { made: 'here' });
    const back = decodeSafetensors(bytes);
    expect(back.metadata).toEqual({ made: 'here' });
    expect(Object.fromEntries(back.tensors)).toEqual(tensors);
  });

  test('the bytes are what the format says', () => {
    const bytes = encodeSafetensors({ w: value('float32', [1, 2], [1, -2]) });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({ w: { dtype: 'F32', shape: [1, 2], data_offsets: [0, 8] } });
    expect((8 + length) % 64).toBe(0);
    expect([...new Float32Array(bytes.slice(8 + length).buffer)]).toEqual([1, -2]);
  });

  test('64-bit integers are read where they fit', () => {
    const data = new Uint8Array(new BigInt64Array([3n, -4n]).buffer);
    expect(decodeSafetensors(file({ n: { dtype: 'I64', shape: [2], data_offsets: [0, 16] } }, data)).tensors.get('n')?.data).toEqual(Int32Array.from([3, -4]));
  });

  test('odd names are only names', () => {
    const names = ['__proto__', 'constructor', 'a"b', '\\', 'ü', ''];
    const tensors = new Map(names.map((name, i) => [name, value('int32', [1], [i])]));
    expect([...decodeSafetensors(encodeSafetensors(tensors)).tensors.keys()].sort()).toEqual([...names].sort());
  });

  test('mutated files give a GradixError or tensors, nothing else', () => {
    const good = encodeSafetensors({ a: value('float32', [2, 3], [1, 2, 3, 4, 5, 6]), b: value('uint8', [5], [1, 2, 3, 4, 5]) }, { k: 'v' });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(good.length), (changes, cut) => {
        const bytes = good.slice(0, cut % 3 === 0 ? cut : good.length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          decodeSafetensors(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(GradixError);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('files', () => {
  test('save and load tensors', async () => {
    const path = join(folder, 'tensors.safetensors');
    await save({ a: tensor([[1, 2]]), b: tensor([3], { dtype: 'int32' }) }, path, { metadata: { note: 'x' } });
    const loaded = await loadTensors(path);
    expect(await loaded.a.array()).toEqual([[1, 2]]);
    expect(loaded.b.dtype).toBe('int32');
    expect((await readSafetensors(path)).metadata).toEqual({ note: 'x' });
  });

  test('a failed write leaves the old file and no temporary one', async () => {
    const path = join(folder, 'kept');
    await writeFileAtomic(path, 'old');
    writeFileSync(join(folder, 'blocker'), '');
    await expect(writeFileAtomic(join(folder, 'blocker/inside'), 'new')).rejects.toThrow(/is a file, not a folder/);
    await expect(writeFileAtomic(path, undefined as unknown as string)).rejects.toThrow();
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });
});
