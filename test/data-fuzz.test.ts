/**
 * Fuzzing: files of every format, damaged at random, give a GradixError or a value; nothing else is thrown, nothing hangs, and no more memory is asked for
 * than the file's size times the format's factor (docs/data.md). GRADIX_RUNS=100000 sets how many files per format, GRADIX_FROM=50000 with which of
 * them it begins, so that several processes can share them.
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { environmentVariable } from '../src/core/debug.ts';
import { GradixError } from '../src/core/errors.ts';
import { inflate } from '../src/data/formats/compression.ts';
import { tableOf } from '../src/data/formats/parquet.ts';
import { limitsOf } from '../src/data/formats/parquet-decoder.ts';
import { type ParquetDecoder, startDecoder } from '../src/data/formats/parquet-node.ts';
import { encodeTar } from '../src/data/formats/testing.ts';
import { imageHeader } from '../src/data/images/header.ts';
import {
  bytesSource,
  decodeImage,
  encodeIdx,
  encodeNpy,
  encodeNpz,
  encodeWav,
  encodeZip,
  fromSaved,
  openArchive,
  parseCifar,
  parseCsv,
  parseIdx,
  parseNpy,
  parseNpz,
  parseParquet,
  parseWav,
} from '../src/data/index.ts';
import { type Generator, generator } from '../src/data/random.ts';
import { type ArrayValue, decodeSafetensors, encodeSafetensors } from '../src/io/safetensors.ts';

const wanted = environmentVariable('GRADIX_RUNS');
const from = Number(environmentVariable('GRADIX_FROM') ?? 0);

/** Seconds for one file; they are small, so that a parser which needs longer hangs. */
const longest = 120;
/** A thread that ends the process, and so the test, when a file takes longer: a loop that never ends cannot be interrupted otherwise. */
const beat = new Int32Array(new SharedArrayBuffer(4));
const watchdog = new Worker(
  `const { workerData: { beat, longest } } = require('node:worker_threads');
  let [last, ticks] = [-1, 0];
  // Ticks are counted, not time: a process that is stopped for a while does not hang.
  setInterval(() => {
    if (beat[0] !== last) [last, ticks] = [beat[0], 0];
    else if (last !== 0 && ++ticks > longest) {
      require('node:fs').writeSync(2, 'data-fuzz: a file has taken more than ' + longest + ' seconds (number ' + (last - 1) + ' of its format)\\n');
      process.kill(process.pid, 'SIGKILL');
    }
  }, 1000);`,
  { eval: true, execArgv: [], workerData: { beat, longest } },
);
watchdog.unref();

/** Memory that is asked for: typed arrays and buffers made from a length. */
let asked = 0;
const names = ['ArrayBuffer', 'Uint8Array', 'Int32Array', 'Float32Array', 'Float64Array', 'Uint16Array'] as const;
const originals = names.map((name) => [name, globalThis[name]] as const);
const watched = (original: (typeof globalThis)[(typeof names)[number]]) => {
  const width = 'BYTES_PER_ELEMENT' in original ? original.BYTES_PER_ELEMENT : 1;
  return new Proxy(original, {
    construct(target, args, newTarget) {
      if (typeof args[0] === 'number') asked += args[0] * width;
      return Reflect.construct(target, args, newTarget === proxies.get(target) ? target : newTarget) as object;
    },
  });
};
const proxies = new Map<unknown, unknown>();
function watch(): void {
  for (const [name, original] of originals) {
    const proxy = watched(original);
    proxies.set(original, proxy);
    Object.defineProperty(globalThis, name, { value: proxy, configurable: true, writable: true });
  }
}
function unwatch(): void {
  for (const [name, original] of originals) Object.defineProperty(globalThis, name, { value: original, configurable: true, writable: true });
}
afterAll(async () => {
  unwatch();
  await watchdog.terminate();
});

const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x2c, 0x0a, 0x2e, 0x2f];

