/** fit: the training loop. What one epoch and one batch are is in training.ts. */
import type { Dataset } from '../data/dataset.ts';
import type { EpochRecord, StopReason } from './callback.ts';
import type { FitOptions } from './fit-options.ts';
import type { Model } from './objective.ts';
import { Training } from './training.ts';

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
    await training.run(options.resume);
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
