/** fit: the training loop. Batches run as one compiled program each; figures are read every few milliseconds, not per batch. */
import { fail } from '../core/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { type Loader, loader } from '../data/loader.ts';
import { fromArrayValues, toArrays } from '../io/model.ts';
import type { ArrayValue } from '../io/safetensors.ts';
import type { Loss, LossName } from '../nn/index.ts';
import type { Optimizer } from '../optim/index.ts';
import { random } from '../tensor/index.ts';
import type { Callback, Checkpoint, EpochRecord, Json, Run, StopReason } from './callback.ts';
import { breath, evaluator } from './evaluate.ts';
import { type Metric, type MetricName, type MetricValue, resolveMetrics, validationName } from './metrics.ts';
import {
  addReport,
  type BatchStep,
  batchStep,
  figures,
  type Model,
  newTotals,
  type Report,
  readReports,
  resolveLoss,
  type Totals,
  yieldToEvents,
} from './step.ts';

export interface FitOptions {
  /** Passes over the data (default 1). */
  readonly epochs?: number;
  readonly batchSize?: number;
  /** A name such as 'crossEntropy', or (outputs, targets) => scalar. */
  readonly loss: Loss | LossName;
  readonly optimizer: Optimizer;
  readonly metrics?: readonly (MetricName | Metric)[];
  /** Measured after every epoch, in evaluation mode. */
  readonly validation?: Dataset;
  readonly callbacks?: readonly Callback[];
  /** Seed of the order of the examples (default 0). */
  readonly seed?: number;
  /** A new order every epoch (default true). */
  readonly shuffle?: boolean;
  readonly dropLast?: boolean;
  /** Aborting it ends the run after the batch in hand; callbacks then see stopReason 'interrupted'. */
  readonly signal?: AbortSignal;
  /** Go on from here (see loadCheckpoint). The result has the bits of a run that was never interrupted. */
  readonly resume?: Checkpoint;
}

export interface History {
  readonly epochs: readonly EpochRecord[];
  readonly stopReason: StopReason;
  /** What a callback said when it stopped the run. */
  readonly because?: string;
}

/** What a checkpoint's state holds. */
interface FitState {
  readonly version: 1;
  readonly epoch: number;
  readonly position: number;
  readonly data: { readonly examples: number; readonly batchSize: number; readonly seed: number; readonly shuffle: boolean };
  readonly totals: Totals;
  readonly random: ReturnType<typeof random.state>;
  readonly history: readonly EpochRecord[];
  readonly callbacks: Readonly<Record<string, Json>>;
}

/**
 * Trains a model. Returns the history: one record per epoch. Errors: no loss or optimizer, labels out of range, a loss that is not finite.
 * `await fit(model, mnist.train, { epochs: 3, batchSize: 32, loss: 'crossEntropy', optimizer: optim.sgd({ learningRate: 0.01, momentum: 0.9 }), metrics: ['accuracy'] })`
 */
export async function fit(model: Model, dataset: Dataset, options: FitOptions): Promise<History> {
  const training = new Training(model, dataset, options);
  const callbacks = options.callbacks ?? [];
  const wasTraining = model.training;
  try {
    if (options.resume) training.restore(options.resume);
    await training.call('start');
    while (training.epoch < training.epochs && training.stopReason === undefined) await training.runEpoch();
    training.stopReason ??= 'finished';
    await training.call('end');
  } finally {
    model.train(wasTraining);
    for (const callback of callbacks) await callback.close?.();
  }
  const { history, stopReason, stoppedBecause } = training;
  return { epochs: history, stopReason: stopReason ?? 'finished', ...(stoppedBecause !== undefined && { because: stoppedBecause }) };
}

class Training implements Run {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly metrics: readonly Metric[];
  readonly epochs: number;
  readonly examples: number;
  seen = 0;
  seconds = 0;
  figures: Readonly<Record<string, MetricValue>> = {};
  stopReason: StopReason | undefined;
  stoppedBecause: string | undefined;
  readonly #history: EpochRecord[] = [];
  readonly #options: FitOptions;
  readonly #callbacks: readonly Callback[];
  readonly #loader: Loader;
  readonly #batchSize: number;
  readonly #step: BatchStep;
  readonly #validate: (() => Promise<Record<string, MetricValue>>) | undefined;
  #totals: Totals;
  #started = performance.now();

