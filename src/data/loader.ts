/** Batches of a dataset, in a seeded order that is the same on every machine; its state (epoch, position) says where to go on. */
import { fail } from '../core/errors.ts';
import { isNode } from '../io/files.ts';
import { type Tensor, tensor } from '../tensor/index.ts';
import { type Dataset, type Field, range } from './dataset.ts';
import { generator, permutation } from './random.ts';
import { type Arrays, fromStored } from './source.ts';

export interface LoaderOptions {
  /** Examples per batch (default 32). */
  readonly batchSize?: number;
  /** Draw a new order for every epoch (default false). */
  readonly shuffle?: boolean;
  /** Seed of the orders (default 0). */
  readonly seed?: number;
  /** Leave out the last batch when it is smaller (default false). */
  readonly dropLast?: boolean;
  /** Batches that are read while others are being used (default: what dataset.prefetch said, else 0). */
  readonly prefetch?: number;
  /** Threads that decode and augment (Node; default: what dataset.prefetch said, else 0). */
  readonly workers?: number;
}

/** Where a loader stands: `position` examples of `epoch` have been given out. */
export interface LoaderState {
  readonly epoch: number;
  readonly position: number;
}

/** A batch before it becomes tensors: for every field the values of `size` examples, in their stored form. */
export interface RawBatch {
  readonly size: number;
  readonly arrays: Arrays;
  /** When given, the arrays are those of all examples, and the batch is these rows of them. */
  readonly rows?: Int32Array;
}

/** Inputs, targets, and further fields where the dataset has them. */
export type Batch = [Tensor, Tensor, ...Tensor[]];

/** Every pass over a loader is one epoch. A pass that is broken off goes on where it stopped. */
export interface Loader extends AsyncIterable<Batch> {
  /** Batches per epoch. */
  readonly length: number;
  /** Read it to know where the loader stands; set it to go on from there. */
  state: LoaderState;
  /** The rest of the epoch as plain arrays; with `inPlace`, where the examples are kept in memory, as rows of what is kept. */
  raw(options?: { readonly inPlace?: boolean }): AsyncIterable<RawBatch>;
}

/** The order of the examples in one epoch. */
const orderOf = (length: number, shuffle: boolean, seed: number, epoch: number): Int32Array =>
  shuffle ? permutation(length, generator(seed, 0x0d3e4, epoch)) : range(0, length);

/**
 * Batches of [x, y] tensors, each [batchSize, …shape].
 * `for await (const [x, y] of loader(dataset, { batchSize: 32, shuffle: true })) …`
 */
export function loader(dataset: Dataset, options: LoaderOptions = {}): Loader {
  const { batchSize = 32, shuffle = false, seed = 0, dropLast = false, prefetch = dataset.feeding.batches, workers = dataset.feeding.workers } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) fail('argument', 'loader', `batchSize must be a whole number ≥ 1, got ${batchSize}`);
  for (const [name, value] of Object.entries({ prefetch, workers }))
    if (!Number.isInteger(value) || value < 0) fail('argument', 'loader', `${name} must be a whole number ≥ 0, got ${value}`);
  if (dataset.length === 0) fail('data', 'loader', 'the dataset has no examples');
  if (dropLast && dataset.length < batchSize)
    fail('data', 'loader', `dropLast leaves nothing: ${dataset.length} examples are less than one batch of ${batchSize}`, 'Use a smaller batchSize.');
  const end = dropLast ? dataset.length - (dataset.length % batchSize) : dataset.length;
  let state: LoaderState = { epoch: 0, position: 0 };

  const read = (rows: Int32Array, epoch: number): Arrays | Promise<Arrays> =>
    workers > 0 ? readInWorkers(dataset, rows, epoch, workers) : dataset.readStored(rows, epoch);
  // A worker that has finished one batch needs the next at hand.
  const ahead = Math.max(prefetch, 2 * workers);

  async function* batches({ inPlace = false } = {}): AsyncGenerator<RawBatch> {
    const { epoch } = state;
    const order = orderOf(dataset.length, shuffle, seed, epoch);
    const resident = inPlace ? (rows: Int32Array) => dataset.resident(rows) : () => undefined;
    for (;;) {
      const rows = order.subarray(state.position, Math.min(state.position + batchSize, end));
      const kept = rows.length > 0 && state.epoch === epoch ? resident(rows) : undefined;
      if (kept === undefined) break;
      state = { epoch, position: state.position + rows.length };
      yield { size: rows.length, ...kept };
    }
    const reading: { readonly rows: Int32Array; readonly arrays: Arrays | Promise<Arrays> }[] = [];
    let begun = state.position;
    while (state.epoch === epoch && state.position < end) {
      for (; reading.length <= ahead && begun < end; begun += batchSize) {
        const rows = order.subarray(begun, Math.min(begun + batchSize, end));
        const arrays = read(rows, epoch);
        // What nobody waits for any more, after a break or an earlier error, may fail in silence.
        if (arrays instanceof Promise) arrays.catch(() => {});
        reading.push({ rows, arrays });
      }
      const next = reading.shift();
      if (next === undefined) break;
      const arrays = next.arrays instanceof Promise ? await next.arrays : next.arrays;
      state = { epoch, position: state.position + next.rows.length };
      yield { size: next.rows.length, arrays };
    }
    if (state.epoch === epoch && state.position >= end) state = { epoch: epoch + 1, position: 0 };
  }

  return {
    length: Math.ceil(end / batchSize),
    get state() {
      return state;
    },
    set state(next) {
      if (!(next.epoch >= 0 && next.position >= 0 && next.position <= end))
        fail('state', 'loader', `position ${next.position} of epoch ${next.epoch} does not exist in ${end} examples`, 'Was the state saved with other data?');
      state = { epoch: next.epoch, position: next.position };
    },
    raw: batches,
    async *[Symbol.asyncIterator]() {
      for await (const { size, arrays } of batches()) {
        const values = fromStored(dataset.fields, arrays);
        yield dataset.fields.map(({ shape, dtype }, i) => tensor(values[i], { shape: [size, ...shape], dtype })) as Batch;
      }
    },
  };
}

const readInWorkers = async (dataset: Dataset, rows: Int32Array, epoch: number, workers: number): Promise<Arrays> => {
  const job = await dataset.job(rows, epoch);
  if (job.kind === 'arrays') return job.arrays;
  if (!isNode) fail('device', 'loader', 'worker threads need Node', 'Leave workers out.');
  return (await import('./workers-node.ts')).runInWorker(job, workers);
};

/** The values of a field from their stored form. */
export const decoded = (value: Tensor, { dtype, stored }: Field): Tensor => (stored ? value.cast(dtype).mul(stored.scale) : value);
