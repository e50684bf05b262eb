/** Folders, archives and tables as datasets, with what can be wrong with them; worker threads; memory. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { encodeTar } from '../src/data/formats/testing.ts';
import {
  audioFolder,
  augment,
  bytesSource,
  csv,
  type Dataset,
  decodeImage,
  encodeNpz,
  encodePng,
  encodeWav,
  encodeZip,
  imageFolder,
  loader,
  npz,
  openArchive,
  parquet,
  preview,
  text,
} from '../src/data/index.ts';

const root = mkdtempSync(join(tmpdir(), 'gradix-folders-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Writes files below a new folder and gives its path. */
function folder(name: string, files: Readonly<Record<string, Uint8Array | string>>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
  }
  return path;
}

const picture = (value: number, channels = 3, height = 6, width = 8): Promise<Uint8Array> =>
  encodePng({ height, width, channels, data: Uint8Array.from({ length: height * width * channels }, (_, i) => (value + 3 * i) & 255) });

/** Two classes with `count` pictures each; picture i of class c begins with the value 20 c + i. */
async function pictures(count = 5): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const [c, name] of ['cat', 'dog'].entries()) for (let i = 0; i < count; i++) files[`${name}/${i}.png`] = await picture(20 * c + i);
  return files;
}

const firstPixels = async (dataset: Dataset): Promise<number[]> => {
  const [x] = await dataset.readStored(Array.from({ length: dataset.length }, (_, i) => i));
  return Array.from({ length: dataset.length }, (_, i) => x[i * (x.length / dataset.length)]);
};

