/** learningRateScheduler: a schedule that steps once per epoch. (One that steps with every batch is an option of the optimizer.) */
import { type Schedule, scheduleAt } from '../optim/index.ts';
import type { Callback } from './callback.ts';

/** Sets the learning rate of each epoch to the first one times the schedule's factor: `learningRateScheduler(optim.stepDecay({ every: 10 }))` divides it by 10 every 10 epochs. */
export function learningRateScheduler(schedule: Schedule): Callback {
  let first: number | undefined;
  return {
    name: 'learningRateScheduler',
    epochStart(run) {
      first ??= run.optimizer.learningRate;
      run.optimizer.learningRate = first * scheduleAt(schedule, run.epoch);
    },
    state: () => ({ values: first ?? null }),
    restore({ values }) {
      first = (values as number | null) ?? undefined;
    },
  };
}
