/** gradix search, as its users meet it. Runs a build in child processes. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStudy, grid } from '../src/search/index.ts';
import { buildCommand, type Command, lines, type Outcome, type RunOptions, writeSmallMnist } from './support/command.ts';
import { skipNote, withoutSqlite } from './support/sqlite.ts';

let command: Command;
const at = (name: string): string => join(command.folder, name);
const search = (args: readonly string[], options?: RunOptions): Promise<Outcome> => command.run(['search', ...args], options);
const rates = { learningRate: { type: 'choice', values: [0.3, 0.0001, 0.1] } } as const;
const quick = (out: string): string[] => [
  '--data',
  at('mnist'),
  '--epochs',
  '2',
  '--device',
  'reference',
  '--space',
  at('rates.json'),
  '--sampler',
  'grid',
  '--out',
  at(out),
];
const text = ({ out, err }: Outcome): string => out + err;

beforeAll(async () => {
  command = buildCommand();
  await writeSmallMnist(at('mnist'));
  writeFileSync(at('rates.json'), JSON.stringify(rates));
}, 120_000);
afterAll(() => command.close());

describe.skipIf(withoutSqlite)(`searches${skipNote}`, () => {
  test('a grid of three learning rates, two at a time: trials, best run, report', async () => {
    const outcome = await search(['softmax', ...quick('grid'), '--parallel', '2', '--json']);
    expect(outcome.code, outcome.err).toBe(0);
    const events = lines(outcome.out);
    const trials = events.filter(({ event }) => event === 'trial');
    expect(trials.map(({ number }) => number).sort()).toEqual([0, 1, 2]);
    expect(trials.every(({ state, reports }) => state === 'completed' && (reports as unknown[]).length === 2)).toBe(true);
    const done = events[events.length - 1] as {
      readonly best: { readonly number: number; readonly value: number; readonly run: string };
      readonly report: string;
    };
    expect(done).toMatchObject({ event: 'done', recipe: 'softmax', metric: 'valAccuracy', completed: 3, pruned: 0, failed: 0, running: 0 });
    expect(done.best.value).toBe(Math.max(...trials.map(({ value }) => Number(value))));
    expect(done.best.number).not.toBe(1);
    expect(JSON.parse(readFileSync(join(done.best.run, 'config.json'), 'utf8'))).toMatchObject({ recipe: 'softmax', options: { epochs: 2, seed: 0 } });
    const page = readFileSync(done.report, 'utf8');
    expect([...page.matchAll(/<h2>([^<]*)/g)].map(([, title]) => title)).toEqual(['Best trial', 'History', 'Parallel coordinates', 'Trials', 'Search']);
    expect(page).not.toMatch(/https?:|NaN|undefined/);
    const again = await search(['softmax', ...quick('grid')]);
    expect([again.code, text(again)]).toEqual([2, expect.stringMatching(/grid holds a search already\. Go on with it: gradix search --resume/)]);
  }, 120_000);

  test('Ctrl-C gives the running trial back, a kill loses its lease; resumed, both go on to the same end', async () => {
    const whole = await search(['softmax', ...quick('whole'), '--json']);
    const cut = (name: string, signal: NodeJS.Signals): Promise<Outcome> =>
      search(['softmax', ...quick(name), '--json'], { watch: (piece, kill) => void (piece.includes('"event":"trial"') && kill(signal)) });
    const interrupted = await cut('interrupted', 'SIGINT');
    expect(interrupted.code, interrupted.err).toBe(130);
    expect(lines(interrupted.out).at(-1)).toMatchObject({ event: 'interrupted', completed: 1, running: 1 });
    expect((await cut('killed', 'SIGKILL')).signal).toBe('SIGKILL');
    const valuesOf = async (name: string) => {
      const study = await createStudy({ space: rates, sampler: grid(), direction: 'maximize', storage: join(at(name), 'study.sqlite') });
      const found = study.trials.map(({ state, values, value }) => ({ state, values, value }));
      study.close();
      return found;
    };
    const { best } = lines(whole.out).at(-1) as { readonly best: { readonly number: number; readonly value: number } };
    for (const name of ['interrupted', 'killed']) {
      const resumed = await search(['--resume', at(name), '--json']);
      expect(resumed.code, resumed.err).toBe(0);
      expect(await valuesOf(name)).toEqual(await valuesOf('whole'));
      expect(lines(resumed.out).at(-1)?.best).toMatchObject({ number: best.number, value: best.value });
    }
  }, 240_000);

  test('a figure that the recipe does not give ends the search after one trial; trials that all fail after three', async () => {
    const missing = await search(['softmax', ...quick('missing'), '--metric', 'valLos']);
    expect([missing.code, text(missing)]).toEqual([2, expect.stringMatching(/softmax gives no figure valLos\. Did you mean valLoss\?/)]);
    writeFileSync(at('damaged'), '');
    const failing = await search(['softmax', ...quick('failing').map((part) => (part === at('mnist') ? at('damaged') : part))]);
    expect([failing.code, text(failing)]).toEqual([2, expect.stringMatching(/all 3 trials have failed, the last one so: .*damaged/)]);
  }, 120_000);
});

describe('wrong use', () => {
  test.each<[string[], RegExp]>([
    [[], /which recipe\?/],
    [['lenett'], /there is no recipe "lenett"\. Did you mean lenet\?/],
    [['softmax', '--trials', '0'], /--trials must be a whole number ≥ 1/],
    [['softmax', '--sampler', 'gird'], /--sampler must be one of tpe, random, grid/],
    [['softmax', '--points', '3'], /--points is an option of --sampler grid/],
    [['softmax', '--metric', 'testAccuracy'], /testAccuracy cannot be searched for\. What is chosen by the test set/],
    [['softmax', '--space', 'none.json'], /none\.json does not exist/],
    [['--resume', 'nowhere'], /nowhere is not a search: it holds no search\.json/],
  ])('%j', async (args, message) => {
    const outcome = await search(args);
    expect(outcome.code).not.toBe(0);
    expect(text(outcome)).toMatch(message);
  });

  test.each<[unknown, RegExp]>([
    [{ momentum: { type: 'uniform', low: 0, high: 1 } }, /recipes have no option momentum\. They have learningRate, batchSize, epochs, seed/],
    [{ batchSize: { type: 'uniform', low: 8, high: 64 } }, /batchSize must be whole numbers ≥ 1.*Use the type integer or choice/],
    [{ learningRate: { type: 'uniform', low: -1, high: 1 } }, /learningRate must be positive numbers/],
    [{ learningRate: { type: 'loguniform', low: 1, high: 2 } }, /space\.json: learningRate must have a type.*Did you mean logUniform/],
    [[], /space\.json: a space must be an object/],
  ])('space %j', async (space, message) => {
    writeFileSync(at('space.json'), JSON.stringify(space));
    const outcome = await search(['softmax', '--space', 'space.json', '--out', at('never')]);
    expect([outcome.code, text(outcome)]).toEqual([2, expect.stringMatching(message)]);
    expect(existsSync(at('never'))).toBe(false);
  });
});

test.runIf(withoutSqlite)('where there is no SQLite, an error says so before anything is begun', async () => {
  const outcome = await search(['softmax', ...quick('never')]);
  expect([outcome.code, text(outcome)]).toEqual([1, expect.stringMatching(/gradix search: studies in files are kept by SQLite.*better-sqlite3@12/)]);
  expect(existsSync(at('never'))).toBe(false);
});