describe('image folders', () => {
  test('the same from a folder, a tar, a tar.gz, a zip and an open archive', async () => {
    const files = await pictures();
    const tar = encodeTar(files);
    writeFileSync(join(root, 'a.tar'), tar);
    writeFileSync(join(root, 'a.tar.gz'), gzipSync(tar));
    writeFileSync(join(root, 'a.zip'), encodeZip(Object.entries(files)));
    const sources = [folder('plain', files), join(root, 'a.tar'), join(root, 'a.tar.gz'), join(root, 'a.zip'), await openArchive(bytesSource(tar))];
    for (const source of sources) {
      const dataset = await imageFolder(source);
      expect(dataset.classes).toEqual(['cat', 'dog']);
      expect(dataset.fields[0]).toEqual({ name: 'x', shape: [6, 8, 3], dtype: 'float32', stored: { dtype: 'uint8', scale: 1 / 255 } });
      expect([...(dataset.labels() as Int32Array)]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
      expect(await firstPixels(dataset)).toEqual([0, 1, 2, 3, 4, 20, 21, 22, 23, 24]);
      expect((await dataset.read([7]))[0][0]).toBeCloseTo(22 / 255, 6);
    }
    const within = await imageFolder(sources[0], { label: (path) => (path.startsWith('dog') ? `d${path[4]}` : undefined), size: 4, channels: 1 });
    expect(within.classes).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
    expect(within.fields[0].shape).toEqual([4, 4, 1]);
    const parts = (await imageFolder(sources[1])).splitEachLabel([3, 2], { shuffle: false });
    expect(await Promise.all(parts.map(firstPixels))).toEqual([
      [0, 1, 2, 20, 21, 22],
      [3, 4, 23, 24],
    ]);
    await expect(async () => (await imageFolder(sources[1])).splitEachLabel([3, 3])).rejects.toThrow(/the class cat has 5 examples, not 3 \+ 3/);
  });

  test('a cache changes nothing, and holds no more than it may', async () => {
    const dataset = await imageFolder(join(root, 'a.tar'));
    for (const bytes of [0, 3 * (6 * 8 * 3 + 4), 1e6]) {
      const kept = dataset.cache({ bytes });
      for (let pass = 0; pass < 2; pass++) expect(await firstPixels(kept)).toEqual(await firstPixels(dataset));
      expect((await kept.read([9, 2, 9]))[1]).toEqual(Int32Array.of(1, 0, 1));
    }
  });

  test('what is wrong is named', async () => {
    const files = await pictures(2);
    const refused: readonly (readonly [string, Record<string, Uint8Array | string>, RegExp, object?])[] = [
      ['empty', {}, /empty holds no pictures/],
      ['unsorted', { 'a.png': await picture(1) }, /holds 1 pictures, but none has a class/],
      ['bare', { ...files, 'bird/notes.txt': 'none yet' }, /the class bird of .* has no pictures/],
      ['asked', files, /the class fox of .* has no pictures/, { classes: ['cat', 'dog', 'fox'] }],
      ['unknown', files, /dog\/0\.png has the class dog, which is not among cat/, { classes: ['cat'] }],
      [
        'parts',
        { 'train/1.png': await picture(1), 'test/1.png': await picture(1) },
        /holds the folders test, train, which are no classes\. Give \{ under: 'test' \}/,
      ],
      ['under', files, /has no folder fish\. It holds cat, dog/, { under: 'fish' }],
    ];
    for (const [name, content, message, options] of refused) await expect(imageFolder(folder(name, content), options)).rejects.toThrow(message);
    await expect(imageFolder(join(root, 'nowhere'))).rejects.toThrow(/nowhere does not exist/);

    const rows = [0, 1, 2, 3, 4];
    const grey = await imageFolder(folder('grey', { ...files, 'dog/9.png': await picture(1, 1) }));
    await expect(grey.read(rows)).rejects.toThrow(/dog\/9\.png has 1 channel, not 3\. Give \{ channels: 1 \} or \{ channels: 3 \}/);
    expect((await (await imageFolder(join(root, 'grey'), { channels: 3 })).read(rows))[0]).toHaveLength(5 * 6 * 8 * 3);
    const large = await imageFolder(folder('large', { ...files, 'dog/9.png': await picture(1, 3, 7, 9) }));
    await expect(large.read(rows)).rejects.toThrow(/dog\/9\.png is 7 × 9 pixels, not 6 × 8\. Give \{ size: \[6, 8\] \}/);
  });

  test('corrupt pictures: an error when read, or a skip with a count', async () => {
    const files = { ...(await pictures(2)), 'cat/7.jpg': 'no picture', 'dog/8.png': (await picture(3)).subarray(0, 60) };
    const path = folder('corrupt', files);
    await expect((await imageFolder(path)).read([2])).rejects.toThrow(/cat\/7\.jpg is no PNG, JPEG, PGM or PPM picture/);
    await expect((await imageFolder(path)).read([5])).rejects.toThrow(/dog\/8\.png cannot be decoded: .* Remove or replace the file/);
    const skipped: string[] = [];
    const sound = await imageFolder(path, { corrupt: 'skip', onSkip: (list) => skipped.push(...list.map((file) => file.path)) });
    expect(skipped).toEqual(['cat/7.jpg', 'dog/8.png']);
    expect(await firstPixels(sound)).toEqual([0, 1, 20, 21]);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await imageFolder(path, { corrupt: 'skip' });
    expect(warn.mock.calls.join()).toMatch(/imageFolder left out 2 of 6 pictures of .* cat\/7\.jpg, dog\/8\.png/);
    warn.mockRestore();
    await expect(
      imageFolder(folder('all-corrupt', { 'cat/1.png': 'x', 'dog/1.png': await picture(1) }), { corrupt: 'skip', onSkip: () => {} }),
    ).rejects.toThrow(/no picture of the class cat in .* can be decoded/);
  });

  test('a set that shrinks while it is read', async () => {
    const path = folder('shrinking', await pictures(2));
    const dataset = await imageFolder(path);
    unlinkSync(join(path, 'dog/1.png'));
    await expect(dataset.read([3])).rejects.toThrow(/dog\/1\.png was there when the folder was opened and is gone now/);
    const tar = join(root, 'shrinking.tar');
    writeFileSync(tar, encodeTar(await pictures(2)));
    const packed = await imageFolder(tar);
    truncateSync(tar, 1000);
    await expect(packed.read([3])).rejects.toThrow(/shrinking\.tar ends at byte \d+, but byte \d+ is needed\. The file is truncated, or became shorter/);
  });
});

describe('worker threads', () => {
  const built = existsSync(fileURLToPath(new URL('../dist/data/worker-node.js', import.meta.url)));

  test.skipIf(!built)('the same pixels for 0, 1 and 2 workers, in the same order', async () => {
    writeFileSync(join(root, 'workers.tar'), encodeTar(await pictures(12)));
    const list = [
      augment.flip(),
      augment.crop({ size: [6, 8], padding: 2 }),
      augment.elastic({ alpha: 8 }),
      augment.normalize({ mean: [0.5] }),
      augment.mixup(),
    ];
    const dataset = (await imageFolder(join(root, 'workers.tar'))).augment(list, { seed: 3 });
    const epochs = async (source: Dataset, options: object = {}) => {
      const values: number[] = [];
      const loads = loader(source, { batchSize: 5, shuffle: true, seed: 1, ...options });
      for (let pass = 0; pass < 2; pass++) for await (const { arrays } of loads.raw()) for (const array of arrays) values.push(...array);
      return values;
    };
    const reference = await epochs(dataset);
    expect(new Set(reference).size).toBeGreaterThan(1000);
    for (const workers of [1, 2]) expect(await epochs(dataset, { workers })).toEqual(reference);
    expect(await epochs(dataset.prefetch({ batches: 3, workers: 2 }).take(24))).toEqual(reference);
    const own = dataset.augment([{ name: 'mine', apply: (image) => image }]);
    await expect(epochs(own, { workers: 1 })).rejects.toThrow(/the transform mine is a function, which cannot be sent to worker threads\. Leave workers out/);
  });

  test.skipIf(!built)('the built package finds its workers', () => {
    const program = `
      const { imageFolder, loader, augment } = await import('gradix/data');
      const dataset = (await imageFolder(${JSON.stringify(join(root, 'workers.tar'))})).augment([augment.flip()], { seed: 1 });
      const sums = [];
      for (const workers of [0, 2]) {
        let sum = 0;
        for await (const { arrays } of loader(dataset, { workers }).raw()) arrays[0].forEach((value, i) => (sum += value * (i % 89)));
        sums.push(sum);
      }
      console.log(sums[0] > 0 && sums[0] === sums[1]);`;
    const project = fileURLToPath(new URL('..', import.meta.url));
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: project, encoding: 'utf8', timeout: 40_000 }).trim()).toBe('true');
  });

  test.skipIf(!built)('errors come back from a worker as they are', async () => {
    const dataset = await imageFolder(folder('corrupt-for-workers', { ...(await pictures(1)), 'cat/7.jpg': 'no picture' }));
    const read = async () => {
      for await (const _ of loader(dataset, { batchSize: 2, workers: 1 }));
    };
    await expect(read()).rejects.toThrow(/image: .*cat\/7\.jpg is no PNG/);
  });
});

