/** What a training run shows to its callbacks, and the hooks they may have. */
import type { Dataset } from '../data/dataset.ts';
import type { ArrayValue } from '../io/safetensors.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Metric, MetricValue } from './metrics/metric.ts';
import type { Model } from './objective.ts';

/** One line of the history: `epoch` (from 1), `loss`, the metrics, with validation data `valLoss`, `valAccuracy`, …, and what callbacks have logged. */
export type EpochRecord = { readonly epoch: number; readonly loss: number } & Readonly<Record<string, MetricValue>>;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Why a run ended: all epochs done, a callback stopped it, or the signal did. */
export type StopReason = 'finished' | 'stopped' | 'interrupted';

/** Figures by name. */
export type Figures = Readonly<Record<string, MetricValue>>;

/** A training run as callbacks see it. */
export interface Run {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly dataset: Dataset;
  /** Which fields of the dataset go into the model, by their number. */
  readonly inputs: readonly number[];
  readonly metrics: readonly Metric[];
  readonly epochs: number;
  /** From 0. In epochEnd, where the epoch is over, that of the next. */
  readonly epoch: number;
  /** Batches done in this epoch, of `batches`. */
  readonly batch: number;
  readonly batches: number;
  /** Examples per epoch. */
  readonly examples: number;
  /** Examples seen since the run began or was resumed, without validation. */
  readonly seen: number;
  /** Training seconds since the run began or was resumed, without validation. */
  readonly seconds: number;
  /** The figures of this epoch so far; in epochEnd those of the whole epoch, with validation. */
  readonly figures: Figures;
  readonly history: readonly EpochRecord[];
  /** Adds figures to the record of the epoch that is running, or in epochEnd to the one that has just ended. */
  log(figures: Figures): void;
  /** Set once the run is about to end. */
  readonly stopReason: StopReason | undefined;
  /** Ends the run after this batch or epoch. */
  stop(because: string): void;
  readonly stoppedBecause: string | undefined;
  /** Everything that fit needs to go on from here with the same bits. */
  checkpoint(): Promise<Checkpoint>;
}

/** A run's complete state: model, optimizer, random sequence, place in the data, history, callbacks. */
export interface Checkpoint {
  readonly model: Readonly<Record<string, ArrayValue>>;
  readonly optimizer: Readonly<Record<string, ArrayValue>>;
  /** Further tensors: sums of metrics, and of callbacks by their name. */
  readonly extra: Readonly<Record<string, ArrayValue>>;
  readonly state: Json;
}

/** What a resumed run needs to know of a callback. */
export interface CallbackState {
  readonly values: Json;
  readonly tensors?: Readonly<Record<string, ArrayValue>>;
}

/** Hooks of a callback; all may be asynchronous. They run in the order in which the callbacks are given. */
export interface Callback {
  /** For errors, and for its state in checkpoints; needed with `state`. */
  readonly name?: string;
  /** It saves the run: its batchEnd and epochEnd come after those of all others, whose state it keeps, and its end before theirs. */
  readonly saves?: boolean;
  start?(run: Run): void | Promise<void>;
  epochStart?(run: Run): void | Promise<void>;
  /** After every `batchInterval` batches (default 1), figures up to date. Looking after every batch slows small nets. */
  batchEnd?(run: Run): void | Promise<void>;
  readonly batchInterval?: number;
  /** Every now and then within an epoch (about 40 times a second), for display and clocks. */
  tick?(run: Run): void | Promise<void>;
  /** Before the validation of an epoch. */
  validationStart?(run: Run): void | Promise<void>;
  epochEnd?(run: Run): void | Promise<void>;
  /** After the last epoch, or when the run is stopped or interrupted. */
  end?(run: Run): void | Promise<void>;
  /** Called however the run ends, also by an error: to put the terminal back, close files. */
  close?(): void | Promise<void>;
  /** What a resumed run needs to know of this callback. */
  state?(): CallbackState | Promise<CallbackState>;
  /** Takes the state back before `start`. */
  restore?(state: { readonly values: Json; readonly tensors: Readonly<Record<string, ArrayValue>> }): void;
}

/** The hooks that fit calls with the run. */
export const hooks = ['start', 'epochStart', 'batchEnd', 'tick', 'validationStart', 'epochEnd', 'end'] as const;
export type Hook = (typeof hooks)[number];
