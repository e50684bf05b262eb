/** Training: one run of fit, as its callbacks see it. Batches run as one compiled program each; figures are read every few milliseconds, not per batch. */
import { fail, GradixError } from '../core/errors.ts';
import { turn } from '../core/turn.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Optimizer } from '../optim/index.ts';
import { type Callback, type Checkpoint, type EpochRecord, type Figures, type Hook, hooks, type Json, type Run, type StopReason } from './callback.ts';
import { breath, type EvaluateOptions, evaluator } from './evaluate.ts';
import { type Feed, newFeed } from './feed.ts';
import type { FitOptions } from './fit-options.ts';
import { type HeadMetric, resolveMetrics, validationName } from './metrics/index.ts';
import { type Model, resolveObjective } from './objective.ts';
import { dataProbe, type RunState, restoreRun, saveRun } from './resume.ts';
import { type BatchStep, batchStep, figuresOf, newTotals, type Report, readReports, type Totals } from './step.ts';

export class Training implements Run {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly dataset: Dataset;
  readonly inputs: readonly number[];
  readonly metrics: readonly HeadMetric[];
  readonly epochs: number;
  seen = 0;
  seconds = 0;
  stopReason: StopReason | undefined;
  stoppedBecause: string | undefined;
  readonly #history: EpochRecord[] = [];
  readonly #options: FitOptions;
  readonly #callbacks: readonly Callback[];
  readonly #feed: Feed;
  readonly #step: BatchStep;
  readonly #validate: (() => Promise<Figures>) | undefined;
  #totals: Totals;
  #probe: Promise<Json> | undefined;
  /** What callbacks have logged in this epoch. */
  #logged: Figures = {};
  /** The figures shown, and how many examples they are from. */
  #shown: { readonly examples: number; readonly figures: Figures } = { examples: 0, figures: {} };
  /** Between an epoch's record and the next epoch. */
  #ended = false;
  #started = performance.now();