/** One to four changes: bytes and runs overwritten, cut, repeated, taken out. */
function damaged(seed: Uint8Array, random: Generator): Uint8Array {
  let bytes = seed.slice();
  for (let changes = 1 + random.below(4); changes > 0 && bytes.length > 0; changes--) {
    const at = random.below(bytes.length);
    // Headers are where it hurts: every second change is among the first bytes or the last.
    const place =
      random.uniform() < 0.5
        ? at
        : random.uniform() < 0.7
          ? random.below(Math.min(64, bytes.length))
          : bytes.length - 1 - random.below(Math.min(64, bytes.length));
    const kind = random.below(6);
    if (kind === 0) bytes[place] ^= 1 << random.below(8);
    else if (kind === 1) bytes[place] = random.below(256);
    else if (kind === 2) bytes.fill(extremes[random.below(extremes.length)], place, place + 1 + random.below(8));
    else if (kind === 3) bytes = bytes.slice(0, at);
    else if (kind === 4) bytes = Uint8Array.of(...bytes.subarray(0, place), ...bytes.subarray(at, at + random.below(32)), ...bytes.subarray(place));
    else bytes = Uint8Array.of(...bytes.subarray(0, place), ...bytes.subarray(place + random.below(16)));
  }
  return bytes;
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const floats = { dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
const small = { dtype: 'uint8', shape: [4], data: Uint8Array.of(1, 2, 3, 4) } as const;
const files = { 'a/one.txt': utf8('hello hello hello hello'), 'b.bin': new Uint8Array(40) };
const compressedNpz = (JSON.parse(readFileSync(new URL('fixtures/numpy.json', import.meta.url), 'utf8')) as { archives: Record<string, string> }).archives
  .compressed;
const decoded = JSON.parse(readFileSync(new URL('fixtures/decoded.json', import.meta.url), 'utf8')) as { name: string; file: string }[];
const base64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const pictures = [...decoded.map(({ file }) => base64(file)), utf8('P5\n# c\n3 2\n255\nabcdef')];

async function readAll(bytes: Uint8Array): Promise<void> {
  const archive = await openArchive(bytesSource(bytes));
  for (const { path } of archive.entries) await archive.read(path);
}

interface Format {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  readonly parse: (bytes: Uint8Array) => unknown;
  /** Bytes of memory per byte of the file. */
  readonly factor: number;
  /** How many files without GRADIX_RUNS (default 150). */
  readonly files?: number;
}

const { parquetWriteBuffer } = await import('hyparquet-writer');
const table = (codec: 'SNAPPY' | 'UNCOMPRESSED') =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'a', data: [1.5, 2.5, 3.5], type: 'DOUBLE' },
        { name: 'b', data: ['x', 'y', 'x'], type: 'STRING' },
      ],
      codec,
    }),
  );

const tables = [table('UNCOMPRESSED'), table('SNAPPY')];

/** As parseParquet, but with one decoder for all files until one of them makes it loop, and with less patience: of many files, many loop. */
const limits = { ...limitsOf(2000), seconds: wanted === undefined ? 2 : 0.3 };
let decoder: ParquetDecoder | undefined;
afterAll(() => decoder?.close());
async function parseWithOneDecoder(bytes: Uint8Array): Promise<unknown> {
  const source = bytesSource(bytes);
  decoder ??= startDecoder(limits.memory);
  try {
    return tableOf(source, await decoder.contents(source, undefined, { ...limits, rows: limitsOf(bytes.length).rows }), undefined);
  } catch (error) {
    if (/within|needs more/.test(String(error))) decoder = undefined;
    throw error;
  }
}

