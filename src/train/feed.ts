/** The batches of a training run: which ones make an epoch, and where the run stands among them. */
import { fail } from '../core/errors.ts';
import { type Dataset, range } from '../data/dataset.ts';
import { type Loader, type LoaderState, loader, type RawBatch } from '../data/loader.ts';
import { checkWhole } from '../nn/options.ts';
import { adoptsInPlace } from '../tensor/adopt.ts';

export interface FeedOptions {
  /** Examples per batch (default 32). */
  readonly batchSize?: number;
  /** Seed of the order of the examples (default 0). */
  readonly seed?: number;
  /** A new order every epoch (default true; not for endless data). */
  readonly shuffle?: boolean;
  /** Leave out the last batch of the data when it is smaller. */
  readonly dropLast?: boolean;
  /** An epoch is so many batches: the next goes on in the data where the last one stopped. Needed where the data are endless (a dataset of length Infinity). */
  readonly stepsPerEpoch?: number;
  /** At most so many batches per epoch, each epoch beginning anew; validation is limited too. */
  readonly limitBatches?: number;
  /** Always the same so many batches, the data's first: a net that cannot learn these by heart has a bug. */
  readonly overfitBatches?: number;
}

/** Where a run stands: `batch` batches of `epoch` are done, and the loader stands at `data`. */
export interface FeedState {
  readonly epoch: number;
  readonly batch: number;
  readonly data: LoaderState;
}

export interface Feed {
  /** Batches per epoch. */
  readonly batches: number;
  /** Examples per epoch. */
  readonly examples: number;
  readonly batchSize: number;
  /** The place within `state`, cheaply. */
  readonly epoch: number;
  readonly batch: number;
  state: FeedState;
  /** The next batch of the epoch; undefined when it has no more. */
  next(): Promise<RawBatch | undefined>;
  /** Goes to the beginning of the next epoch. */
  endEpoch(): void;
}

export function newFeed(operation: string, whole: Dataset, options: FeedOptions): Feed {
  const { batchSize = 32, stepsPerEpoch, limitBatches, overfitBatches, shuffle = true, seed = 0, dropLast = false } = options;
  for (const [name, value] of Object.entries({ stepsPerEpoch, limitBatches, overfitBatches })) if (value !== undefined) checkWhole(operation, name, value);
  if (stepsPerEpoch !== undefined && limitBatches !== undefined)
    fail('argument', operation, 'pass either stepsPerEpoch or limitBatches', 'They both say how long an epoch is.');
  const dataset = overfitBatches === undefined ? whole : whole.select(range(0, Math.min(whole.length, overfitBatches * batchSize)));
  const endless = dataset.length === Number.POSITIVE_INFINITY;
  if (endless && stepsPerEpoch === undefined && limitBatches === undefined)
    fail('argument', operation, 'the dataset is endless, so an epoch needs a length', 'Pass stepsPerEpoch: 1000, say.');
  const source = endless ? endlessLoader(dataset, batchSize) : loader(dataset, { batchSize, seed, dropLast, shuffle: shuffle && overfitBatches === undefined });
  const batches = stepsPerEpoch ?? Math.min(limitBatches ?? Number.POSITIVE_INFINITY, source.length);
  const perPass = dropLast ? source.length * batchSize : dataset.length;
  const newPass = () => source.raw({ inPlace: adoptsInPlace() })[Symbol.asyncIterator]();
  let [epoch, batch] = [0, 0];
  let pass: AsyncIterator<RawBatch> | undefined;
  const leave = () => {
    void pass?.return?.();
    pass = undefined;
  };

  return {
    batches,
    examples: batches === source.length ? perPass : batches * batchSize,
    batchSize,
    get epoch() {
      return epoch;
    },
    get batch() {
      return batch;
    },
    get state() {
      return { epoch, batch, data: source.state };
    },
    set state(next) {
      source.state = next.data;
      ({ epoch, batch } = next);
      leave();
    },
    async next() {
      if (batch >= batches) return undefined;
      pass ??= newPass();
      let step = await pass.next();
      if (step.done) {
        // Only with stepsPerEpoch: the data begin anew within an epoch.
        pass = newPass();
        step = await pass.next();
      }
      batch++;
      return step.value;
    },
    endEpoch() {
      epoch++;
      batch = 0;
      if (stepsPerEpoch !== undefined) return;
      source.state = { epoch: source.state.epoch + 1, position: 0 };
      leave();
    },
  };
}

/** Endless data in their own order; a position is a row number. */
function endlessLoader(dataset: Dataset, batchSize: number): Pick<Loader, 'state' | 'length' | 'raw'> {
  let state: LoaderState = { epoch: 0, position: 0 };
  return {
    length: Number.POSITIVE_INFINITY,
    get state() {
      return state;
    },
    set state(next) {
      state = next;
    },
    async *raw() {
      for (;;) {
        const from = state.position;
        const arrays = await dataset.readStored(range(from, from + batchSize));
        state = { epoch: 0, position: from + batchSize };
        yield { size: batchSize, arrays };
      }
    },
  };
}
