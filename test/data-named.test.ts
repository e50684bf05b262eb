/** Named sets and downloads, against a server on this machine that breaks connections and lies; real files where GRADIX_DATA has them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { data as command } from '../src/cli/data.ts';
import { download } from '../src/data/download-node.ts';
import { obtainFiles } from '../src/data/files.ts';
import { breastCancer, cifar10, fashionMnist, fsdd, iris, mnist, opticalDigits, shakespeare, statistics, tatoeba, wine } from '../src/data/index.ts';

const root = mkdtempSync(join(tmpdir(), 'gradix-named-'));
const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
const checksum = { kind: 'sha256', value: createHash('sha256').update(content).digest('hex') } as const;
const requests: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  requests.push(request.headers.range ?? 'all');
  answer(request, response);
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true });
});

const options = { operation: 'mnist', alternative: 'Use digits() instead.' };
const begin = (name: string): string => {
  requests.length = 0;
  return join(root, name);
};

/** Answers range requests; breaks each connection off after `limit` bytes. */
const serve =
  (limit = Number.POSITIVE_INFINITY) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start >= content.length) return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    const rest = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': rest.length });
    if (rest.length <= limit) response.end(rest);
    else response.write(rest.subarray(0, limit), () => response.destroy());
  };

describe('downloads', () => {
  test('a whole file, with progress and checksum', async () => {
    const path = begin('whole.bin');
    answer = serve();
    const seen: number[] = [];
    await download({ url, checksum }, path, { ...options, onProgress: ({ done, total }) => seen.push(done / (total ?? 0)) });
    expect(new Uint8Array(readFileSync(path))).toEqual(content);
    expect(seen.at(-1)).toBe(1);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  test('broken connections are resumed where they ended', async () => {
    const path = begin('broken.bin');
    answer = serve(70_000);
    await download({ url, checksum }, path, options);
    expect(new Uint8Array(readFileSync(path))).toEqual(content);
    expect(requests[0]).toBe('all');
    expect(requests.length).toBeGreaterThan(3);
    expect(requests.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range))).toBe(true);
  });

  test('a part from an earlier process is continued; a whole part is taken', async () => {
    const path = begin('later.bin');
    answer = serve();
    writeFileSync(`${path}.part`, content.subarray(0, 100_000));
    await download({ url, checksum }, path, options);
    writeFileSync(`${path}2.part`, content);
    await download({ url, checksum }, `${path}2`, options);
    expect(requests).toEqual(['bytes=100000-', 'bytes=300000-']);
    expect(new Uint8Array(readFileSync(path))).toEqual(content);
  });

  test('a server without ranges: from the beginning', async () => {
    const path = begin('rangeless.bin');
    answer = (_, response) => void response.writeHead(200).end(content);
    writeFileSync(`${path}.part`, 'something old');
    await download({ url, checksum }, path, options);
    expect(new Uint8Array(readFileSync(path))).toEqual(content);
  });

  test('a wrong checksum throws the file away', async () => {
    const path = begin('wrong.bin');
    answer = (_, response) => void response.end('something else');
    await expect(download({ url, checksum }, path, options)).rejects.toThrow(/file\.bin has the sha256 checksum [0-9a-f]{64}, not .* Use digits\(\) instead/);
    expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, false]);
  });

  test('refusals and silence name the address and the alternative', async () => {
    const path = begin('none.bin');
    answer = (_, response) => void response.writeHead(404).end();
    await expect(download({ url }, path, options)).rejects.toThrow(`mnist: ${url} answered 404 Not Found. Use digits() instead.`);
    answer = (request) => request.socket.destroy();
    requests.length = 0;
    await expect(download({ url }, path, { ...options, attempts: 2 })).rejects.toThrow(/mnist: http:.* could not be fetched: .* Use digits\(\) instead/);
    expect(requests.length).toBeGreaterThanOrEqual(2);
    answer = () => {};
    await expect(download({ url }, path, { ...options, attempts: 1, patience: 50 })).rejects.toThrow(/could not be fetched: nothing came for a while/);
    await expect(download({ url: 'http://127.0.0.1:9/x' }, path, { ...options, attempts: 1 })).rejects.toThrow(
      /http:\/\/127\.0\.0\.1:9\/x could not be fetched/,
    );
  });

  test('files of a set: found, or fetched into the folder that is asked for', async () => {
    const folder = begin('set');
    answer = serve();
    const set = { name: 'sample', folders: ['sample'], files: { file: { names: ['file.bin'], remote: { url, checksum } } }, publisher: 'http://publisher/' };
    const found = { file: join(folder, 'sample/file.bin') };
    await expect(obtainFiles(set, { root: folder })).rejects.toThrow(/sample: found no file\.bin in .* Download them from http:\/\/publisher\//);
    expect(await obtainFiles(set, { root: folder, download: true, onProgress: () => {} })).toEqual(found);
    expect(await obtainFiles(set, { root: folder, download: true })).toEqual(found);
    expect(requests).toHaveLength(1);
    vi.stubEnv('GRADIX_DATA', folder);
    expect(await obtainFiles(set, {})).toEqual(found);
    vi.unstubAllEnvs();
  });
});

const shared = process.env.GRADIX_DATA || fileURLToPath(new URL('../../shared/data', import.meta.url));
const has = (path: string) => existsSync(join(shared, path));
const real = { root: shared };

