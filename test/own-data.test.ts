/** gradix train classifier and gradix predict on small folders, archives and tables: what is chosen, what comes out, and what is said to wrong input. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { encodeTar } from '../src/data/formats/testing.ts';
import { encodePng, encodeWav, encodeZip } from '../src/data/index.ts';
import { generator } from '../src/data/random.ts';
import { buildCommand, type Command, lines, type Outcome } from './support/command.ts';

vi.setConfig({ testTimeout: 300_000 }); // nets are trained, by a C compiler's leave

let command: Command;
const at = (name: string): string => join(command.folder, name);
const gradix = (...args: readonly string[]): Promise<Outcome> => command.run(args);

type Files = Readonly<Record<string, Uint8Array | string>>;

function write(name: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(at(`${name}/${path}`)), { recursive: true });
    writeFileSync(at(`${name}/${path}`), content);
  }
}

/** A noisy picture, reddish or bluish. */
function picture(colour: 'blue' | 'red', seed: number, side = 12): Promise<Uint8Array> {
  const random = generator(seed, colour === 'red' ? 1 : 2);
  const strong = colour === 'red' ? 0 : 2;
  const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => 90 * random.uniform() + (i % 3 === strong ? 120 : 20));
  return encodePng({ height: side, width: side, channels: 3, data });
}

async function pictures(count: number): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const colour of ['blue', 'red'] as const) for (let i = 0; i < count; i++) files[`${colour}/${i}.png`] = await picture(colour, i);
  return files;
}

/** 0.3 s of a tone with noise. */
function tone(frequency: number, seed: number, sampleRate = 4000): Uint8Array {
  const random = generator(seed);
  const samples = Float32Array.from({ length: 0.3 * sampleRate }, (_, i) => 0.4 * Math.sin((2 * Math.PI * frequency * i) / sampleRate) + 0.1 * random.normal());
  return encodeWav({ sampleRate, channels: 1, samples });
}

const row = (random: ReturnType<typeof generator>, kind: number): string =>
  `${(kind + 0.2 * random.normal()).toFixed(3)},${random.below(2) === 0 ? 'wood' : 'stone'},${(5 - kind + 0.2 * random.normal()).toFixed(3)}`;
function table(rows: number): string {
  const random = generator(3);
  const body = Array.from({ length: rows }, (_, i) => `${row(random, i % 3)},${['oak', 'ash', 'elm'][i % 3]}`);
  return `height,ground,width,tree\n${body.join('\n')}\n`;
}

beforeAll(async () => {
  command = buildCommand();
  write('colours', await pictures(40));
  const inside = Object.fromEntries(Object.entries(await pictures(20)).map(([path, bytes]) => [`data/train/${path}`, bytes]));
  for (const colour of ['blue', 'red'] as const) for (let i = 0; i < 5; i++) inside[`data/test/${colour}/${i}.png`] = await picture(colour, 100 + i);
  write('.', { 'colours.tar': encodeTar(inside), 'colours.zip': encodeZip(Object.entries(inside)), 'trees.csv': table(120), 'notes.txt': 'no table' });
  const tones = { low: 400, high: 1200 };
  for (const [name, frequency] of Object.entries(tones)) for (let i = 0; i < 20; i++) write(`tones/${name}`, { [`${i}.wav`]: tone(frequency, i) });
}, 120_000);
afterAll(() => command.close());