describe('audio folders', () => {
  const tone = (frequency: number, sampleRate = 8000, seconds = 0.5) =>
    encodeWav({
      sampleRate,
      channels: 1,
      samples: Float32Array.from({ length: sampleRate * seconds }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / sampleRate)),
    });

  test('features of one shape, silence after short recordings', async () => {
    const path = folder('tones', { 'low/1.wav': tone(300), 'high/1.wav': tone(3000) });
    const mel = await audioFolder(path);
    expect(mel.fields[0].shape).toEqual([98, 40, 1]);
    expect(mel.classes).toEqual(['high', 'low']);
    const [x] = await mel.read([0, 1]);
    const loudest = (example: number) =>
      Array.from(x.subarray(example * 3920 + 400, example * 3920 + 440)).reduce((best, value, i, all) => (value > all[best] ? i : best), 0);
    expect(loudest(0)).toBeGreaterThan(loudest(1) + 10);
    expect(x[97 * 40]).toBeCloseTo(Math.log(1e-10), 4);
    const shapes = { wave: [4000], spectrogram: [48, 129, 1], mfcc: [48, 13, 1] };
    for (const [features, shape] of Object.entries(shapes) as ['wave' | 'spectrogram' | 'mfcc', number[]][]) {
      const dataset = await audioFolder(path, { features, seconds: 0.5 });
      expect(dataset.fields[0].shape).toEqual(shape);
      expect((await dataset.read([1]))[0]).toHaveLength(shape.reduce((a, b) => a * b));
    }
  });

  test('what is wrong is named', async () => {
    const path = folder('rates', { 'a/1.wav': tone(300), 'b/1.wav': tone(300, 16_000) });
    await expect((await audioFolder(path)).read([1])).rejects.toThrow(/b\/1\.wav has 16000 samples per second, not 8000/);
    await expect(audioFolder(path, { seconds: 0.01 })).rejects.toThrow(/0\.01 s are shorter than one frame of 25 ms/);
    await expect(audioFolder(path, { seconds: -1 })).rejects.toThrow(/seconds must be a number > 0, got -1/);
  });
});

