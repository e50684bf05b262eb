/** Run folders: what a run was started with, so that it can be resumed, evaluated and repeated. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../core/errors.ts';
import { fileExists, makeFolder, readText, writeFileAtomic } from '../io/files.ts';
import { runFiles } from '../train/checkpoint.ts';
import type { Settings } from './recipes/recipe.ts';

export interface RunConfig {
  readonly recipe: string;
  readonly options: Settings;
  /** A folder, or the name of generated data such as 'digits'. */
  readonly data: string;
  readonly device: string;
  readonly versions: { readonly gradix: string; readonly node: string };
}

/** The package's version. */
export const version: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

export async function writeConfig(folder: string, config: RunConfig): Promise<void> {
  await makeFolder(folder, 'train');
  await writeFileAtomic(join(folder, runFiles.config), `${JSON.stringify(config, undefined, 2)}\n`, 'train');
}

/** True where a run was started. */
export const hasRun = (folder: string): Promise<boolean> => fileExists(join(folder, runFiles.config));

/** Reads the config of a run. Errors: no run there, a damaged file. */
export async function readConfig(folder: string, operation: string): Promise<RunConfig> {
  const path = join(folder, runFiles.config);
  if (!(await fileExists(path)))
    fail('file', operation, `${folder} is not a run: it holds no ${runFiles.config}`, 'Give the folder that gradix train printed at its end.');
  try {
    const config = JSON.parse(await readText(path, operation)) as RunConfig;
    if (typeof config.recipe === 'string' && typeof config.options?.seed === 'number' && typeof config.data === 'string') return config;
  } catch {
    // falls through to the error below
  }
  return fail('file', operation, `${path} is damaged`, 'It should be the JSON that gradix train wrote.');
}

/** A new folder's name: runs/lenet-2026-11-21-12-03-44. */
export function newRunFolder(recipe: string): string {
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000);
  return join('runs', `${recipe}-${now.toISOString().slice(0, 19).replace(/[T:]/g, '-')}`);
}