describe('named sets', () => {
  test.skipIf(!has('tabular'))('tables', async () => {
    const sets = [await iris(real), await wine(real), await breastCancer(real)];
    expect(sets.map(({ length, fields }) => [length, ...fields[0].shape])).toEqual([
      [150, 4],
      [178, 13],
      [569, 30],
    ]);
    expect(sets[0].classes).toEqual(['setosa', 'versicolor', 'virginica']);
    const counts = sets.map((set) => (set.classes ?? []).map((_, c) => Array.from(set.labels() ?? []).filter((label) => label === c).length));
    expect(counts).toEqual([
      [50, 50, 50],
      [59, 71, 48],
      [212, 357],
    ]);
  });

  test.skipIf(!has('optdigits'))('optical digits', async () => {
    const set = await opticalDigits(real);
    const labels = Array.from(set.labels() ?? []);
    expect(Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length)).toEqual([
      178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]);
    expect((await set.read([0]))[0][2]).toBeCloseTo(5 / 16, 6);
  });

  test.skipIf(!has('mnist'))('mnist; fashionMnist does not take its files for its own', async () => {
    const { train, test: held } = await mnist(real);
    expect([train.length, held.length]).toEqual([60_000, 10_000]);
    expect([...(train.labels() as Uint8Array).subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    vi.stubEnv('GRADIX_DATA', join(shared, 'mnist'));
    vi.stubEnv('GRADIX_CACHE', root);
    await expect(fashionMnist({ download: false })).rejects.toThrow(/fashionMnist: found no train-images/);
    vi.unstubAllEnvs();
  });

  test.skipIf(!has('cifar10-images'))('cifar10 from its pictures: the mean colour of the training part', async () => {
    const { train, test: held } = await cifar10(real);
    expect([train.length, held.length]).toEqual([10_000, 2000]);
    const { mean } = await statistics(train.splitEachLabel([40], { seed: 1 })[0]);
    for (const [c, expected] of [0.4934, 0.4831, 0.447].entries()) expect(Math.abs(mean[c] - expected)).toBeLessThan(0.02);
  });

  test.skipIf(!has('fsdd'))('fsdd: the official split, and one speaker left out', async () => {
    const { train, test: held } = await fsdd(real);
    expect([train.length, held.length]).toEqual([2700, 300]);
    expect((await held.read([0, 299]))[1]).toEqual(Int32Array.of(0, 9));
    const alone = await fsdd({ ...real, leaveOut: 'theo', features: 'mfcc', seconds: 0.5 });
    expect([alone.train.length, alone.test.length, ...alone.test.fields[0].shape]).toEqual([2500, 500, 48, 13, 1]);
  });

  test.skipIf(!has('tinyshakespeare'))('shakespeare: the parts do not overlap', async () => {
    const { train, test: held, tokenizer } = await shakespeare({ ...real, length: 100 });
    expect([tokenizer.size, train.length, held.length]).toEqual([65, 10_038, 1115]);
    const [x] = await held.read([0]);
    const text = readFileSync(join(shared, 'tinyshakespeare/input.txt'), 'utf8');
    expect(tokenizer.decode(x as Int32Array)).toBe(text.slice(1_003_854, 1_003_954));
  });

  test.skipIf(!has('translation'))('tatoeba: sentences between start and end', async () => {
    const { train, english, french } = await tatoeba({ ...real, length: 12 });
    const [x, y] = await train.read([0]);
    expect(english.decode(x as Int32Array)).toMatch(/^<start> .* <end>( <pad>)*$/);
    expect(french.decode(y as Int32Array)).toMatch(/^<start> .* <end>( <pad>)*$/);
    expect(french.size).toBe(8000);
  });

  test('cifar10 from the binary archive', async () => {
    const { encodeTar } = await import('../src/data/formats/testing.ts');
    const { gzipSync } = await import('node:zlib');
    const record = (label: number) => Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : 51));
    const files = Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`cifar-10-batches-bin/data_batch_${i}.bin`, record(i)]));
    mkdirSync(join(root, 'cifar10'));
    writeFileSync(join(root, 'cifar10/cifar-10-binary.tar.gz'), gzipSync(encodeTar({ ...files, 'cifar-10-batches-bin/test_batch.bin': record(9) })));
    const { train, test: held } = await cifar10({ root });
    expect([...(train.labels() as Uint8Array), ...(held.labels() as Uint8Array)]).toEqual([1, 2, 3, 4, 5, 9]);
    expect((await train.read([3]))[0][0]).toBeCloseTo(0.2, 6);
  });
});

describe('gradix data', () => {
  test('says what is there', async () => {
    const written: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const codes = [await command(['--help']), await command([]), await command(['digits', '--preview', join(root, 'digits.png')])];
    await expect(command(['mnits'])).rejects.toThrow('gradix data: there is no set "mnits". Did you mean mnist?');
    await expect(command(['iris', '--root', join(root, 'none')])).rejects.toThrow(/iris: found no iris\.csv in .*none/);
    write.mockRestore();
    expect(codes).toEqual([0, 2, 0]);
    expect(written.join('')).toMatch(/fashionMnist {2,}70,000 pieces of clothing/);
    expect(written.join('')).toMatch(/digits all: 10,000 examples; x float32 \[28, 28, 1\], y int32 \[\]; 10 classes: 0, 1/);
    expect(existsSync(join(root, 'digits.png'))).toBe(true);
  });
});