describe('tables', () => {
  test('csv: labels as words, category features, quantities', async () => {
    const path = join(folder('tables', { 'a.csv': 'height,kind,weight,species\n1,x,10,owl\n2,y,20,fox\n3,x,30,owl\n' }), 'a.csv');
    const species = await csv(path);
    expect(species.classes).toEqual(['fox', 'owl']);
    const [x, y] = await species.read([0, 1, 2]);
    expect([...x]).toEqual([1, 1, 0, 10, 2, 0, 1, 20, 3, 1, 0, 30]);
    expect([...y]).toEqual([1, 0, 1]);
    const weight = await csv(path, { target: 'weight', columns: { species: 'skip' } });
    expect(weight.fields[1]).toEqual({ name: 'y', shape: [1], dtype: 'float32' });
    expect((await csv(path, { classes: ['owl', 'fox'] })).labels()).toEqual(Int32Array.of(0, 1, 0));
    await expect(csv(path, { target: 'age' })).rejects.toThrow(/has no column age to predict\. It has height, kind, weight, species/);
    await expect(csv(path, { classes: ['owl'] })).rejects.toThrow(/the class fox in the column species of .* is not among owl/);
    await expect(csv(path, { predict: 'number' })).rejects.toThrow(/the column species of .* holds words, not numbers/);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    writeFileSync(path, 'a,b\n1,0\nNaN,1\n3,0\n');
    expect((await csv(path, { missing: 'drop' })).length).toBe(2);
    expect(warn.mock.calls.join()).toMatch(/csv left out 1 of 3 rows of .* with missing values/);
    warn.mockRestore();
    await expect(csv(path)).rejects.toThrow(/a\.csv line 3, column 1 \(a\): the value is missing \("NaN"\)/);
  });

  test('npz', async () => {
    const path = join(root, 'a.npz');
    const x = { dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
    writeFileSync(
      path,
      encodeNpz({ x, y: { dtype: 'int32', shape: [3], data: Int32Array.of(0, 1, 0) }, z: { dtype: 'int32', shape: [2], data: Int32Array.of(0, 1) } }),
    );
    const dataset = await npz(path);
    expect(dataset.length).toBe(3);
    expect((await dataset.read([2]))[0]).toEqual(Float32Array.of(5, 6));
    await expect(npz(path, { fields: ['x', 'z'] })).rejects.toThrow(/x has 3 examples but z has 2/);
    await expect(npz(path, { fields: ['x', 'w'] })).rejects.toThrow(/has no array w\. It has x, y, z/);
  });

  test('parquet', async () => {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    const path = join(root, 'a.parquet');
    const columns = [
      { name: 'size', data: [1.5, 2.5, 3.5], type: 'DOUBLE' as const },
      { name: 'count', data: [1, 2, 3], type: 'INT32' as const },
      { name: 'kind', data: ['b', 'a', 'b'], type: 'STRING' as const },
    ];
    writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData: columns })));
    const dataset = await parquet(path);
    expect(dataset.classes).toEqual(['a', 'b']);
    const [x, y] = await dataset.read([0, 1, 2]);
    expect([...x]).toEqual([1.5, 1, 2.5, 2, 3.5, 3]);
    expect([...y]).toEqual([1, 0, 1]);
    expect((await parquet(path, { columns: ['size', 'kind'] })).fields[0].shape).toEqual([1]);
    await expect(parquet(path, { columns: ['weight'] })).rejects.toThrow(/has no column weight\. It has size, count, kind/);
    truncateSync(path, 50);
    await expect(parquet(path)).rejects.toThrow(/a\.parquet cannot be read: .* truncated, corrupt, or not Parquet/);
  });

  test('text', async () => {
    const path = join(folder('texts', { 'a.txt': 'to be or not to be' }), 'a.txt');
    const { examples, tokenizer } = await text(path, { tokenizer: 'words', length: 2 });
    expect(tokenizer.decode((await examples.read([1]))[0] as Int32Array)).toBe('or not');
  });
});

test('preview writes a contact sheet', async () => {
  const path = join(root, 'sheet.png');
  const { readFileSync } = await import('node:fs');
  await preview((await imageFolder(join(root, 'a.tar'))).augment([augment.noise({ deviation: 0.1 })]), path, { count: 4, repeats: 3, zoom: 1 });
  const sheet = await decodeImage(new Uint8Array(readFileSync(path)));
  expect([sheet.height, sheet.width, sheet.channels]).toEqual([4 * 8 + 2, 3 * 10 + 2, 3]);
  await expect(preview(await imageFolder(join(root, 'a.tar')), path, { count: 0 })).rejects.toThrow(/count must be a whole number ≥ 1/);
});

test('a set ten times as large as its cache streams with flat memory', async () => {
  // 400 pictures of 192 kB decoded are 75 MB; the cache may hold 7.5.
  const one = await encodePng({ height: 256, width: 256, channels: 3, data: new Uint8Array(256 * 256 * 3).fill(9) });
  const files = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`${i % 2 === 0 ? 'a' : 'b'}/${i}.png`, one]));
  const dataset = (await imageFolder(await openArchive(bytesSource(encodeTar(files))))).cache({ bytes: 7.5e6 });
  const loads = loader(dataset, { batchSize: 20, prefetch: 1 });
  const settled = async () => {
    let examples = 0;
    for await (const { size } of loads.raw()) examples += size;
    expect(examples).toBe(400);
    return process.memoryUsage().arrayBuffers;
  };
  const first = await settled();
  await settled();
  expect((await settled()) - first).toBeLessThan(40e6);
});
