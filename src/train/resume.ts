/** A run's complete state, taken and put back so that the run goes on with the same bits. */
import { fail, showShape } from '../core/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { fromArrayValues, toArrays } from '../io/model.ts';
import type { ArrayValue } from '../io/safetensors.ts';
import type { Optimizer } from '../optim/index.ts';
import { random } from '../tensor/index.ts';
import type { Callback, Checkpoint, EpochRecord, Figures, Json } from './callback.ts';
import type { Feed, FeedState } from './feed.ts';
import type { FitOptions } from './fit-options.ts';
import type { HeadMetric } from './metrics/index.ts';
import type { Model } from './objective.ts';
import type { Totals } from './step.ts';

/** What makes up a run. */
export interface RunState {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly metrics: readonly HeadMetric[];
  readonly examples: number;
  readonly dataset: Dataset;
  /** What dataProbe found. */
  readonly probe: Json;
  readonly feed: Feed;
  readonly totals: Totals;
  readonly history: readonly EpochRecord[];
  readonly logged: Figures;
  readonly callbacks: readonly Callback[];
  readonly options: FitOptions;
}

/** What must be the same when a run goes on: plain values, compared one by one. */
type Identity = Readonly<Record<string, Json>>;

/** The JSON part of a checkpoint. */
interface SavedState extends FeedState {
  readonly version: 3;
  readonly identity: Identity;
  readonly totals: { readonly examples: number; readonly losses: readonly number[] };
  readonly random: ReturnType<typeof random.state>;
  readonly history: readonly EpochRecord[];
  readonly logged: Figures;
  readonly callbacks: Readonly<Record<string, Json>>;
}

/** FNV-1a (Fowler, Noll & Vo) over whole numbers. */
function hashed(values: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < values.length; i++) {
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((values[i] >>> shift) & 255), 0x01000193);
  }
  return hash >>> 0;
}

const labelHashes = new WeakMap<Dataset, Json>();

/** The labels as one number, where they are known without reading everything; found once. */
function labelsHash(dataset: Dataset): Json {
  const known = labelHashes.get(dataset);
  if (known !== undefined) return known;
  const labels = Number.isFinite(dataset.length) ? dataset.labels() : undefined;
  const hash = labels === undefined ? null : hashed(labels);
  labelHashes.set(dataset, hash);
  return hash;
}

/** A few examples as one number: tells other data of the same shapes from those of the first start. */
export async function dataProbe(dataset: Dataset): Promise<Json> {
  const { length } = dataset;
  const rows = Number.isFinite(length) ? [0, length >> 1, length - 1] : [0];
  const arrays = await dataset.readStored(Int32Array.from(rows));
  return arrays.map((array) => hashed(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))).join(' ');
}

function identityOf({ metrics, examples, dataset, probe, feed, options }: RunState): Identity {
  const { seed = 0, shuffle = true } = options;
  return {
    examples,
    batchSize: feed.batchSize,
    batches: feed.batches,
    seed,
    shuffle,
    fields: dataset.fields.map(({ name, shape, dtype }) => `${name} ${dtype} ${showShape(shape)}`).join(', '),
    labels: labelsHash(dataset),
    probe,
    metrics: metrics.map(({ name }) => name).join(', '),
  };
}

const sumsPrefix = 'fit.metrics.';

export async function saveRun(run: RunState): Promise<Checkpoint> {
  const callbacks: Record<string, Json> = {};
  const extra: Record<string, ArrayValue> = {};
  run.metrics.forEach(({ name }, m) => {
    const data = Float64Array.from(run.totals.numbers[m]);
    extra[sumsPrefix + name] = { dtype: 'float64', shape: [data.length], data };
  });
  for (const callback of run.callbacks) {
    const { name } = callback;
    if (name === undefined || callback.state === undefined) continue;
    const state = await callback.state();
    callbacks[name] = state.values;
    // Copies: a checkpoint is written while the run goes on.
    for (const [key, value] of Object.entries(state.tensors ?? {})) extra[`${name}.${key}`] = { ...value, data: value.data.slice() };
  }
  const { examples, losses } = run.totals;
  const state: SavedState = {
    version: 3,
    ...run.feed.state,
    identity: identityOf(run),
    totals: { examples, losses },
    random: random.state(),
    history: run.history,
    logged: run.logged,
    callbacks,
  };
  const model = await toArrays(run.model.stateDict());
  for (const [name, { data }] of Object.entries(model)) {
    if (!allFinite(data))
      fail(
        'numeric',
        'checkpoint',
        `${name} holds values that are not finite`,
        'Nothing was written; the earlier checkpoint is kept. Lower the learning rate.',
      );
  }
  return { model, optimizer: await toArrays(run.optimizer.stateDict()), extra, state: state as unknown as Json };
}

function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

const sameRun = 'Resume with the model, data and options of the first start.';

/** Puts a run's state back. Errors: saved by another version, with other data or options, by another model or optimizer. */
export function restoreRun(
  run: RunState,
  { model, optimizer, extra, state }: Checkpoint,
): { readonly totals: Totals; readonly history: readonly EpochRecord[]; readonly logged: Figures } {
  const saved = state as unknown as SavedState;
  if (saved?.version !== 3)
    fail('state', 'resume', `the checkpoint has version ${saved?.version}, but this gradix reads version 3`, 'Train it anew, or load its weights alone.');
  for (const [name, now] of Object.entries(identityOf(run))) {
    const before = saved.identity[name];
    if (before === now) continue;
    const differing = name === 'labels' ? 'labels' : name === 'probe' ? 'examples' : undefined;
    if (differing) fail('state', 'resume', `the run was saved with other data: its ${differing} are not the same`, sameRun);
    fail('state', 'resume', `the run was saved with ${name} ${before}, but now it is ${now}`, sameRun);
  }
  fitting('model', () => run.model.loadStateDict(fromArrayValues(Object.entries(model))));
  fitting('optimizer', () => run.optimizer.loadStateDict(fromArrayValues(Object.entries(optimizer))));
  random.setState(saved.random);
  const { epoch, batch, data } = saved;
  run.feed.state = { epoch, batch, data };
  for (const callback of run.callbacks) {
    const { name } = callback;
    if (name === undefined || !(name in saved.callbacks)) continue;
    const prefix = `${name}.`;
    const tensors = Object.fromEntries(Object.entries(extra).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
    callback.restore?.({ values: saved.callbacks[name], tensors });
  }
  const numbers = run.metrics.map(({ name }) => Array.from(extra[sumsPrefix + name]?.data ?? []));
  return { totals: { examples: saved.totals.examples, losses: [...saved.totals.losses], numbers }, history: saved.history, logged: saved.logged };
}

function fitting(what: string, load: () => unknown): void {
  try {
    load();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    fail('state', 'resume', `the checkpoint does not fit this ${what}: ${problem}`, undefined, error);
  }
}
