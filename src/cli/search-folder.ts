/** The folder of a search: what it was started with (search.json), its trials (study.sqlite), their runs (trials/), its report. */
import { join } from 'node:path';
import { fail, GradixError } from '../core/errors.ts';
import { fileExists, makeFolder, readText, writeFileAtomic } from '../io/files.ts';
import { checkSpace, type Direction, type Space } from '../search/index.ts';
import { UsageError } from './arguments.ts';

export interface SearchConfig {
  readonly recipe: string;
  readonly data: string;
  readonly space: Space;
  readonly sampler: 'tpe' | 'random' | 'grid';
  /** Of a grid: values per range. */
  readonly points: number;
  readonly metric: string;
  readonly direction: Direction;
  readonly seed: number;
  readonly trials: number;
  /** Options of the recipe that do not vary. */
  readonly fixed: Readonly<Record<string, number>>;
}

export const searchFiles = { config: 'search.json', study: 'study.sqlite', report: 'report.html' } as const;
const command = 'gradix search';

export const hasSearch = (folder: string): Promise<boolean> => fileExists(join(folder, searchFiles.config));

export async function writeSearch(folder: string, config: SearchConfig): Promise<void> {
  await makeFolder(folder, command);
  await writeFileAtomic(join(folder, searchFiles.config), `${JSON.stringify(config, undefined, 2)}\n`, command);
}

/** Errors: no search there, a damaged file. */
export async function readSearch(folder: string): Promise<SearchConfig> {
  const path = join(folder, searchFiles.config);
  if (!(await fileExists(path)))
    fail('file', command, `${folder} is not a search: it holds no ${searchFiles.config}`, 'Give the folder that gradix search printed.');
  try {
    const config = JSON.parse(await readText(path, command)) as SearchConfig;
    checkSpace(command, config.space);
    if (typeof config.recipe === 'string' && typeof config.trials === 'number' && typeof config.metric === 'string') return config;
  } catch {
    // falls through to the error below
  }
  return fail('file', command, `${path} is damaged`, 'It should be the JSON that gradix search wrote.');
}

/** What may be varied, and the check of a value: options of `gradix train` that are numbers. */
const least: Readonly<Record<string, number>> = { learningRate: Number.MIN_VALUE, batchSize: 1, epochs: 1, seed: 0 };

/** Reads a space from a JSON file. Errors: no JSON, a wrong space, parameters that recipes do not have, values that they would refuse. */
export async function readSpace(path: string): Promise<Space> {
  const text = await readText(path, command);
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    fail('file', command, `${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`, undefined, error);
  }
  try {
    const space = checkSpace(command, found);
    for (const [name, parameter] of Object.entries(space)) {
      if (!Object.hasOwn(least, name)) throw new UsageError(command, `${path}: recipes have no option ${name}`, `They have ${Object.keys(least).join(', ')}.`);
      const values: readonly unknown[] =
        parameter.type === 'choice' ? parameter.values : parameter.type === 'boolean' ? [true] : [parameter.low, parameter.high];
      const whole = name !== 'learningRate';
      const wrong = values.find((value) => typeof value !== 'number' || value < least[name] || (whole && !Number.isInteger(value)));
      if (wrong !== undefined || (whole && (parameter.type === 'uniform' || parameter.type === 'logUniform')))
        throw new UsageError(
          command,
          `${path}: ${name} must be ${whole ? `whole numbers ≥ ${least[name]}` : 'positive numbers'}, got ${JSON.stringify(parameter)}`,
          whole ? 'Use the type integer or choice.' : 'Use the type logUniform.',
        );
    }
    return space;
  } catch (error) {
    if (error instanceof GradixError && !(error instanceof UsageError)) throw new UsageError(command, error.message.replace(/^gradix search: /, `${path}: `));
    throw error;
  }
}
