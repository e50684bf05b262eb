/** fit: the training loop. What one epoch and one batch are is in training.ts. */
import type { Dataset } from '../data/dataset.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Callback, Checkpoint, EpochRecord, StopReason } from './callback.ts';
import type { FeedOptions } from './feed.ts';
import type { MetricsOption } from './metrics/index.ts';
import type { LossOption, Model, ObjectiveOptions } from './objective.ts';
import { Training } from './training.ts';

export interface FitOptions extends FeedOptions, ObjectiveOptions {
  /** Passes over the data (default 1). */
  readonly epochs?: number;
  /** A name such as 'crossEntropy', or (outputs, targets) => scalar; for a model of several outputs the losses by target, each with its weight. */
  readonly loss: LossOption;
  readonly optimizer: Optimizer;
  /** Names and metrics; for a model of several outputs by target. */
  readonly metrics?: MetricsOption;
  /** Measured after every epoch, in evaluation mode. */
  readonly validation?: Dataset;
  readonly callbacks?: readonly Callback[];
  /** The optimizer takes a step every n-th batch only, with the mean of n gradients: large batches in little memory. What is left at the end of an epoch goes into the next. */
  readonly accumulate?: number;
  /** Checks every layer's output and gradient in every batch, so that the error of a loss that is not finite names the first layer that broke. Slower. */
  readonly detectAnomaly?: boolean;
  /** Tries everything out: one epoch of one batch (or of so many), of validation data too, with all callbacks except those that save. */
  readonly fastDevRun?: boolean | number;
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

/**
 * Trains a model. Returns the history: one record per epoch. Errors: no loss or optimizer, labels out of range, metrics that do not fit, a loss that is not
 * finite, a callback that throws (the message names it and the hook). The model keeps the weights it has then, and files of earlier checkpoints stay.
 * `await fit(model, mnist.train, { epochs: 3, batchSize: 32, loss: 'crossEntropy', optimizer: optim.sgd({ learningRate: 0.01, momentum: 0.9 }), metrics: ['accuracy'] })`
 */
export async function fit(model: Model, dataset: Dataset, options: FitOptions): Promise<History> {
  const training = new Training(model, dataset, settled(options));
  const wasTraining = model.training;
  let failed = false;
  try {
    if (options.resume) training.restore(options.resume);
    await training.run();
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    model.train(wasTraining);
    // What a callback throws while it closes must not hide the error that ended the run.
    await training.close().catch((error) => (failed ? undefined : Promise.reject(error)));
  }
  const { history, stopReason, stoppedBecause } = training;
  return { epochs: history, stopReason: stopReason ?? 'finished', ...(stoppedBecause !== undefined && { because: stoppedBecause }) };
}

/** The options with fastDevRun worked in. */
function settled({ fastDevRun = false, ...options }: FitOptions): FitOptions {
  if (fastDevRun === false) return options;
  const { stepsPerEpoch: _, callbacks = [], ...rest } = options;
  return { ...rest, epochs: 1, limitBatches: fastDevRun === true ? 1 : fastDevRun, callbacks: callbacks.filter(({ saves }) => !saves) };
}
