/** timeLimit: ends a run when its time is up. */
import { fail } from '../core/errors.ts';
import { checkNumber, checkOptions } from '../nn/options.ts';
import type { Callback, Run } from './callback.ts';
import { duration } from './progress.ts';

export interface TimeLimitOptions {
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
}

/** Stops after the batch in hand once the time since the start (or since it was resumed) is up: `timeLimit({ minutes: 30 })`. A checkpoint is saved then, so the run can go on. */
export function timeLimit(options: TimeLimitOptions): Callback {
  checkOptions('timeLimit', options, ['hours', 'minutes', 'seconds']);
  const part = (name: keyof TimeLimitOptions): number => checkNumber('timeLimit', name, options[name] ?? 0, { low: 0 });
  const limit = 3600 * part('hours') + 60 * part('minutes') + part('seconds');
  if (Object.keys(options).length === 0) fail('argument', 'timeLimit', 'there is no limit', 'Such as { minutes: 30 }.');
  let start = 0;
  const look = (run: Run) => {
    if (performance.now() - start >= 1000 * limit) run.stop(`the time limit of ${duration(limit)} is up`);
  };
  return {
    name: 'timeLimit',
    start() {
      start = performance.now();
    },
    tick: look,
    epochEnd: look,
  };
}