test('pictures: chosen, trained, asked, reported', async () => {
  const { code, err, out } = await gradix('train', 'classifier', '--data', at('colours'), '--epochs', '6', '--out', at('run'), '--json');
  expect([code, err]).toEqual([0, expect.stringContaining('pictures of 2 classes (blue, red)')]);
  expect(err).toContain('56 to train, 12 to validate, 12 to test');
  expect(err).toContain('12 × 12 pixels in colour, as all are');
  const [start, done] = [lines(out)[0], lines(out).at(-1)];
  expect(start).toMatchObject({ event: 'start', epochs: 6, batchSize: 16, trainExamples: 56 });
  expect(done).toMatchObject({ event: 'done', recipe: 'classifier', examples: 12, testAccuracy: 1 });
  const evaluated = lines((await gradix('eval', at('run'), '--json')).out)[0];
  expect(evaluated).toMatchObject({ testAccuracy: 1, testLoss: done?.testLoss, examples: 12 });

  // Another size than in training, and a tar of the same kind as a test.
  writeFileSync(at('new.png'), await picture('blue', 999, 40));
  const asked = await gradix('predict', at('run'), at('new.png'), at('colours/red/3.png'), '--json');
  const [first, second, end] = lines(asked.out);
  expect(asked.code).toBe(0);
  expect(first).toMatchObject({ event: 'prediction', file: at('new.png'), classes: [{ class: 'blue' }, { class: 'red' }] });
  expect(second).toMatchObject({ file: at('colours/red/3.png'), classes: [{ class: 'red' }, { class: 'blue' }] });
  const shares = (first.classes as { probability: number }[]).map(({ probability }) => probability);
  expect(shares[0] + shares[1]).toBeCloseTo(1, 5);
  expect(end).toMatchObject({ event: 'done', examples: 2 });
  expect((await gradix('predict', at('run'), at('new.png'), '--top', '1')).out).toMatch(/new\.png\n +[\d.]+ % {2}blue\n$/);
  expect(lines((await gradix('eval', at('run'), '--data', at('colours.tar'), '--json')).out)[0]).toMatchObject({ examples: 10, testAccuracy: 1 });

  const report = await gradix('report', at('run'));
  expect(report.code).toBe(0);
  const page = readFileSync(at('run/report.html'), 'utf8');
  expect(page).toContain('Confusion matrix');
  expect(page).toContain(`gradix train classifier --data ${at('colours')} --epochs 6`);
});

test('archives: folders for the parts within one outer folder, the same from tar and zip; interrupted and resumed', async () => {
  const trained = (name: string, ...more: string[]) =>
    gradix('train', 'classifier', '--data', at(name), '--epochs', '2', '--augment', 'none', '--out', at(`run-${name}`), '--json', ...more);
  const [tar, zip] = [await trained('colours.tar'), await trained('colours.zip')];
  expect(tar.err).toContain('34 to train, 6 to validate, 10 to test; validation drawn');
  expect(lines(tar.out).at(-1)?.testLoss).toBe(lines(zip.out).at(-1)?.testLoss);
  let seen = false;
  const broken = await command.run(['train', 'classifier', '--data', at('colours.tar'), '--epochs', '12', '--out', at('broken'), '--json'], {
    watch(text, kill) {
      if (!seen && text.includes('"event":"epoch"')) kill('SIGINT');
      seen ||= text.includes('"event":"epoch"');
    },
  });
  expect(broken.code).toBe(130);
  expect((await gradix('train', '--resume', at('broken'))).code).toBe(0);
  expect((await gradix('train', 'classifier', '--data', at('colours.tar'), '--epochs', '12', '--out', at('whole'))).code).toBe(0);
  const model = (run: string) => readFileSync(at(`${run}/model.safetensors`));
  expect(model('broken').equals(model('whole'))).toBe(true);
});

test('recordings', async () => {
  const { code, err, out } = await gradix('train', 'classifier', '--data', at('tones'), '--epochs', '60', '--out', at('heard'), '--json');
  expect([code, err]).toEqual([0, expect.stringContaining('mel spectrograms of 0.3 s at 4000 Hz')]);
  expect(lines(out).at(-1)).toMatchObject({ testAccuracy: 1 });
  const asked = await gradix('predict', at('heard'), at('tones/low/1.wav'), at('tones/high/2.wav'), '--json');
  expect(lines(asked.out).slice(0, 2)).toMatchObject([{ classes: [{ class: 'low' }, {}] }, { classes: [{ class: 'high' }, {}] }]);
  writeFileSync(at('fast.wav'), tone(400, 1, 8000));
  expect((await gradix('predict', at('heard'), at('fast.wav'))).err).toMatch(/fast\.wav has 8000 samples per second, not 4000 as in training/);
  expect((await gradix('report', at('heard'))).code).toBe(0);
});

