/** Parsers over bytes: what they read is what was written; what is wrong is named. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { newArray } from '../../core/dtype.ts';
import { crc32 } from '../../io/crc.ts';
import { tensor } from '../../tensor/index.ts';
import { openArchive } from './archive.ts';
import { blobSource, bytesSource } from './bytes.ts';
import { parseCifar } from './cifar.ts';
import { deflate, inflate } from './compression.ts';
import { parseCsv } from './csv.ts';
import { below } from './file-set.ts';
import { encodeNpy, encodeNpz, parseNpy, parseNpz } from './npy.ts';
import { encodeTar } from './testing.ts';
import { encodeWav, parseWav } from './wav.ts';
import { encodeZip } from './zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'gradix-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface NumpyFixtures {
  readonly arrays: readonly { readonly name: string; readonly file: string; readonly shape: readonly number[]; readonly values: readonly number[] }[];
  readonly archives: Readonly<Record<string, string>>;
}
const numpy = JSON.parse(readFileSync(new URL('../../../test/fixtures/numpy.json', import.meta.url), 'utf8')) as NumpyFixtures;
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hasNumpy = spawnSync('/usr/bin/python3', ['-c', 'import numpy']).status === 0;

describe('npy', () => {
  test.each(numpy.arrays)('reads $name as NumPy wrote it', ({ file, shape, values }) => {
    const array = parseNpy(bytesOf(file));
    expect(array.shape).toEqual(shape);
    expect([
      ...tensor(array.data, { shape: [array.data.length], dtype: array.dtype })
        .cast('float64')
        .dataSync(),
    ]).toEqual(values);
  });

  test('what is written comes back', () => {
    for (const dtype of ['float16', 'float32', 'float64', 'int32', 'uint8', 'bool'] as const) {
      const value = { dtype, shape: [2, 2], data: newArray(dtype, 4).fill(1) };
      expect(parseNpy(encodeNpy(value))).toEqual(value);
    }
  });

  test('stored and compressed archives', async () => {
    for (const file of Object.values(numpy.archives)) {
      const arrays = await parseNpz(bytesOf(file));
      expect([...arrays.keys()]).toEqual(['x', 'y']);
      expect(arrays.get('y')).toEqual({ dtype: 'int32', shape: [2, 1], data: Int32Array.of(-5, 7) });
    }
  });

  test.skipIf(!hasNumpy)('NumPy reads what is written', () => {
    const path = join(folder, 'a.npz');
    const x = { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 1 / 3) } as const;
    writeFileSync(path, encodeNpz({ x, y: { dtype: 'int32', shape: [1], data: Int32Array.of(-9) } }));
    const program = `import numpy as n; f = n.load(${JSON.stringify(path)}); print(f['x'].dtype, f['x'].shape, float(f['x'][1, 2]), f['y'])`;
    expect(execFileSync('/usr/bin/python3', ['-c', program], { encoding: 'utf8' }).trim()).toBe('float32 (2, 3) 0.3333333432674408 [-9]');
  });

  test('refuses what it cannot hold', () => {
    const big = encodeNpy({ dtype: 'float64', shape: [1], data: Float64Array.of(0) });
    const text = new TextDecoder('latin1').decode(big).replace('<f8', '<i8');
    const int64 = Uint8Array.from(text, (c) => c.charCodeAt(0)).fill(127, big.length - 8);
    expect(() => parseNpy(int64, 'a.npy')).toThrow(/a\.npy holds the integer 9\d+, which does not fit into 32 bits/);
    expect(() => parseNpy(big.subarray(0, big.length - 1))).toThrow(/claims \[1\] values of 8 bytes, 8 in all, but holds 7/);
    expect(() => parseNpy(utf8('not numpy at all'))).toThrow(/It is not an NPY file/);
    expect(() => encodeNpy({ dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0) })).toThrow(/NPY has no bfloat16/);
  });
});

describe('cifar', () => {
  test('planes become channels', () => {
    const bytes = new Uint8Array(2 * 3073);
    bytes[3073] = 9;
    bytes.fill(7, 3074, 3074 + 1024).fill(8, 3074 + 1024, 3074 + 2048);
    const { images, labels } = parseCifar(bytes);
    expect([...labels]).toEqual([0, 9]);
    expect([...images.subarray(3072, 3078)]).toEqual([7, 8, 0, 7, 8, 0]);
    expect(() => parseCifar(bytes.subarray(1))).toThrow(/6145 bytes, which is no whole number of records of 3073/);
    bytes[0] = 10;
    expect(() => parseCifar(bytes, { name: 'a.bin' })).toThrow(/a\.bin: label 10 of example 0 is outside 0 … 9/);
    expect([
      ...parseCifar(
        Uint8Array.from({ length: 3074 }, (_, i) => i % 100),
        { classes: 100 },
      ).labels,
    ]).toEqual([1]);
  });
});

describe('csv', () => {
  test('types, categories, quotes and line breaks', () => {
    const table = parseCsv('size;kind;note\r\n1,5;cat;"a ""b""; c"\r\n2;dog;"two\nlines"\r\n', { header: true, columns: { size: 'category' } });
    expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
      ['size', 'category'],
      ['kind', 'category'],
      ['note', 'category'],
    ]);
    expect(table.columns[2]).toMatchObject({ categories: ['a "b"; c', 'two\nlines'], values: Int32Array.of(0, 1) });
    const plain = parseCsv('\ufeff1,2.5,-3e2\n4,.5,1\n');
    expect(plain.columns.map(({ name, values }) => [name, ...values])).toEqual([
      ['column1', 1, 4],
      ['column2', 2.5, 0.5],
      ['column3', -300, 1],
    ]);
    expect(parseCsv('a\tb\n1\t2\n').columns.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(parseCsv('10\n9\n', { columns: { column1: 'category' } }).columns[0]).toMatchObject({ categories: ['9', '10'] });
  });

  test('cells come back whatever they hold', () => {
    const cell = fc.string({ minLength: 1, unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '1') }).filter((text) => text.trim() === text);
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 5 }), (cells) => {
        const text = cells.map((value) => `"${value.replaceAll('"', '""')}",0`).join('\n');
        const [column] = parseCsv(text, { header: false, separator: ',', columns: { column1: 'category' }, missingWords: [] }).columns;
        expect(column.kind === 'category' && [...column.values].map((code) => column.categories[code])).toEqual(cells);
      }),
    );
  });

  test('missing values: named, dropped or filled', () => {
    const text = 'a,b\n1,2\n?,4\n5,\n';
    expect(() => parseCsv(text, { name: 't.csv' })).toThrow(/t\.csv line 3, column 1 \(a\): the value is missing \("\?"\)/);
    expect(parseCsv(text, { missing: 'drop' })).toMatchObject({ rows: 1, dropped: 2 });
    expect([...parseCsv(text, { missing: 'mean' }).columns[0].values]).toEqual([1, 3, 5]);
    expect([...parseCsv(text, { missing: -1 }).columns[1].values]).toEqual([2, 4, -1]);
    expect(() => parseCsv('a\nNaN\n', { header: true })).toThrow(/line 2, column 1 \(a\): the value is missing \("NaN"\)/);
  });

  test('errors name the line and the column', () => {
    const rows = Array.from({ length: 30 }, (_, i) => `${i},${i === 20 ? 'x7' : i}`).join('\n');
    expect(() => parseCsv(`a,b\n${rows}\n`, { name: 't.csv' })).toThrow(/t\.csv line 22, column 2 \(b\): "x7" is not a number, as 29 other cells/);
    expect(() => parseCsv('a,b\n1,2\n3\n', { name: 't.csv' })).toThrow(/t\.csv line 3 has 1 cells, but line 1 has 2/);
    expect(() => parseCsv('a\n1\n"2\n', { name: 't.csv' })).toThrow(/t\.csv line 3, column 1: a quote is never closed/);
    expect(() => parseCsv('a\n"2"x\n')).toThrow(/"x" follows a closing quote/);
    expect(() => parseCsv('a\n1e999\n', { header: true })).toThrow(/"1e999" is not a finite number/);
    expect(() => parseCsv('a,b\n1,2\n', { columns: { c: 'skip' } })).toThrow(/has no column c\. It has a, b/);
    expect(() => parseCsv('')).toThrow(/holds no rows/);
  });
});

describe('archives', () => {
  const files = { 'b/two.bin': Uint8Array.from({ length: 1500 }, (_, i) => i % 7), 'a.txt': utf8('one'), [`${'long/'.repeat(40)}name.txt`]: utf8('far') };
  const tar = encodeTar(files);

  test.each([
    ['tar', tar],
    ['tar.gz', new Uint8Array(gzipSync(tar))],
    ['zip', encodeZip(Object.entries(files))],
  ])('%s: every file, in the order of the paths', async (_, bytes) => {
    for (const source of [bytesSource(bytes), blobSource(new Blob([bytes as Uint8Array<ArrayBuffer>]))]) {
      const archive = await openArchive(source);
      expect(archive.entries.map(({ path }) => path)).toEqual(Object.keys(files).sort());
      for (const [path, content] of Object.entries(files)) expect(new Uint8Array(await archive.read(path))).toEqual(content);
      expect(below(archive, 'b').entries).toEqual([{ path: 'two.bin' }]);
      expect(() => below(archive, 'c')).toThrow(/has no folder c\. It holds a\.txt, b, long/);
    }
  });

  test.skipIf(spawnSync('tar', ['--version']).status !== 0)('as the tar command writes them, in all of its forms', async () => {
    const name = `${'deep/'.repeat(30)}file.txt`;
    execFileSync('sh', ['-c', `mkdir -p "$(dirname ${name})" && echo hello > ${name}`], { cwd: folder });
    for (const form of ['ustar', 'gnu', 'pax']) {
      execFileSync('tar', ['--format', form, '-cf', `${form}.tar`, 'deep'], { cwd: folder });
      const archive = await openArchive(bytesSource(new Uint8Array(readFileSync(join(folder, `${form}.tar`)))));
      expect(archive.entries).toEqual([{ path: name }]);
      expect(new TextDecoder().decode(await archive.read(name))).toBe('hello\n');
    }
  });

  test('paths that lead outside are refused', async () => {
    for (const path of ['../evil', 'a/../../evil', '/etc/passwd', 'C:\\evil', '..\\evil']) {
      for (const bytes of [encodeTar({ [path]: utf8('x') }), encodeZip([[path, utf8('x')]])])
        await expect(openArchive(bytesSource(bytes, 'bad'))).rejects.toThrow(/bad holds the path ".*", which leads outside the archive/);
    }
  });

  test('damage is named', async () => {
    const zip = encodeZip([['a.txt', utf8('hello')]]);
    const flipped = zip.slice();
    flipped[30 + 5] ^= 1;
    await expect((await openArchive(bytesSource(flipped, 'a.zip'))).read('a.txt')).rejects.toThrow('a.zip/a.txt does not match its checksum');
    await expect(openArchive(bytesSource(zip.subarray(0, 60)))).rejects.toThrow(/has no directory/);
    await expect(openArchive(bytesSource(tar.subarray(0, 1500), 'a.tar'))).rejects.toThrow(/a\.tar, byte \d+: a file of \d+ bytes is announced/);
    const broken = tar.slice();
    broken[0] ^= 1;
    await expect(openArchive(bytesSource(broken))).rejects.toThrow(/byte 0: the header's checksum is \d+, not \d+/);
    await expect(openArchive(bytesSource(utf8('tiny')))).rejects.toThrow(/too short for an archive/);
  });
});

describe('compression', () => {
  test('round trips, and stops at the limit', async () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251);
    for (const kind of ['gzip', 'deflate', 'deflate-raw'] as const) expect(await inflate(await deflate(bytes, kind), kind)).toEqual(bytes);
    const bomb = await deflate(new Uint8Array(1_000_000), 'gzip');
    await expect(inflate(bomb, 'gzip', { limit: 1000 })).rejects.toThrow(/expands to more than the 1000 bytes/);
    await expect(inflate(utf8('nonsense'), 'gzip')).rejects.toThrow(/cannot be decompressed/);
    expect(crc32(utf8('123456789'))).toBe(0xcbf43926); // the check value of the CRC catalogue
  });
});

describe('wav', () => {
  test('16-bit and float samples come back', () => {
    const samples = Float32Array.of(0, 0.5, -1, 0.25, -0.125, 32_767 / 32_768);
    for (const bits of [16, 32] as const)
      expect(parseWav(encodeWav({ sampleRate: 8000, channels: 2, samples }, { bits }))).toEqual({ sampleRate: 8000, channels: 2, samples });
  });

  test('8, 24, 32 and 64 bits, and the extensible form', () => {
    const make = (tag: number, bits: number, values: readonly number[], extended = false): Uint8Array => {
      const base = encodeWav({ sampleRate: 8000, channels: 1, samples: new Float32Array(0) });
      const format = new Uint8Array(extended ? 48 : 24);
      format.set(base.subarray(12, 36));
      const view = new DataView(format.buffer);
      view.setUint32(4, format.length - 8, true);
      view.setUint16(8, extended ? 0xfffe : tag, true);
      view.setUint16(22, bits, true);
      if (extended) view.setUint16(32, tag, true);
      const chunk = Uint8Array.of(...utf8('data'), values.length, 0, 0, 0, ...values);
      return Uint8Array.of(...base.subarray(0, 12), ...format, ...chunk);
    };
    expect([...parseWav(make(1, 8, [0, 128, 255, 192])).samples]).toEqual([-1, 0, 127 / 128, 0.5]);
    expect([...parseWav(make(1, 24, [0, 0, 64, 0, 0, 128, 255, 255, 255])).samples]).toEqual([0.5, -1, Math.fround(-1 / 2 ** 23)]);
    expect([...parseWav(make(1, 32, [0, 0, 0, 64, 0, 0, 0, 128], true)).samples]).toEqual([0.5, -1]);
    expect([...parseWav(make(3, 64, [0, 0, 0, 0, 0, 0, 0xe0, 0x3f])).samples]).toEqual([0.5]);
    expect(() => parseWav(make(7, 8, [0]), 'a.wav')).toThrow(/a\.wav has 8 bits in format 7/);
    expect(() => parseWav(make(1, 16, [0, 0]).subarray(0, 45))).toThrow(/announces 2 bytes of "data", but 1 follow/);
    expect(() => parseWav(utf8('RIFFxxxxAVI '))).toThrow(/It is not a WAV file/);
  });
});
