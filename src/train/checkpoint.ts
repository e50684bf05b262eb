/**
 * checkpoint: saves a run to a folder so that nothing is lost and it can go on with the same bits.
 *   checkpoint.safetensors  the latest: everything needed to go on, in one file that is replaced atomically: model, optimizer, random state, place in the data, history
 *   model.safetensors       the latest weights alone; at the end the final ones
 *   best.safetensors        the weights of the best epoch
 *   history.jsonl           one line per epoch
 * A run's state is copied at once and written while the run goes on; the run waits for the files only at the next checkpoint, and before it ends.
 */
import { fail } from '../core/errors.ts';
import { type FetchOptions, isAddress } from '../io/fetch.ts';
import type { NewFile } from '../io/file-system.ts';
import { fileExists, keepAs, listFolder, makeFolder, readSafetensors, removeFile, writeFiles } from '../io/files.ts';
import { toArrays } from '../io/model.ts';
import { type ArrayValue, safetensorsPieces } from '../io/safetensors.ts';
import { checkOptions, checkWhole } from '../nn/options.ts';
import type { Callback, Checkpoint, Json, Run } from './callback.ts';
import { monitored } from './monitor.ts';

export interface CheckpointOptions {
  /** Save after every n-th epoch (default 1); in any case after the last, and when the run is stopped or interrupted. */
  readonly everyEpochs?: number;
  /** Also save within epochs, every so many batches. */
  readonly everyBatches?: number;
  /** How many checkpoints to keep (default 1). Earlier ones are named by their place: checkpoint-000003-00000.safetensors was taken after 3 epochs and 0 batches. */
  readonly keep?: number;
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

const earlierName = /^checkpoint-\d{6,}-\d{5,}\.safetensors$/;
/** So named that alphabetical order is the order in time. */
const nameAt = ({ epoch, batch }: Place): string => `checkpoint-${String(epoch).padStart(6, '0')}-${String(batch).padStart(5, '0')}.safetensors`;

interface Place {
  readonly epoch: number;
  readonly batch: number;
}

/** Saves after epochs, when the run is stopped or interrupted, and at the end. `directory` is made when it does not exist. */
export function checkpoint(directory: string, options: CheckpointOptions = {}): Callback {
  checkOptions('checkpoint', options, ['everyEpochs', 'everyBatches', 'keep', 'monitor']);
  const { everyBatches, monitor } = options;
  const everyEpochs = checkWhole('checkpoint', 'everyEpochs', options.everyEpochs ?? 1);
  const keep = checkWhole('checkpoint', 'keep', options.keep ?? 1);
  if (everyBatches !== undefined) checkWhole('checkpoint', 'everyBatches', everyBatches);
  const path = (file: keyof typeof runFiles) => `${directory}/${runFiles[file]}`;
  const times: number[] = [];
  let best: number | undefined;
  /** Where the run stood at the checkpoint that is there. */
  let saved: Place | undefined;

  let writing: Promise<void> = Promise.resolve();
  /** Waits until what was begun is written; throws once what went wrong. */
  const written = () => {
    const current = writing;
    writing = Promise.resolve();
    return current;
  };
  const write = (files: () => Promise<void>) => {
    writing = files();
    // Whoever waits for `written` hears of it.
    writing.catch(() => undefined);
  };
  const historyOf = (run: Run) => ({ path: path('history'), contents: historyText(run, times) });

  /** Writes the state of the run, and more. The weights are those of the best epoch if `isBest`. All earlier writing must have ended. */
  const saveAll = async (run: Run, isBest = false, more: readonly NewFile[] = []) => {
    const now = { epoch: run.epoch, batch: run.batch };
    const before = saved;
    if (before?.epoch === now.epoch && before.batch === now.batch) return;
    const { model, ...rest } = await run.checkpoint();
    const all = safetensorsPieces(flatten({ model, ...rest }), { format: 'gradix-checkpoint', state: JSON.stringify(rest.state) });
    const weights = { path: path('model'), contents: safetensorsPieces(model), ...(isBest && { copies: [path('best')] }) };
    write(async () => {
      if (keep > 1 && before !== undefined) await keepAs(path('checkpoint'), `${directory}/${nameAt(before)}`, 'checkpoint');
      // The checkpoint last: after a kill before it, the run comes by here again.
      await writeFiles([weights, ...more, { path: path('checkpoint'), contents: all }], 'checkpoint');
      saved = now;
      if (keep > 1) await removeOld();
    });
  };

  const removeOld = async () => {
    const earlier = (await listFolder(directory, 'checkpoint')).filter((name) => earlierName.test(name));
    for (const name of earlier.slice(0, Math.max(0, earlier.length - (keep - 1)))) await removeFile(`${directory}/${name}`, 'checkpoint');
  };

  return {
    name: 'checkpoint',
    saves: true,
    async start(run) {
      await makeFolder(directory, 'checkpoint');
      // A run that goes on from another folder has left nothing here yet.
      if ((run.history.length > 0 || run.batch > 0) && (await hasCheckpoint(directory))) saved = { epoch: run.epoch, batch: run.batch };
      // Fails now rather than after the first epoch when the folder cannot be written.
      await writeFiles([historyOf(run)], 'checkpoint');
    },
    ...(everyBatches !== undefined && { batchInterval: everyBatches, batchEnd: (run: Run) => written().then(() => saveAll(run)) }),
    async epochEnd(run) {
      await written();
      times[run.history.length - 1] = run.seconds;
      const { value, better } = monitored('checkpoint', run, monitor);
      const improved = best === undefined || better(value, best);
      if (improved) best = value;
      if (run.history.length % everyEpochs === 0 || run.epoch >= run.epochs || run.stopReason !== undefined) return saveAll(run, improved, [historyOf(run)]);
      const weights = improved ? [{ path: path('best'), contents: safetensorsPieces(await toArrays(run.model.stateDict())) }] : [];
      const files = [...weights, historyOf(run)];
      write(() => writeFiles(files, 'checkpoint'));
    },
    async end(run) {
      await written();
      if (run.stopReason !== 'finished') await saveAll(run);
      await written();
    },
    close: written,
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

/**
 * Reads what checkpoint() wrote, for fit's `resume`: the latest, or an earlier one by its name; from a folder, or from one that a URL names (with a slash at its
 * end). Errors: no checkpoint there, a corrupt file.
 */
export async function loadCheckpoint(directory: string | URL, file: string = runFiles.checkpoint, options: FetchOptions = {}): Promise<Checkpoint> {
  const path = typeof directory === 'string' ? `${directory}/${file}` : new URL(file, directory);
  if (!isAddress(path) && !(await fileExists(path)))
    fail('file', 'resume', `${directory} holds no checkpoint (${file})`, 'Give the folder of a run that has saved at least once.');
  const { tensors, metadata } = await readSafetensors(path, options);
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