test('a table: words become features, rows are asked by the names of their columns', async () => {
  const { code, err, out } = await gradix('train', 'classifier', '--data', at('trees.csv'), '--epochs', '40', '--out', at('trees'), '--json');
  expect([code, err]).toEqual([0, expect.stringContaining('3 columns, to tell tree')]);
  expect(Number(lines(out).at(-1)?.testAccuracy)).toBeGreaterThan(0.9);
  writeFileSync(at('rows.csv'), 'width,ground,height\n5,wood,0\n3,stone,2\n');
  const asked = await gradix('predict', at('trees'), at('rows.csv'), '--json');
  expect(lines(asked.out).slice(0, 2)).toMatchObject([
    { row: 1, classes: [{ class: 'oak' }, {}, {}] },
    { row: 2, classes: [{ class: 'elm' }, {}, {}] },
  ]);
  writeFileSync(at('odd.csv'), 'width,ground,height\n5,glass,0\n3,stone,2\n');
  expect((await gradix('predict', at('trees'), at('odd.csv'))).err).toMatch(/odd\.csv row 1: the run knows no ground "glass"\. It knows stone, wood\./);
  writeFileSync(at('less.csv'), 'width,height\n5,0\n');
  expect((await gradix('predict', at('trees'), at('less.csv'))).err).toMatch(/less\.csv has no column ground\. It has width, height\./);
  expect((await gradix('report', at('trees'))).code).toBe(0);
});

test('wrong input', async () => {
  write('lonely', { 'cat/1.png': await picture('red', 1), 'cat/2.png': await picture('red', 2) });
  write('mixed', { 'a/1.png': await picture('red', 1), 'b/1.wav': tone(400, 1) });
  write('flat', { '1.png': await picture('red', 1) });
  write('.', { 'prices.csv': 'size,price\n1,10.5\n2,20.25\n3,31.5\n' });
  const config = JSON.parse(readFileSync(at('run/config.json'), 'utf8')) as Record<string, unknown>;
  write('softmax', { 'config.json': JSON.stringify({ ...config, recipe: 'softmax', data: 'digits' }) });
  const train = (...args: string[]) => ['train', 'classifier', ...args];
  const cases: [string[], number, RegExp][] = [
    [train(), 2, /^gradix train classifier: which data\? For example: --data flowers\.zip/],
    [train('--data', at('nowhere')), 1, /^classifier: .*nowhere does not exist\./],
    [train('--data', at('notes.txt')), 1, /^classifier: .*notes\.txt is neither a folder nor an archive nor a table\./],
    [train('--data', at('lonely')), 1, /holds the class cat alone\. Two folders/],
    [train('--data', at('mixed')), 1, /mixed holds 1 pictures and 1 recordings\./],
    [train('--data', at('flat')), 1, /flat holds 1 pictures, but none has a class\./],
    [train('--data', at('prices.csv')), 1, /the column price of .*prices\.csv has 3 values in 3 rows: these are no classes\./],
    [train('--data', at('colours'), '--augment', 'elastik'), 2, /^gradix train: classifier has no augmentation "elastik"\. It has auto, none\.\n$/],
    [['predict'], 2, /^gradix predict: which run\?/],
    [['predict', at('run')], 2, /^gradix predict: which files\?/],
    [['predict', at('colours'), 'x.png'], 1, /colours is not a run: it holds no config\.json/],
    [['predict', at('softmax'), 'x.png'], 2, /softmax is a run of softmax, which cannot be asked about files\. Runs of classifier and spoken-digits can\.\n$/],
    [['predict', at('run'), at('missing.png')], 1, /^predict: .*missing\.png does not exist\. Check the path\.\n$/],
    [['predict', at('run'), at('colours')], 1, /^predict: .*colours is a folder\. Name its files\.\n$/],
    [['predict', at('run'), at('trees.csv')], 1, /trees\.csv is not called \.jpg, \.png, \.pgm or \.ppm\. This run learned from pictures\.\n$/],
    [['eval', at('run'), '--data', at('tones')], 1, /tones holds recordings, but the run learns from pictures\./],
  ];
  for (const [args, code, text] of cases) {
    const outcome = await gradix(...args);
    expect([args, outcome.code, outcome.out + outcome.err]).toEqual([args, code, expect.stringMatching(text)]);
  }
});
