/** What a run folder tells of its course: the nets it holds, their histories, the options it was started with. */
import { readdir } from 'node:fs/promises';
import { fail } from '../core/errors.ts';
import { fileExists, readText } from '../io/files.ts';
import type { EpochFigures, StageHistory } from '../report/index.ts';
import { runFiles } from '../train/checkpoint.ts';
import type { RunConfig } from './run-folder.ts';

/** The folders below a run's that hold nets; '' alone where the run itself holds the net, or nothing is saved yet. */
export async function stagesOf(folder: string): Promise<readonly string[]> {
  if (await fileExists(`${folder}/${runFiles.model}`)) return [''];
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const held = await Promise.all(names.map((name) => fileExists(`${folder}/${name}/${runFiles.model}`)));
  const stages = names.filter((_, i) => held[i]).sort();
  return stages.length > 0 ? stages : [''];
}

export const stageFolder = (folder: string, stage: string): string => (stage === '' ? folder : `${folder}/${stage}`);

/** The figures of every epoch; none where no epoch is over. Errors: a damaged file. */
export async function readHistory(folder: string, operation: string): Promise<EpochFigures[]> {
  const path = `${folder}/${runFiles.history}`;
  if (!(await fileExists(path))) return [];
  const lines = (await readText(path, operation)).split('\n').filter((line) => line !== '');
  return lines.map((line, i) => {
    try {
      const record = JSON.parse(line) as EpochFigures | null;
      if (typeof record?.epoch === 'number') return record;
    } catch {
      // falls through to the error below
    }
    return fail('file', operation, `line ${i + 1} of ${path} is damaged`, 'It should be the JSON that gradix train wrote, one epoch per line.');
  });
}

/** The histories of all nets of a run. */
export const readHistories = async (folder: string, operation: string): Promise<StageHistory[]> =>
  Promise.all((await stagesOf(folder)).map(async (name) => ({ name, records: await readHistory(stageFolder(folder, name), operation) })));

/** Fails where a run has not saved a net yet. */
export async function checkSaved(folder: string, operation: string): Promise<void> {
  const [stage] = await stagesOf(folder);
  if (!(await fileExists(`${stageFolder(folder, stage)}/${runFiles.model}`)))
    fail('file', operation, `${folder} holds no net yet: the run has not finished an epoch`, `Go on with it: gradix train --resume ${folder}`);
}

/** Recipe, data and options as texts. */
export const optionTexts = ({ recipe, data, options, device }: RunConfig): Record<string, string> => ({
  recipe,
  data,
  ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)])),
  device,
});

/** The command that trains a run again, in a new folder. */
export function repeatCommand({ recipe, data, options }: RunConfig): string {
  const flags = Object.entries({ data, ...options }).map(
    ([name, value]) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} ${quoted(String(value))}`,
  );
  return `gradix train ${[recipe, ...flags].join(' ')}`;
}

/** As a shell reads it. */
const quoted = (text: string): string => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
