/** Datasets, loaders, IDX files and generated digits. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { GradixError } from '../core/errors.ts';
import { tensor } from '../tensor/index.ts';
import { type Dataset, digits, encodeIdx, fromArrays, loader, mnist, parseIdx, readIdx } from './index.ts';
import { generator, permutation } from './random.ts';

const folder = mkdtempSync(join(tmpdir(), 'gradix-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

const counting = (n: number): Dataset =>
  fromArrays(
    Array.from({ length: n }, (_, i) => [i, -i]),
    Array.from({ length: n }, (_, i) => i % 3),
  );
const order = async (dataset: Dataset): Promise<number[]> =>
  [...(await dataset.read(Int32Array.from({ length: dataset.length }, (_, i) => i)))[0]].filter((_, i) => i % 2 === 0);

describe('dataset', () => {
  test('fields, rows and ranges', async () => {
    const dataset = counting(5);
    expect(dataset.fields).toEqual([
      { name: 'x', shape: [2], dtype: 'float32' },
      { name: 'y', shape: [], dtype: 'int32' },
    ]);
    const [x, y] = await dataset.get(1, 3);
    expect(await x.array()).toEqual([
      [1, -1],
      [2, -2],
    ]);
    expect(await y.array()).toEqual([1, 2]);
    expect(await order(dataset.skip(2).take(2))).toEqual([2, 3]);
  });

  test('split uses every example once, the same for the same seed', async () => {
    const dataset = counting(103);
    const parts = dataset.split([0.8, 0.2], { seed: 4 });
    expect(parts.map((part) => part.length)).toEqual([82, 21]);
    const all = (await Promise.all(parts.map(order))).flat();
    expect([...all].sort((a, b) => a - b)).toEqual(await order(dataset));
    expect(await order(dataset.split([0.8, 0.2], { seed: 4 })[1])).toEqual(await order(parts[1]));
    expect(await order(dataset.split([0.8, 0.2], { seed: 5 })[1])).not.toEqual(await order(parts[1]));
    expect(dataset.split([3, 100]).map((part) => part.length)).toEqual([3, 100]);
  });

  test('stratified parts keep the share of every class', () => {
    const dataset = fromArrays(
      Array.from({ length: 200 }, (_, i) => [i]),
      Array.from({ length: 200 }, (_, i) => (i < 150 ? 0 : i < 190 ? 1 : 2)),
    );
    for (const part of dataset.split([0.5, 0.5], { stratify: true })) {
      const labels = [...((part.labels() ?? []) as Int32Array)];
      expect([0, 1, 2].map((c) => labels.filter((label) => label === c).length)).toEqual([75, 20, 5]);
    }
  });

  test('map works on batches', async () => {
    const mapped = counting(4).map((x, y) => [x.mul(2).sum({ axis: 1, keepDims: true }).add(1), y]);
    expect(mapped.fields[0].shape).toEqual([1]);
    expect(await (await mapped.get(0, 4))[0].array()).toEqual([[1], [1], [1], [1]]);
    expect(mapped.labels()).toHaveLength(4);
  });
});

describe('loader', () => {
  test('batches, the last one smaller', async () => {
    const shapes: number[][] = [];
    for await (const [x] of loader(counting(10), { batchSize: 4 })) shapes.push([...x.shape]);
    expect(shapes).toEqual([
      [4, 2],
      [4, 2],
      [2, 2],
    ]);
    expect(loader(counting(10), { batchSize: 4, dropLast: true }).length).toBe(2);
  });

  test('a new order every epoch, the same for the same seed; goes on from a state', async () => {
    const take = async (loads: ReturnType<typeof loader>, stopAfter = Number.POSITIVE_INFINITY) => {
      const seen: number[] = [];
      for await (const { arrays } of loads.raw()) {
        seen.push(...[...arrays[0]].filter((_, i) => i % 2 === 0));
        if (seen.length >= stopAfter) break;
      }
      return seen;
    };
    const options = { batchSize: 3, shuffle: true, seed: 9 };
    const first = loader(counting(20), options);
    const epochs = [await take(first), await take(first)];
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect([...epochs[1]].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const second = loader(counting(20), options);
    await take(second);
    const begun = await take(second, 9);
    const third = loader(counting(20), options);
    third.state = second.state;
    expect([...begun, ...(await take(third))]).toEqual(epochs[1]);
    expect(third.state).toEqual({ epoch: 2, position: 0 });
  });

  test('permutations are uniform', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const key = permutation(3, generator(1, i)).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe('IDX', () => {
  test('all types come back, plain and compressed', async () => {
    for (const dtype of ['uint8', 'int32', 'float32', 'float64'] as const) {
      const value = {
        dtype,
        shape: [2, 3],
        data: await tensor([
          [1, 2, 3],
          [4, 5, 6],
        ])
          .cast(dtype)
          .data(),
      };
      expect(parseIdx(encodeIdx(value))).toEqual(value);
      writeFileSync(join(folder, `${dtype}.gz`), gzipSync(encodeIdx(value)));
      expect(await readIdx(join(folder, `${dtype}.gz`))).toEqual(value);
    }
    expect(parseIdx(Uint8Array.of(0, 0, 9, 1, 0, 0, 0, 2, 255, 1)).data).toEqual(Int32Array.of(-1, 1));
    expect(parseIdx(Uint8Array.of(0, 0, 11, 1, 0, 0, 0, 1, 1, 2)).data).toEqual(Int32Array.of(258));
  });

  test('mutated files give a GradixError or an array, nothing else', () => {
    const good = encodeIdx({ dtype: 'int32', shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, cut) => {
        const bytes = good.slice(0, Math.max(cut, 1));
        if (at < bytes.length) bytes[at] = byte;
        try {
          parseIdx(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(GradixError);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test('mnist finds its files in the folder or below it', async () => {
    const images = gzipSync(encodeIdx({ dtype: 'uint8', shape: [2, 28, 28], data: new Uint8Array(2 * 784).fill(51) }));
    const labels = encodeIdx({ dtype: 'uint8', shape: [2], data: Uint8Array.of(3, 9) });
    for (const stem of ['train', 't10k']) {
      writeFileSync(join(folder, `${stem}-images-idx3-ubyte.gz`), images);
      writeFileSync(join(folder, `${stem}-labels-idx1-ubyte`), labels);
    }
    const { test: held } = await mnist({ root: folder });
    const [x, y] = await held.get(1);
    expect(x.shape).toEqual([1, 28, 28, 1]);
    expect((await x.data())[0]).toBeCloseTo(0.2);
    expect(await y.array()).toEqual([9]);
  });
});

describe('digits', () => {
  test('the same seed gives the same digits, in any order of reading', async () => {
    const [a, b, c] = [digits({ count: 40, seed: 3 }), digits({ count: 40, seed: 3 }), digits({ count: 40, seed: 4 })];
    const [backwards] = await a.read([39, 7]);
    const [forwards] = await b.read([7, 39]);
    expect([...backwards.subarray(784)]).toEqual([...forwards.subarray(0, 784)]);
    expect([...(await c.read([7]))[0]]).not.toEqual([...forwards.subarray(0, 784)]);
  });

  test('balanced, centred, inked like MNIST', async () => {
    const dataset = digits({ count: 1000 });
    const [x, y] = await dataset.read(Int32Array.from({ length: 1000 }, (_, i) => i));
    for (let digit = 0; digit < 10; digit++) expect([...y].filter((label) => label === digit)).toHaveLength(100);
    let ink = 0;
    for (let i = 0; i < 1000; i++) {
      let [mass, across, down] = [0, 0, 0];
      for (let p = 0; p < 784; p++) {
        const value = x[i * 784 + p];
        mass += value;
        across += value * (p % 28);
        down += value * Math.floor(p / 28);
      }
      ink += mass / 784;
      expect(Math.abs(across / mass - 13.5)).toBeLessThanOrEqual(0.6);
      expect(Math.abs(down / mass - 13.5)).toBeLessThanOrEqual(0.6);
    }
    expect(Math.abs(ink / 1000 - 0.1307)).toBeLessThan(0.015); // the mean of MNIST's training images is 0.1307
  });

  test('other sizes', async () => {
    const dataset = digits({ count: 10, size: 16 });
    expect((await dataset.get(0, 10))[0].shape).toEqual([10, 16, 16, 1]);
  });
});
