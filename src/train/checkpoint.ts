/**
 * checkpoint: saves a run to a folder so that nothing is lost and it can go on with the same bits.
 *   checkpoint.safetensors  everything needed to go on, in one file that is replaced atomically: model, optimizer, random state, place in the data, history
 *   model.safetensors       the latest weights alone; at the end the final ones
 *   best.safetensors        the weights of the best epoch
 *   history.jsonl           one line per epoch
 */
import { fail } from '../core/errors.ts';
import { fileExists, makeFolder, readSafetensors, writeFileAtomic, writeSafetensors } from '../io/files.ts';
import { toArrays } from '../io/model.ts';
import type { ArrayValue } from '../io/safetensors.ts';
import type { Callback, Checkpoint, Json, Run } from './callback.ts';
import { monitored } from './monitor.ts';

export interface CheckpointOptions {
  /** Also save within epochs, every so many batches (default: only after epochs and when interrupted). */
  readonly everyBatches?: number;
  /** The figure that says which epoch is best (default 'valLoss', or 'loss' without validation data). */
  readonly monitor?: string;
}

/** The files of a run folder. */
export const runFiles = {
  checkpoint: 'checkpoint.safetensors',
  model: 'model.safetensors',
  best: 'best.safetensors',
  history: 'history.jsonl',
  config: 'config.json',
} as const;

/** Saves after every epoch, when the run is interrupted, and at the end. `directory` is made when it does not exist. */
export function checkpoint(directory: string, { everyBatches, monitor }: CheckpointOptions = {}): Callback {
  if (everyBatches !== undefined && !(Number.isInteger(everyBatches) && everyBatches >= 1))
    fail('argument', 'checkpoint', `everyBatches must be a whole number ≥ 1, got ${everyBatches}`);
  const path = (file: keyof typeof runFiles) => `${directory}/${runFiles[file]}`;
  const times: number[] = [];
  let best: number | undefined;

  const saveAll = async (run: Run) => {
    const state = await run.checkpoint();
    await writeSafetensors(path('checkpoint'), flatten(state), { format: 'gradix-checkpoint', state: JSON.stringify(state.state) });
    await writeSafetensors(path('model'), state.model);
  };

  return {
    name: 'checkpoint',
    saves: true,
    async start(run) {
      await makeFolder(directory, 'checkpoint');
      // Fails now rather than after the first epoch when the folder cannot be written.
      await writeFileAtomic(path('history'), historyText(run, times), 'checkpoint');
    },
    ...(everyBatches !== undefined && { batchInterval: everyBatches, batchEnd: saveAll }),
    async epochEnd(run) {
      times[run.history.length - 1] = run.seconds;
      const { value, better } = monitored('checkpoint', run, monitor);
      const improved = best === undefined || better(value, best);
      if (improved) best = value;
      if (improved) await writeSafetensors(path('best'), await toArrays(run.model.stateDict()));
      await saveAll(run);
      await writeFileAtomic(path('history'), historyText(run, times), 'checkpoint');
    },
    async end(run) {
      if (run.stopReason === 'interrupted') await saveAll(run);
    },
    state: () => ({ values: best ?? null }),
    restore({ values }) {
      best = (values as number | null) ?? undefined;
    },
  };
}

const historyText = (run: Run, times: readonly number[]): string =>
  run.history.map((record, i) => `${JSON.stringify({ ...record, ...(times[i] !== undefined && { seconds: Number(times[i].toFixed(3)) }) })}\n`).join('');

/** Parts of a checkpoint, each under its own prefix in one file. */
const parts = ['model', 'optimizer', 'extra'] as const;

const flatten = (state: Checkpoint): Record<string, ArrayValue> =>
  Object.fromEntries(parts.flatMap((part) => Object.entries(state[part]).map(([name, value]) => [`${part}.${name}`, value] as const)));

/** True when a folder holds a checkpoint. */
export const hasCheckpoint = (directory: string): Promise<boolean> => fileExists(`${directory}/${runFiles.checkpoint}`);

/** Reads what checkpoint() wrote, for fit's `resume`. Errors: no checkpoint there, a corrupt file. */
export async function loadCheckpoint(directory: string): Promise<Checkpoint> {
  const path = `${directory}/${runFiles.checkpoint}`;
  if (!(await fileExists(path)))
    fail('file', 'resume', `${directory} holds no checkpoint (${runFiles.checkpoint})`, 'Give the folder of a run that has saved at least once.');
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata.format !== 'gradix-checkpoint')
    fail('file', 'resume', `${path} is not a checkpoint of a run`, 'It may be a model; load it with load(model, path).');
  const sorted: Record<(typeof parts)[number], Record<string, ArrayValue>> = { model: {}, optimizer: {}, extra: {} };
  for (const [name, value] of tensors) {
    const part = parts.find((p) => name.startsWith(`${p}.`));
    if (part) sorted[part][name.slice(part.length + 1)] = value;
  }
  try {
    return { ...sorted, state: JSON.parse(metadata.state) as Json };
  } catch (error) {
    return fail('file', 'resume', `${path} holds a state that is not valid JSON`, 'The file is corrupt.', error);
  }
}
