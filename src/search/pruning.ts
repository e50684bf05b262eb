/**
 * Median pruning (Golovin et al., "Google Vizier: a service for black-box optimization", 2017, section 3.2): a trial that does worse at a step than half of
 * the completed trials did there is not worth finishing.
 */
import { checkOptions, checkWhole } from '../nn/options.ts';

export interface MedianPruningOptions {
  /** Completed trials before the first is pruned (default 5). */
  readonly startupTrials?: number;
  /** Steps at the beginning of each trial, counted from 1, at which it is never pruned (default 1). */
  readonly warmupSteps?: number;
}

/** Losses of a trial by step, in the order of the steps; smaller is better. */
export type Curve = readonly (readonly [step: number, loss: number])[];

export interface Pruner {
  readonly name: string;
  readonly options: Readonly<Record<string, number>>;
  /** Whether to stop a trial with this curve, given those of the completed trials. */
  shouldPrune(curve: Curve, completed: readonly Curve[]): boolean;
}

/**
 * Stops a trial whose best loss so far is above the median of the completed trials' losses at the same step, or whose latest is not a number. The best, so
 * that one bad step does not end a good trial. Trials that have no value at the step do not count.
 */
export function medianPruning(options: MedianPruningOptions = {}): Pruner {
  checkOptions('medianPruning', options, ['startupTrials', 'warmupSteps']);
  const startupTrials = checkWhole('medianPruning', 'startupTrials', options.startupTrials ?? 5);
  const warmupSteps = checkWhole('medianPruning', 'warmupSteps', options.warmupSteps ?? 1, 0);
  return {
    name: 'median',
    options: { startupTrials, warmupSteps },
    shouldPrune(curve, completed) {
      const last = curve.at(-1);
      if (last === undefined) return false;
      const [step, loss] = last;
      if (Number.isNaN(loss)) return true;
      if (step <= warmupSteps) return false;
      const others = completed.flatMap((other) => other.filter(([at]) => at === step).map(([, value]) => value));
      const best = Math.min(...curve.map(([, value]) => value).filter((value) => !Number.isNaN(value)));
      return others.length >= startupTrials && best > median(others);
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
