/** Watching one figure of the history: which, and which way is better. */
import { didYouMean, fail } from '../core/errors.ts';
import type { Run } from './callback.ts';
import { validationName } from './metrics/index.ts';

export interface Monitor {
  readonly name: string;
  /** The figure of the last epoch. */
  readonly value: number;
  readonly better: (a: number, b: number) => boolean;
}

/** The figure `name` of the last epoch; by default the validation loss, or the loss when there is no validation. */
export function monitored(operation: string, run: Run, name?: string): Monitor {
  const last = run.history[run.history.length - 1];
  const chosen = name ?? ('valLoss' in last ? 'valLoss' : 'loss');
  const value = last[chosen];
  if (typeof value !== 'number') {
    const names = Object.keys(last).filter((key) => key !== 'epoch' && typeof last[key] === 'number');
    fail('argument', operation, `there is no figure "${chosen}" to monitor`, didYouMean(chosen, names) ?? `There are ${names.join(', ')}.`);
  }
  const metric = run.metrics.find((m) => m.name === chosen || validationName(m.name) === chosen);
  // Losses and what callbacks log are better when lower.
  return { name: chosen, value, better: metric && metric.better !== 'lower' ? (a, b) => a > b : (a, b) => a < b };
}
