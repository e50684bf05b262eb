/** The gradix command as its users meet it: exit codes, JSON lines, interruption and resumption, damaged caches. Runs a build in child processes. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCommand, type Command, lines, type Outcome, type RunOptions, writeSmallMnist } from './support/command.ts';

let command: Command;
const at = (name: string): string => join(command.folder, name);
const gradix = (args: readonly string[], options?: RunOptions): Promise<Outcome> => command.run(args, options);

const small = (out: string, ...more: string[]): string[] => [
  'train',
  'mlp',
  '--data',
  at('mnist'),
  '--epochs',
  '2',
  '--batch-size',
  '50',
  '--seed',
  '3',
  '--out',
  at(out),
  '--json',
  ...more,
];
const bytes = (run: string, file = 'checkpoint.safetensors'): Buffer => readFileSync(join(at(run), file));

beforeAll(async () => {
  command = buildCommand();
  await writeSmallMnist(at('mnist'));
}, 120_000);
afterAll(() => command.close());

describe('usage', () => {
  test.each([
    [[], 2, /^gradix: deep learning/],
    [['--help'], 0, /gradix train <recipe>/],
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    [['trian'], 2, /^gradix: there is no command "trian"\. Did you mean train\?\n$/],
    [['train'], 2, /^gradix train: which recipe\? For example: gradix train lenet\. See gradix recipes\.\n$/],
    [['train', 'lenett'], 2, /^gradix train: there is no recipe "lenett"\. Did you mean lenet\?\n$/],
    [['train', 'lenet', '--epoch', '1'], 2, /^gradix train: unknown option --epoch\. Did you mean --epochs\?\n$/],
    [['train', 'mlp', '--data', '/nowhere'], 1, /^mnist: found no train-images-idx3-ubyte\.gz in \/nowhere or .*--data/],
    [
      ['train', '--resume', '/nowhere'],
      1,
      /^gradix train: \/nowhere is not a run: it holds no config\.json\. Give the folder that gradix train printed at its end\.\n$/,
    ],
    [['eval'], 2, /^gradix eval: which run\?/],
    [['info', '/nowhere'], 1, /^gradix info: \/nowhere does not exist\. Check the path\.\n$/],
    [['recipes'], 0, /^lenet .*180,880 parameters/],
    [['doctor'], 0, /compiler .*\n.*vectors/],
  ])('%j', async (args, code, text) => {
    const outcome = await gradix(args as string[]);
    expect(outcome.code).toBe(code);
    expect(outcome.out + outcome.err).toMatch(text as RegExp);
  });
});

describe('train', () => {
  test('JSON lines, the run folder, eval and info', async () => {
    const { code, out, err } = await gradix(small('first'));
    expect(err).toMatch(/^gradix \S+: mlp on \w+\ndata: MNIST from .*\nnet: 203,530 parameters; 2 epochs in batches of 50/);
    expect(code).toBe(0);
    const events = lines(out);
    expect(events.map(({ event }) => event)).toEqual(['start', 'epoch', 'epoch', 'done']);
    expect(Object.keys(events[1])).toEqual(['event', 'epoch', 'epochs', 'trainLoss', 'trainAccuracy', 'valLoss', 'valAccuracy', 'seconds', 'imagesPerSecond']);
    const done = events[3];
    expect(Object.keys(done)).toEqual(
      expect.arrayContaining(['recipe', 'device', 'parameters', 'epochs', 'trainLoss', 'valLoss', 'valAccuracy', 'seconds', 'imagesPerSecond', 'out']),
    );
    expect(done).toMatchObject({ recipe: 'mlp', parameters: 203_530, epochs: 2, out: at('first') });
    expect(readdirSync(at('first')).sort()).toEqual(['best.safetensors', 'checkpoint.safetensors', 'config.json', 'history.jsonl', 'model.safetensors']);

    const evaluated = await gradix(['eval', at('first'), '--json']);
    expect(lines(evaluated.out)[0]).toMatchObject({ event: 'done', testAccuracy: done.testAccuracy, testLoss: done.testLoss, examples: 200 });
    const info = await gradix(['info', at('first')]);
    expect(info.out).toMatch(/mlp on .*mnist.*\nepochs 2, batch size 50, learning rate 0\.001, seed 3\nepoch 1 .*\nepoch 2 .*\n\n.*4 tensors, 203,530 values/);
  });

  test('the same seed writes the same bytes, with another number of threads too; another seed does not', async () => {
    expect((await gradix(small('again'))).code).toBe(0);
    expect((await gradix(small('single', '--threads', '1'))).code).toBe(0);
    expect((await gradix([...small('other').filter((_, i, all) => all[i] !== '--seed' && all[i - 1] !== '--seed'), '--seed', '4'])).code).toBe(0);
    for (const file of ['checkpoint.safetensors', 'model.safetensors', 'best.safetensors']) {
      expect(bytes('again', file).equals(bytes('first', file))).toBe(true);
      expect(bytes('single', file).equals(bytes('first', file))).toBe(true);
      expect(bytes('other', file).equals(bytes('first', file))).toBe(false);
    }
  });

  test('a second run does not overwrite the first', async () => {
    const before = bytes('first');
    const { code, err } = await gradix(small('first'));
    expect(code).toBe(2);
    expect(err).toBe(`gradix train: ${at('first')} holds a run already. Choose another --out, or go on with it: gradix train mlp --resume ${at('first')}\n`);
    expect(bytes('first').equals(before)).toBe(true);
  });

  test('Ctrl-C saves and says how to go on; the resumed run has the bits of one that was not interrupted', async () => {
    let sent = false;
    const long = (run: string) => small(run).map((arg, i, all) => (all[i - 1] === '--epochs' ? '12' : arg));
    const watch: RunOptions['watch'] = (text, kill) => {
      if (!sent && text.includes('"event":"epoch"')) kill('SIGINT');
      sent ||= text.includes('"event":"epoch"');
    };
    const first = await gradix(long('broken'), { watch });
    expect(first.code).toBe(130);
    expect(first.err).toContain(`go on with: gradix train mlp --resume ${at('broken')}`);
    expect(lines(first.out).at(-1)).toEqual({ event: 'interrupted', recipe: 'mlp', out: at('broken') });
    expect(lines(first.out).length).toBeLessThan(13);
    expect((await gradix(['train', 'mlp', '--resume', at('broken'), '--json'])).code).toBe(0);
    expect((await gradix(long('unbroken'))).code).toBe(0);
    expect(bytes('broken').equals(bytes('unbroken'))).toBe(true);
    expect(bytes('broken', 'model.safetensors').equals(bytes('unbroken', 'model.safetensors'))).toBe(true);
  });

  test('a kill loses nothing that was saved', async () => {
    let killed = false;
    const watch: RunOptions['watch'] = (text, kill) => {
      if (!killed && text.includes('"epoch":3')) kill('SIGKILL');
      killed ||= text.includes('"epoch":3');
    };
    const args = small('killed').map((arg, i, all) => (all[i - 1] === '--epochs' ? '12' : arg));
    expect((await gradix(args, { watch })).signal).toBe('SIGKILL');
    expect((await gradix(['train', '--resume', at('killed'), '--json'])).code).toBe(0);
    expect(bytes('killed').equals(bytes('unbroken'))).toBe(true);
  });

  test('a resumed run keeps its options', async () => {
    const { code, err } = await gradix(['train', 'mlp', '--resume', at('first'), '--seed', '9']);
    expect(code).toBe(2);
    expect(err).toBe('gradix train: a resumed run keeps its own options: it was started with seed 3. Leave the option out.\n');
  });
});

describe('trouble', () => {
  test('a damaged checkpoint is refused and kept', async () => {
    const path = join(at('other'), 'checkpoint.safetensors');
    writeFileSync(path, bytes('other').subarray(0, 5000));
    const { code, err } = await gradix(['train', 'mlp', '--resume', at('other')]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /load: .*other\/checkpoint\.safetensors claims a header of \d+ bytes but has only 4992 after its length\. The file is truncated or corrupt\.\n$|tensor ".*" lies at bytes/,
    );
    expect(bytes('other').length).toBe(5000);
  });

  test.runIf(process.platform === 'linux')('a folder that cannot be made', async () => {
    const { code, err } = await gradix(['train', 'mlp', '--data', at('mnist'), '--out', '/proc/gradix']);
    expect(code).toBe(1);
    expect(err).toMatch(/^train: .*\/proc\/gradix/);
  });

  test.runIf(process.platform === 'linux')('no room for the checkpoint: the error says so, and the earlier one is kept', async () => {
    const { code, signal, err } = await gradix(small('full'), { after: 'ulimit -f 2' });
    expect(signal).toBe(null);
    expect(code).toBe(1);
    expect(err).toMatch(/would be larger than this process may write\. Raise the limit \(ulimit -f\); what was saved before is untouched\.\n$/);
    expect(readdirSync(at('full')).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  test('a damaged kernel cache is rebuilt, with the same result', async () => {
    const cache = at('damaged');
    expect((await gradix(small('healthy'), { environment: { GRADIX_CACHE: cache } })).code).toBe(0);
    for (const name of readdirSync(cache)) if (name.endsWith('.so')) writeFileSync(join(cache, name), readFileSync(join(cache, name)).subarray(0, 100));
    expect((await gradix(small('repaired'), { environment: { GRADIX_CACHE: cache } })).code).toBe(0);
    expect(bytes('repaired').equals(bytes('healthy'))).toBe(true);
  });

  test('without a compiler: one line, and WebAssembly', async () => {
    const { code, err, out } = await gradix(small('slow'), { environment: { GRADIX_CC: '/nowhere/cc', GRADIX_CACHE: at('no-compiler') } });
    expect(code).toBe(0);
    expect(err.split('\n').filter((line) => line.includes('using WebAssembly'))).toHaveLength(1);
    expect(lines(out).at(-1)).toMatchObject({ event: 'done', device: 'wasm' });
  });

  test('a compiler that is killed: a clear error, no crash', async () => {
    const compiler = at('killed-cc');
    const which = spawnSync('sh', ['-c', 'command -v cc'], { encoding: 'utf8' }).stdout.trim();
    // Answers questions about the machine, but dies when it is to compile.
    writeFileSync(compiler, `#!/bin/sh\nfor a in "$@"; do case "$a" in -shared) kill -9 $$;; esac; done\nexec ${which} "$@"\n`);
    chmodSync(compiler, 0o700);
    const { code, signal, err } = await gradix(small('killed-compile'), { environment: { GRADIX_CC: compiler, GRADIX_CACHE: at('killed-cache') } });
    expect(signal).toBe(null);
    expect([0, 1]).toContain(code);
    expect(err).toMatch(/SIGKILL|killed|WebAssembly/i);
  });
});