  constructor(model: Model, dataset: Dataset, options: FitOptions) {
    const { epochs = 1, batchSize = 32, optimizer, shuffle = true, seed = 0, dropLast = false, validation } = options;
    if (!Number.isInteger(epochs) || epochs < 1) fail('argument', 'fit', `epochs must be a whole number ≥ 1, got ${epochs}`);
    if (optimizer === undefined) fail('argument', 'fit', 'there is no optimizer', 'Pass optimizer: optim.adam(), say.');
    const loss = resolveLoss('fit', options.loss);
    this.#options = options;
    this.#callbacks = options.callbacks ?? [];
    this.model = model;
    this.optimizer = optimizer;
    this.epochs = epochs;
    this.metrics = resolveMetrics('fit', options.metrics ?? []);
    this.#loader = loader(dataset, { batchSize, shuffle, seed, dropLast });
    this.#batchSize = batchSize;
    this.examples = dropLast ? this.#loader.length * batchSize : dataset.length;
    this.#step = batchStep({ operation: 'fit', model, dataset, loss, metrics: this.metrics, optimizer });
    this.#validate = validation && evaluator('fit (validation)', model, validation, { loss, metrics: this.metrics });
    this.#totals = newTotals(this.metrics);
  }

  get history(): readonly EpochRecord[] {
    return this.#history;
  }
  get epoch(): number {
    return this.#loader.state.epoch;
  }
  get batch(): number {
    return Math.ceil(this.#loader.state.position / this.#batchSize);
  }
  get batches(): number {
    return this.#loader.length;
  }

  stop(because: string): void {
    this.stopReason ??= 'stopped';
    this.stoppedBecause ??= because;
  }

  async call(
    hook: 'start' | 'epochStart' | 'batchEnd' | 'tick' | 'validationStart' | 'epochEnd' | 'end',
    wanted: (callback: Callback) => boolean = () => true,
  ): Promise<void> {
    for (const callback of this.#callbacks) if (wanted(callback)) await callback[hook]?.(this);
  }

  async runEpoch(): Promise<void> {
    const { epoch } = this;
    if (this.#loader.state.position === 0) this.#totals = newTotals(this.metrics);
    await this.call('epochStart');
    this.#started = performance.now();
    this.model.train(true);
    if (!(await this.#trainEpoch(epoch))) return;
    let record: Record<string, MetricValue> = { ...figures(this.#totals, this.metrics) };
    if (this.#validate) {
      this.figures = record;
      await this.call('validationStart');
      const validation = await this.#validate();
      record = { ...record, ...Object.fromEntries(Object.entries(validation).map(([name, value]) => [validationName(name), value])) };
    }
    this.figures = record;
    this.#history.push({ epoch: epoch + 1, ...record } as unknown as EpochRecord);
    await this.call('epochEnd');
    if (this.#options.signal?.aborted) this.stopReason ??= 'interrupted';
  }

  /** Runs the rest of an epoch; false when it was broken off. */
  async #trainEpoch(epoch: number): Promise<boolean> {
    let reports: Report[] = [];
    let lastDrain = performance.now();
    const drain = async () => {
      const read = await readReports(reports);
      for (const [i, values] of read.entries()) this.#add(values, reports[i], epoch);
      reports = [];
      if (this.#totals.examples > 0) this.figures = figures(this.#totals, this.metrics);
      const now = performance.now();
      this.seconds += (now - this.#started) / 1000;
      this.#started = now;
    };
    for await (const batch of this.#loader.raw()) {
      reports.push({ tensor: this.#step.run(batch), size: batch.size, batch: this.batch });
      this.seen += batch.size;
      const due = (callback: Callback) => callback.batchEnd !== undefined && this.batch % (callback.batchInterval ?? 1) === 0;
      const listening = this.#callbacks.some(due);
      if (!listening && performance.now() - lastDrain < breath) continue;
      await drain();
      if (listening) await this.call('batchEnd', due);
      if (performance.now() - lastDrain >= breath) {
        await this.call('tick');
        await yieldToEvents();
        lastDrain = performance.now();
      }
      if (this.#options.signal?.aborted) this.stopReason ??= 'interrupted';
      // After the last batch of an epoch the epoch is finished first, with its validation.
      if (this.stopReason !== undefined && this.#loader.state.position < this.examples) return false;
    }
    await drain();
    return true;
  }

  #add(values: ArrayLike<number>, { size, batch }: Report, epoch: number): void {
    if (!Number.isFinite(values[0])) {
      const saved = this.#callbacks.some(({ name }) => name === 'checkpoint') ? ' Earlier checkpoints are kept.' : '';
      fail(
        'numeric',
        'fit',
        `the loss is ${values[0]} in epoch ${epoch + 1}, batch ${batch} of ${this.batches}`,
        `Lower the learning rate (now ${this.optimizer.learningRate}), clip gradients, or look for bad values in the data.${saved}`,
      );
    }
    addReport(this.#totals, values, size, this.#step.lengths);
  }

  async checkpoint(): Promise<Checkpoint> {
    const { epoch, position } = this.#loader.state;
    const { seed = 0, shuffle = true } = this.#options;
    const callbacks: Record<string, Json> = {};
    const extra: Record<string, ArrayValue> = {};
    for (const { name, state } of this.#callbacks.map((callback) => ({ name: callback.name, state: callback.state?.() }))) {
      if (name === undefined || state === undefined) continue;
      callbacks[name] = state.values;
      for (const [key, value] of Object.entries(state.tensors ?? {})) extra[`${name}.${key}`] = value;
    }
    const state: FitState = {
      version: 1,
      epoch,
      position,
      data: { examples: this.examples, batchSize: this.#batchSize, seed, shuffle },
      totals: this.#totals,
      random: random.state(),
      history: this.#history,
      callbacks,
    };
    const model = await toArrays(this.model.stateDict());
    for (const [name, { data }] of Object.entries(model)) {
      if (!(data as Float32Array).every(Number.isFinite))
        fail(
          'numeric',
          'checkpoint',
          `${name} holds values that are not finite`,
          'Nothing was written; the earlier checkpoint is kept. Lower the learning rate.',
        );
    }
    return { model, optimizer: await toArrays(this.optimizer.stateDict()), extra, state: state as unknown as Json };
  }

  restore({ model, optimizer, extra, state: saved }: Checkpoint): void {
    const state = saved as unknown as FitState;
    const { seed = 0, shuffle = true } = this.#options;
    const now: FitState['data'] = { examples: this.examples, batchSize: this.#batchSize, seed, shuffle };
    for (const [name, value] of Object.entries(now)) {
      const before = state.data[name as keyof typeof now];
      if (before !== value)
        fail('state', 'resume', `the run was saved with ${name} ${before}, but now it is ${value}`, 'Resume with the data and options of the first start.');
    }
    if (state.totals.sums.length !== this.metrics.length)
      fail(
        'state',
        'resume',
        `the run was saved with ${state.totals.sums.length} metrics, but now there are ${this.metrics.length}`,
        'Resume with the same metrics.',
      );
    this.model.loadStateDict(fromArrayValues(Object.entries(model)));
    this.optimizer.loadStateDict(fromArrayValues(Object.entries(optimizer)));
    random.setState(state.random);
    this.#loader.state = { epoch: state.epoch, position: state.position };
    this.#totals = { ...state.totals, sums: state.totals.sums.map((sums) => [...sums]) };
    this.#history.push(...state.history);
    for (const callback of this.#callbacks) {
      if (callback.name === undefined || !(callback.name in state.callbacks)) continue;
      const prefix = `${callback.name}.`;
      const tensors = Object.fromEntries(Object.entries(extra).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
      callback.restore?.({ values: state.callbacks[callback.name], tensors });
    }
  }
}
