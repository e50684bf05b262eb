/**
 * learningRateFinder: the learning-rate range test (Smith 2017): a short run in which the rate grows from step to step, by the same factor each. The loss first
 * stays, then falls, then explodes; good rates are where it falls fastest.
 */

import { newArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import type { Dataset } from '../data/dataset.ts';
import { checkNumber, checkWhole } from '../nn/options.ts';
import type { Optimizer } from '../optim/index.ts';
import { random, type Tensor, tensor } from '../tensor/index.ts';
import { type FeedOptions, newFeed } from './feed.ts';
import { inMode, type LossOption, type Model, type ObjectiveOptions, resolveObjective } from './objective.ts';
import { batchStep } from './step.ts';

export interface LearningRateFinderOptions extends Pick<FeedOptions, 'batchSize' | 'seed'>, ObjectiveOptions {
  readonly loss: LossOption;
  readonly optimizer: Optimizer;
  /** First rate; default 1e-7. */
  readonly from?: number;
  /** Last rate; default 10. */
  readonly to?: number;
  /** Batches; default 100. The data begin anew as often as needed. */
  readonly steps?: number;
  /** Share of the running mean of the losses that is kept; default 0.9. */
  readonly smoothing?: number;
  /** Ends when the smoothed loss is above this times its smallest value; default 4. */
  readonly divergence?: number;
}

export interface LearningRatePoint {
  readonly learningRate: number;
  /** Before the step with this rate. */
  readonly loss: number;
  readonly smoothed: number;
}

export interface LearningRateCurve {
  readonly points: readonly LearningRatePoint[];
  /** The rate at which the smoothed loss falls fastest over the logarithm of the rate, after the first tenth and before its minimum. */
  readonly suggestion: number;
  /** The rate at the minimum of the smoothed loss: the largest that may work. */
  readonly atMinimum: number;
}

/**
 * `const { suggestion, points } = await learningRateFinder(model, dataset, { loss: 'crossEntropy', optimizer })`. The model, the optimizer and the random
 * sequence are afterwards as they were before. Errors: the loss never falls.
 */
export async function learningRateFinder(model: Model, dataset: Dataset, options: LearningRateFinderOptions): Promise<LearningRateCurve> {
  const name = 'learningRateFinder';
  const { optimizer } = options;
  const from = checkNumber(name, 'from', options.from ?? 1e-7, { low: Number.MIN_VALUE });
  const to = checkNumber(name, 'to', options.to ?? 10, { low: from });
  const steps = checkWhole(name, 'steps', options.steps ?? 100, 10);
  const objective = resolveObjective(name, dataset, options);
  const step = batchStep({ operation: name, model, dataset, objective, metrics: [], optimizer });
  const before = { model: model.stateDict(), optimizer: optimizer.stateDict(), random: random.state() };
  const feed = newFeed(name, dataset, { ...options, stepsPerEpoch: steps });
  const points: LearningRatePoint[] = [];
  const { smoothing = 0.9, divergence = 4 } = options;
  let [mean, lowest] = [0, Number.POSITIVE_INFINITY];
  const measure = async () => {
    for (let i = 0; i < steps; i++) {
      const learningRate = from * (to / from) ** (i / (steps - 1));
      optimizer.learningRate = learningRate;
      const batch = await feed.next();
      if (batch === undefined) break;
      const [loss] = await step.run(batch).data();
      mean = smoothing * mean + (1 - smoothing) * loss;
      const smoothed = mean / (1 - smoothing ** (i + 1)); // as in Adam: the mean starts at zero
      lowest = Math.min(lowest, smoothed);
      if (!Number.isFinite(loss) || smoothed > divergence * lowest) break;
      points.push({ learningRate, loss, smoothed });
    }
  };
  try {
    await inMode(model, true, measure);
  } finally {
    model.loadStateDict(before.model);
    optimizer.loadStateDict(withoutSteps(before.optimizer, optimizer.stateDict()));
    random.setState(before.random);
  }
  return { points, ...suggested(points) };
}

/** The state before, with zeros for the slots that did not exist then. */
const withoutSteps = (before: Readonly<Record<string, Tensor>>, now: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(now).map(([name, { shape, dtype }]) => [name, before[name] ?? tensor(newArray(dtype, sizeOf(shape)), { shape, dtype })] as const),
  );

/** Share of the points at the beginning whose running mean is of too few losses to be trusted. */
const settling = 0.1;

function suggested(points: readonly LearningRatePoint[]): { readonly suggestion: number; readonly atMinimum: number } {
  let minimum = 0;
  points.forEach(({ smoothed }, i) => {
    if (smoothed < points[minimum].smoothed) minimum = i;
  });
  let steepest: number | undefined;
  let slope = -1e-9 * Math.abs(points[0]?.smoothed ?? 0); // less is rounding
  for (let i = 1 + Math.floor(points.length * settling); i < minimum; i++) {
    const fall = points[i + 1].smoothed - points[i - 1].smoothed; // rates are evenly spaced on the logarithmic axis
    if (fall < slope) [steepest, slope] = [i, fall];
  }
  if (steepest === undefined)
    fail('numeric', 'learningRateFinder', 'the loss never fell', 'Begin with smaller rates (from), take more steps, or check the loss and the data.');
  return { suggestion: points[steepest].learningRate, atMinimum: points[minimum].learningRate };
}
