/** Exact resumption: a run that is killed again and again ends with the bytes of one that was left alone. Runs a build in child processes. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { train } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gradix-resume-'));
/** Within the project, so that packages are found. */
const build = join(root, `.cache/resume-test-${process.pid}`);
const at = (name: string): string => join(folder, name);
afterAll(() => {
  for (const path of [folder, build]) rmSync(path, { recursive: true, force: true });
});

interface Outcome {
  readonly signal: NodeJS.Signals | null;
  readonly done: boolean;
  readonly err: string;
}

/** Starts the run, or goes on with it. `delay`: milliseconds from the beginning of its training until it is killed. */
function start(name: string, { delay, more = [] }: { readonly delay?: number; readonly more?: readonly string[] } = {}): Promise<Outcome> {
  const script = join(root, 'test/support/interrupted-run.mjs');
  const child = spawn(process.execPath, [script, join(build, 'dist'), at(name), ...more], {
    env: { ...process.env, GRADIX_CACHE: at('cache'), GRADIX_THREADS: '1' },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes) => {
    const first = out === '';
    out += bytes;
    if (first && delay !== undefined) setTimeout(() => child.kill('SIGKILL'), delay);
  });
  child.stderr.on('data', (bytes) => {
    err += bytes;
  });
  return new Promise((resolve) => child.on('close', (_, signal) => resolve({ signal, done: out.includes('done'), err })));
}

/** What a run leaves, without times. */
function left(name: string): Record<string, string> {
  const files = readdirSync(at(name)).filter((file) => file.endsWith('.safetensors') || file.endsWith('.csv'));
  const contents = Object.fromEntries(files.map((file) => [file, readFileSync(join(at(name), file)).toString('base64')]));
  const history = readFileSync(join(at(name), 'history.jsonl'), 'utf8').replace(/,"seconds":[\d.]+/g, '');
  const events = readdirSync(join(at(name), 'events')).map((file) => [file, String(readFileSync(join(at(name), 'events', file)).length)]);
  return { ...contents, history, ...Object.fromEntries(events) };
}

beforeAll(async () => {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(build, 'dist')], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the sources do not compile: ${built.stdout}`);
  copyFileSync(join(root, 'package.json'), join(build, 'package.json'));
  cpSync(join(root, 'src/runtime/native/c'), join(build, 'dist/runtime/native/c'), { recursive: true });
  expect(await start('whole')).toEqual({ signal: null, done: true, err: '' });
}, 120_000);

const kills = 20;

test('killed 20 times at random moments', async () => {
  // Park & Miller 1988; the seed changes from run to run and is told when something is wrong.
  const seed = Math.floor(Math.random() * 1e6) + 1;
  let state = seed;
  const uniform = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const delays = Array.from({ length: kills }, () => Math.round(80 * uniform()));
  const told = `seed ${seed}, delays ${delays.join(' ')}`;
  for (const delay of delays) expect(await start('killed', { delay }), told).toEqual({ signal: 'SIGKILL', done: false, err: '' });
  expect(await start('killed'), told).toEqual({ signal: null, done: true, err: '' });
  expect(left('killed'), told).toEqual(left('whole'));
  expect(Object.keys(left('whole')).filter((name) => name.startsWith('checkpoint'))).toHaveLength(3);
}, 300_000);

test.each([
  ['writing', '1'],
  ['before', '4'],
  ['after', '4'],
])(
  'killed while it saves, %s the rename of checkpoint %s: the one before or the new one is there',
  async (when, number) => {
    const name = `saving-${when}`;
    expect(await start(name, { more: [when, number] })).toMatchObject({ signal: 'SIGKILL', done: false });
    if (number === '1') await expect(train.loadCheckpoint(at(name))).rejects.toThrow('holds no checkpoint');
    else await train.loadCheckpoint(at(name));
    expect(await start(name)).toEqual({ signal: null, done: true, err: '' });
    expect(left(name)).toEqual(left('whole'));
  },
  120_000,
);