const formats: readonly Format[] = [
  { name: 'idx', seeds: [encodeIdx(floats), encodeIdx(small)], parse: (bytes) => parseIdx(bytes), factor: 4 },
  { name: 'cifar', seeds: [new Uint8Array(2 * 3073)], parse: (bytes) => parseCifar(bytes), factor: 1 },
  {
    name: 'csv',
    seeds: [utf8('a,b,c\n1,2.5,x\n3,4,"y ""z"""\n5,6,"l\nm"\n'), utf8('1;2\n3;4\n')],
    parse: (bytes) => parseCsv(new TextDecoder().decode(bytes), { missing: 'mean' }),
    factor: 16,
  },
  { name: 'npy', seeds: [encodeNpy(floats), encodeNpy(small)], parse: (bytes) => parseNpy(bytes), factor: 4 },
  { name: 'npz', seeds: [encodeNpz({ x: floats, y: small }), base64(compressedNpz)], parse: (bytes) => parseNpz(bytes), factor: 5 * 1032 },
  {
    name: 'safetensors',
    seeds: [encodeSafetensors(new Map<string, ArrayValue>(Object.entries({ a: floats, b: small })), { by: 'gradix' })],
    parse: (bytes) => decodeSafetensors(bytes),
    factor: 4,
  },
  { name: 'gzip', seeds: [new Uint8Array(gzipSync(encodeIdx(floats)))], parse: (bytes) => inflate(bytes, 'gzip'), factor: 2 * 1032 },
  { name: 'tar', seeds: [encodeTar(files), encodeTar({ [`${'x/'.repeat(60)}y`]: utf8('1') })], parse: readAll, factor: 8 },
  { name: 'tar.gz', seeds: [new Uint8Array(gzipSync(encodeTar(files)))], parse: readAll, factor: 8 * 1032 },
  { name: 'zip', seeds: [encodeZip(Object.entries(files)), base64(compressedNpz)], parse: readAll, factor: 2 * 1032 },
  {
    name: 'wav',
    seeds: [16, 32].map((bits) => encodeWav({ sampleRate: 8000, channels: 2, samples: Float32Array.of(0, 0.5, -1, 1, 0, 0) }, { bits: bits as 16 | 32 })),
    parse: (bytes) => parseWav(bytes),
    factor: 4,
  },
  { name: 'image headers', seeds: pictures, parse: (bytes) => imageHeader(bytes, 'a'), factor: 4 },
  { name: 'pictures', seeds: pictures, parse: (bytes) => decodeImage(bytes), factor: 3 * 8256, files: 15 },
  { name: 'parquet', seeds: tables, parse: parseWithOneDecoder, factor: 64, files: 60 },
  {
    name: 'saved tokenizers',
    seeds: [utf8('{"kind":"bytePairs","merges":[[104,101],[256,108]]}')],
    parse: (bytes) => {
      let saved: Parameters<typeof fromSaved>[0];
      try {
        saved = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return;
      }
      return fromSaved(saved);
    },
    factor: 64,
  },
];

test.each(formats)(
  '$name: damaged files give an error that says so, or a value',
  { timeout: 4 * 3_600_000 },
  async ({ name, seeds, parse, factor, files: few = 150 }) => {
    for (const seed of seeds) await parse(seed);
    const turns = wanted === undefined ? few : Number(wanted);
    let refused = 0;
    watch();
    try {
      for (let turn = from; turn < from + turns; turn++) {
        const bytes = damaged(seeds[turn % seeds.length], generator(7, turn));
        asked = 0;
        beat[0] = turn + 1 - from;
        try {
          await parse(bytes);
        } catch (error) {
          if (!(error instanceof GradixError))
            throw new Error(`${name}, file ${turn} (${Buffer.from(bytes).toString('hex').slice(0, 2000)})`, { cause: error });
          refused++;
        }
        // A little is used whatever the size: tables, windows, text decoders.
        if (asked > factor * bytes.length + 16_384) throw new Error(`${name}, file ${turn}: ${asked} bytes asked for ${bytes.length}`);
      }
    } finally {
      unwatch();
      beat[0] = 0;
    }
    expect(refused).toBeGreaterThan(turns / 20);
  },
);

test('a Parquet file that makes its decoder loop is refused in time', async () => {
  const looping = damaged(tables[1], generator(7, 69));
  await expect(parseParquet(bytesSource(looping, 'a.parquet'), undefined, 1)).rejects.toThrow(
    /parquet: a\.parquet cannot be read within 1 seconds\. .*corrupt/,
  );
});
