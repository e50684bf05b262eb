/** The gradix command for tests: a build of its own, run in child processes in a temporary folder. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { data } from '../../src/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** Called with every piece of stdout and stderr. */
  readonly watch?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** Runs within a shell after this command. */
  readonly after?: string;
}

export interface Command {
  /** Where it runs. */
  readonly folder: string;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Removes its folders. */
  close(): void;
}

/** Builds the sources: tests must neither install packages nor replace a dist/ that somebody is using. */
export function buildCommand(): Command {
  const folder = mkdtempSync(join(tmpdir(), 'gradix-cli-'));
  const build = join(root, `.cache/cli-test-${process.pid}`); // within the project, so that packages are found
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(build, 'dist')], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the sources do not compile: ${built.stdout}`);
  copyFileSync(join(root, 'package.json'), join(build, 'package.json'));
  cpSync(join(root, 'src/runtime/native/c'), join(build, 'dist/runtime/native/c'), { recursive: true });
  return {
    folder,
    run: (args, options = {}) => run(join(build, 'dist/cli/main.js'), folder, args, options),
    close() {
      for (const path of [folder, build]) rmSync(path, { recursive: true, force: true });
    },
  };
}

function run(cli: string, folder: string, args: readonly string[], { environment = {}, watch, after }: RunOptions): Promise<Outcome> {
  const env = { ...process.env, GRADIX_CACHE: join(folder, 'cache'), GRADIX_DATA: '', GRADIX_DEVICE: '', NO_COLOR: '1', ...environment };
  const child =
    after === undefined
      ? spawn(process.execPath, [cli, ...args], { env, cwd: folder })
      : spawn('sh', ['-c', `${after}; exec "$0" "$@"`, process.execPath, cli, ...args], { env, cwd: folder });
  let [out, err] = ['', ''];
  const hear = (text: string) => watch?.(text, (signal) => child.kill(signal));
  child.stdout.on('data', (bytes) => {
    out += bytes;
    hear(String(bytes));
  });
  child.stderr.on('data', (bytes) => {
    err += bytes;
    hear(String(bytes));
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, out, err })));
}

/** The JSON objects of stdout. */
export const lines = (out: string): Record<string, unknown>[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A folder in MNIST's format with generated digits: 1,000 to train, 200 to test. */
export async function writeSmallMnist(folder: string): Promise<void> {
  mkdirSync(folder);
  for (const [stem, count, seed] of [
    ['train', 1000, 5],
    ['t10k', 200, 6],
  ] as const) {
    const set = data.digits({ count, seed });
    const [images, labels] = await set.read(Int32Array.from({ length: count }, (_, i) => i));
    const pixels = Uint8Array.from(images, (value) => Math.round(255 * value));
    writeFileSync(join(folder, `${stem}-images-idx3-ubyte.gz`), gzipSync(data.encodeIdx({ dtype: 'uint8', shape: [count, 28, 28], data: pixels })));
    writeFileSync(join(folder, `${stem}-labels-idx1-ubyte.gz`), gzipSync(data.encodeIdx({ dtype: 'uint8', shape: [count], data: Uint8Array.from(labels) })));
  }
}
