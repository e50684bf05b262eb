/** The options of fit. */
import type { Dataset } from '../data/dataset.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Callback, Checkpoint } from './callback.ts';
import type { FeedOptions } from './feed.ts';
import type { MetricsOption } from './metrics/index.ts';
import type { LossOption, ObjectiveOptions } from './objective.ts';

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
  readonly resume?: Checkpoint | undefined;
}
