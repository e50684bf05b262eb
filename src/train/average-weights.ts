/** averageWeights: trains as ever, but measures and ends with an average of the weights along the way (see optim.weightAverage). */
import { type AverageOptions, type WeightAverage, weightAverage } from '../optim/index.ts';
import type { Callback, Run } from './callback.ts';

/**
 * An exponential average with `decay` (EMA), else an equal one (SWA), updated after every step of the optimizer. From the validation of an epoch to the next
 * epoch, and at the end of the run, the model holds the average, so that early stopping and the best checkpoint keep what was measured. Running statistics
 * of batch normalisation are not averaged: they stay those of training. The optimizer must be new.
 */
export function averageWeights(options: AverageOptions = {}): Callback {
  let average: WeightAverage | undefined;
  let swapped = false;
  weightAverage(options); // refuses wrong options now

  const swap = (run: Run, wanted: boolean) => {
    if (swapped !== wanted) average?.swap(run.model.trainableParameters());
    swapped = wanted;
  };

  return {
    name: 'averageWeights',
    start(run) {
      average = run.optimizer.average ?? weightAverage(options);
      run.optimizer.average = average;
    },
    epochStart: (run) => swap(run, false),
    validationStart: (run) => swap(run, true),
    end(run) {
      if (run.stopReason !== 'interrupted' && run.optimizer.step.itemSync() > 0) swap(run, true);
    },
    // The average itself is part of the optimizer's state.
    state: () => ({ values: swapped }),
    restore({ values }) {
      swapped = values === true;
    },
  };
}
