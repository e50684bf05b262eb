/** Studies in SQLite files, shared by processes that are started, killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStudy, type Study, uniform } from '../src/search/index.ts';
import { complaints, skipNote, withoutSqlite } from './support/sqlite.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gradix-search-'));
const build = join(root, `.cache/search-test-${process.pid}`); // within the project, so that packages are found
const space = { x: uniform(-1, 1) };
const open = (name: string, lease = 60): Promise<Study<typeof space>> => createStudy({ space, lease, storage: join(folder, name) });

/** Works on a study; writes down every trial that it begins; hangs in trial `hang`; ends no trial before all of `team` have begun one. */
const program = `
import { appendFileSync, readFileSync } from 'node:fs';
import { createStudy, uniform } from './search.mjs';
const [file, log, name, lease, hang, trials, team] = process.argv.slice(2);
const study = await createStudy({ space: { x: uniform(-1, 1) }, lease: Number(lease), storage: file });
await study.optimize(async ({ x }, trial) => {
  appendFileSync(log, name + ' ' + trial.number + '\\n');
  trial.report(1, x * x);
  if (String(trial.number) === hang) { console.log('hanging'); await new Promise((end) => setTimeout(end, 600_000)); }
  do await new Promise((end) => setTimeout(end, 10));
  while ([...team].some((member) => !readFileSync(log, 'utf8').includes(member)));
  return x * x;
}, { trials: Number(trials) });
`;

beforeAll(() => {
  mkdirSync(build, { recursive: true });
  buildSync({
    entryPoints: [join(root, 'src/search/index.ts')],
    outfile: join(build, 'search.mjs'),
    ...{ bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external' },
  });
  writeFileSync(join(build, 'worker.mjs'), program);
});
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const path of [folder, build]) rmSync(path, { recursive: true, force: true });
});

function work(study: string, name: string, { lease = 60, hang = -1, trials = 40, team = name } = {}) {
  const file = join(folder, study);
  const child = spawn(process.execPath, [join(build, 'worker.mjs'), file, `${file}.log`, name, ...[lease, hang, trials].map(String), team]);
  running.push(child);
  let text = '';
  const hanging = new Promise<void>((resolve) => child.stdout.on('data', () => resolve()));
  child.stderr.on('data', (bytes) => {
    text += bytes;
  });
  const ended = new Promise<{ readonly code: number | null; readonly text: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, text: complaints(text) })),
  );
  return { child, hanging, ended };
}

const begun = (study: string): string[] =>
  readFileSync(join(folder, `${study}.log`), 'utf8')
    .trim()
    .split('\n');
const numbers = (lines: readonly string[]): number[] => lines.map((line) => Number(line.split(' ')[1])).sort((a, b) => a - b);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe.skipIf(withoutSqlite)(`studies in files${skipNote}`, () => {
  test('two processes share a study: every trial is run once', async () => {
    const workers = [work('shared', 'a', { team: 'ab' }), work('shared', 'b', { team: 'ab' })];
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([
      { code: 0, text: '' },
      { code: 0, text: '' },
    ]);
    const lines = begun('shared');
    expect(numbers(lines)).toEqual(upTo(40));
    expect(new Set(lines.map((line) => line[0]))).toEqual(new Set(['a', 'b']));
    const study = await open('shared');
    expect(
      study.trials.map(({ number, state, attempts, value, values, reports }) => [number, state, attempts, value === values.x ** 2, reports.length]),
    ).toEqual(upTo(40).map((number) => [number, 'completed', 1, true, 1]));
    study.close();
  }, 60_000);

  test('a process is killed in the middle of a trial: another one begins it again, and nothing else', async () => {
    const doomed = work('killed', 'a', { lease: 1, hang: 7, trials: 20 });
    await doomed.hanging;
    doomed.child.kill('SIGKILL');
    await doomed.ended;
    const study = await open('killed');
    expect(study.trials.filter(({ state }) => state === 'running').map(({ number }) => number)).toEqual([7]);
    expect((await work('killed', 'b', { lease: 1, trials: 20 }).ended).code).toBe(0);
    const lines = begun('killed');
    expect(numbers(lines)).toEqual([...upTo(20), 7].sort((a, b) => a - b));
    expect(lines.filter((line) => line.endsWith(' 7'))).toEqual(['a 7', 'b 7']);
    expect(study.trials.map(({ state, attempts }) => [state, attempts])).toEqual(upTo(20).map((number) => ['completed', number === 7 ? 2 : 1]));
    study.close();
  }, 60_000);

  test('a file gives the same trials as memory, and what was kept comes back', async () => {
    const objective = ({ x }: { readonly x: number }): number => (x < -0.9 ? Number.NaN : x * x);
    const [kept, memory] = [await open('kept'), await createStudy({ space })];
    for (const study of [kept, memory]) await study.optimize(objective, { trials: 30 });
    const facts = (study: Study<typeof space>) => study.trials.map(({ values, state, value, error }) => ({ values, state, value, error }));
    expect(facts(kept)).toEqual(facts(memory));
    kept.close();
    const again = await open('kept');
    expect(facts(again)).toEqual(facts(memory));
    await again.optimize(objective, { trials: 31 });
    expect(again.trials).toHaveLength(31);
    again.close();
  });

  test('errors: another study in the file, a file that is no study, no folder', async () => {
    (await open('one')).close();
    await expect(createStudy({ space, seed: 5, storage: join(folder, 'one') })).rejects.toThrow(
      /one holds a study that was begun as .*"seed":0.*, not as .*"seed":5.*same space/,
    );
    writeFileSync(join(folder, 'text'), 'this is no database, but it is long enough to be looked at as if it were one. '.repeat(20));
    await expect(open('text')).rejects.toThrow(/createStudy: .*text cannot be opened as a study: file is not a database/);
    await expect(open('missing/study')).rejects.toThrow(/missing\/study cannot be opened as a study/);
    expect(existsSync(join(folder, 'missing'))).toBe(false);
  });
});

test.runIf(withoutSqlite)('where there is no SQLite, an error names both ways to get it; in memory studies work', async () => {
  await expect(open('new')).rejects.toThrow(
    /SQLite, which Node has from 22\.13 on.*better-sqlite3.*not installed.*Node 22\.13 or later, or run: npm install better-sqlite3@12/,
  );
  expect(existsSync(join(folder, 'new'))).toBe(false);
  const study = await createStudy({ space });
  await study.optimize(({ x }) => x, { trials: 2 });
  expect(study.trials).toHaveLength(2);
});
