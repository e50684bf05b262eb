/** learningRateMonitor: adds the learning rate with which each epoch begins to the history, so that logs show it. */
import type { Callback } from './callback.ts';

/** Records `learningRate`, the schedule's factor included. */
export const learningRateMonitor = (): Callback => ({
  name: 'learningRateMonitor',
  // A run that is resumed within an epoch has the figure already.
  epochStart: (run) => (run.batch === 0 ? run.log({ learningRate: run.optimizer.currentLearningRate }) : undefined),
});