  constructor(model: Model, dataset: Dataset, options: FitOptions) {
    const { optimizer, validation, accumulate, detectAnomaly = false } = options;
    const epochs = options.epochs ?? 1;
    if (!Number.isInteger(epochs) || epochs < 1) fail('argument', 'fit', `epochs must be a whole number ≥ 1, got ${epochs}`);
    if (optimizer === undefined) fail('argument', 'fit', 'there is no optimizer', 'Pass optimizer: optim.adam(), say.');
    if (options.loss === undefined) fail('argument', 'fit', 'there is no loss', "Pass loss: 'crossEntropy', say, or a function (outputs, targets) => scalar.");
    if (accumulate !== undefined) optimizer.accumulate = accumulate;
    const objective = resolveObjective('fit', dataset, options);
    this.#options = options;
    this.#callbacks = options.callbacks ?? [];
    checkCallbacks(this.#callbacks);
    this.model = model;
    this.optimizer = optimizer;
    this.dataset = dataset;
    this.inputs = objective.inputs;
    this.epochs = epochs;
    const names = objective.heads.map(({ name }) => name);
    this.metrics = resolveMetrics('fit', options.metrics ?? [], names);
    this.#feed = newFeed('fit', dataset, options);
    this.#step = batchStep({ operation: 'fit', model, dataset, objective, metrics: this.metrics, optimizer, detectAnomaly });
    this.#validate = validation && evaluator('fit (validation)', model, validation, measuring(options));
    this.#totals = newTotals(objective, this.metrics);
  }

  get history(): readonly EpochRecord[] {
    return this.#history;
  }
  get epoch(): number {
    return this.#feed.epoch;
  }
  get batch(): number {
    return this.#feed.batch;
  }
  get batches(): number {
    return this.#feed.batches;
  }
  get examples(): number {
    return this.#feed.examples;
  }

  get figures(): Figures {
    const { examples } = this.#totals;
    if (!this.#ended && examples !== this.#shown.examples && examples > 0)
      this.#shown = { examples, figures: figuresOf(this.#step.objective, this.#totals, this.metrics, false) };
    return this.#shown.figures;
  }

  stop(because: string): void {
    this.stopReason ??= 'stopped';
    this.stoppedBecause ??= because;
  }

  log(figures: Figures): void {
    if (!this.#ended) this.#logged = { ...this.#logged, ...figures };
    else this.#history.push({ ...(this.#history.pop() as EpochRecord), ...figures } as EpochRecord);
  }

  /** Calls a hook of every callback that is wanted; what they throw names the callback and the hook. */
  async call(hook: Hook, wanted: (callback: Callback) => boolean = () => true): Promise<void> {
    const saving = this.#callbacks.filter(({ saves }) => saves);
    const others = this.#callbacks.filter(({ saves }) => !saves);
    const ordered = hook === 'batchEnd' || hook === 'epochEnd' ? [...others, ...saving] : hook === 'end' ? [...saving, ...others] : this.#callbacks;
    for (const callback of ordered) {
      if (callback[hook] === undefined || !wanted(callback)) continue;
      try {
        await callback[hook](this);
      } catch (error) {
        callbackError(this.#nameOf(callback), hook, error);
      }
    }
  }

  /** Closes the callbacks, all of them whatever some may throw. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const callback of this.#callbacks) {
      try {
        await callback.close?.();
      } catch (error) {
        errors.push([this.#nameOf(callback), error]);
      }
    }
    for (const [name, error] of errors as [string, unknown][]) callbackError(name, 'close', error);
  }

  #nameOf(callback: Callback): string {
    return callback.name ?? `number ${this.#callbacks.indexOf(callback) + 1}`;
  }

  async run(resume: Checkpoint | undefined): Promise<void> {
    if (resume) await this.#restore(resume);
    await this.call('start');
    while (this.epoch < this.epochs && this.stopReason === undefined) await this.#runEpoch();
    this.stopReason ??= 'finished';
    await this.call('end');
  }

  async #runEpoch(): Promise<void> {
    const { epoch } = this;
    this.#ended = false;
    if (this.batch === 0) {
      this.#totals = newTotals(this.#step.objective, this.metrics);
      this.#logged = {};
    }
    this.#shown = { examples: 0, figures: {} };
    await this.call('epochStart');
    this.#started = performance.now();
    this.model.train(true);
    if (!(await this.#trainEpoch(epoch))) return;
    let figures: Figures = { ...figuresOf(this.#step.objective, this.#totals, this.metrics, true), ...this.#logged };
    if (this.#validate) {
      this.#shown = { examples: this.#totals.examples, figures };
      await this.call('validationStart');
      const validation = await this.#validate();
      figures = { ...figures, ...Object.fromEntries(Object.entries(validation).map(([name, value]) => [validationName(name), value])) };
    }
    this.#shown = { examples: this.#totals.examples, figures };
    this.#ended = true;
    this.#history.push({ epoch: epoch + 1, ...figures } as unknown as EpochRecord);
    this.#feed.endEpoch();
    await this.call('epochEnd');
    this.#heedSignal();
  }

  /** Runs the rest of an epoch; false when it was broken off. */
  async #trainEpoch(epoch: number): Promise<boolean> {
    let reports: Report[] = [];
    let lastDrain = performance.now();
    const drain = async () => {
      const waiting = reports;
      reports = [];
      const read = await readReports(waiting);
      for (const [i, values] of read.entries()) this.#add(values, waiting[i], epoch);
      const now = performance.now();
      this.seconds += (now - this.#started) / 1000;
      this.#started = now;
    };
    for (let batch = await this.#feed.next(); batch !== undefined; batch = await this.#feed.next()) {
      reports.push({ tensor: this.#step.run(batch), size: batch.size, batch: this.batch });
      this.seen += batch.size;
      const due = (callback: Callback) => callback.batchEnd !== undefined && this.batch % (callback.batchInterval ?? 1) === 0;
      const listening = this.#callbacks.some(due);
      if (!listening && performance.now() - lastDrain < breath) continue;
      await drain();
      if (listening) await this.call('batchEnd', due);
      if (performance.now() - lastDrain >= breath) {
        await this.call('tick');
        await turn();
        lastDrain = performance.now();
      }
      this.#heedSignal();
      // After the last batch of an epoch the epoch is finished first, with its validation.
      if (this.stopReason !== undefined && this.batch < this.batches) return false;
    }
    await drain();
    return true;
  }

  #heedSignal(): void {
    if (this.#options.signal?.aborted) this.stopReason ??= 'interrupted';
  }

  #add(values: ArrayLike<number>, { size, batch }: Report, epoch: number): void {
    const place = `in epoch ${epoch + 1}, batch ${batch} of ${this.batches}`;
    const kept = this.#callbacks.some(({ saves }) => saves) ? ' Earlier checkpoints are kept.' : '';
    const advice = `Lower the learning rate (now ${this.optimizer.learningRate}), clip gradients, or look for bad values in the data`;
    const anomaly = this.#options.detectAnomaly ? this.#step.anomalyIn(values, size) : undefined;
    if (anomaly) fail('numeric', 'fit', `${place}: ${anomaly}`, `${advice}.${kept}`);
    if (!Number.isFinite(values[0]))
      fail('numeric', 'fit', `the loss is ${values[0]} ${place}`, `${advice}; detectAnomaly: true names the first layer that breaks.${kept}`);
    this.#step.add(this.#totals, values, size);
  }

  async #state(): Promise<RunState> {
    const { model, optimizer, metrics, examples, dataset } = this;
    this.#probe ??= dataProbe(dataset);
    return {
      probe: await this.#probe,
      model,
      optimizer,
      metrics,
      examples,
      dataset,
      feed: this.#feed,
      totals: this.#totals,
      history: this.#history,
      logged: this.#logged,
      callbacks: this.#callbacks,
      options: this.#options,
    };
  }

  async checkpoint(): Promise<Checkpoint> {
    return saveRun(await this.#state());
  }

  async #restore(checkpoint: Checkpoint): Promise<void> {
    const { totals, history, logged } = restoreRun(await this.#state(), checkpoint);
    this.#totals = totals;
    this.#logged = logged;
    this.#history.push(...history);
  }
}

/** What validation takes over: no batch size, which is about memory in training, and no weights of classes. */
const measuring = ({ loss, metrics, inputs, sampleWeights, limitBatches }: FitOptions): EvaluateOptions => ({
  loss,
  ...(metrics && { metrics }),
  ...(inputs && { inputs }),
  ...(sampleWeights !== undefined && { sampleWeights }),
  ...(limitBatches !== undefined && { limitBatches }),
});

function checkCallbacks(callbacks: readonly Callback[]): void {
  for (const [i, callback] of callbacks.entries()) {
    if (typeof callback !== 'object' || callback === null)
      fail(
        'argument',
        'fit',
        `callback ${i + 1} is ${typeof callback === 'function' ? 'a function' : String(callback)}, not a callback`,
        'Call it: progress(), not progress; or give hooks: { epochEnd: (run) => … }.',
      );
    for (const hook of hooks)
      if (callback[hook] !== undefined && typeof callback[hook] !== 'function')
        fail('argument', 'fit', `${hook} of callback ${callback.name ?? i + 1} is not a function`);
    const { name } = callback;
    if (name !== undefined && callback.state !== undefined && callbacks.findIndex((other) => other.name === name) !== i)
      fail(
        'argument',
        'fit',
        `two callbacks are named ${name}, and the name stands for their state in checkpoints`,
        'Give one of them another name: { ...callback, name }.',
      );
  }
}

function callbackError(name: string, hook: string, error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof GradixError ? error.code : 'state';
  return fail(code, 'fit', `the callback ${name} failed in ${hook}: ${message}`, undefined, error);
}
