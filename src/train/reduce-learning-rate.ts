/** reduceLearningRate: lowers the learning rate when a figure has stopped getting better (see optim.reduceOnPlateau). */
import { type Plateau, type PlateauOptions, type PlateauState, reduceOnPlateau } from '../optim/index.ts';
import type { Callback } from './callback.ts';
import { monitored } from './monitor.ts';

export interface ReduceLearningRateOptions extends Omit<PlateauOptions, 'mode'> {
  /** Default 'valLoss', or 'loss' without validation data. */
  readonly monitor?: string;
}

/** Looks at the end of every epoch: `reduceLearningRate({ patience: 3, factor: 0.5 })`. */
export function reduceLearningRate({ monitor, ...options }: ReduceLearningRateOptions = {}): Callback {
  reduceOnPlateau({ learningRate: 1 }, options); // refuses wrong options now
  let plateau: Plateau | undefined;
  let saved: PlateauState | undefined;
  return {
    name: 'reduceLearningRate',
    epochEnd(run) {
      const { value, better } = monitored('reduceLearningRate', run, monitor);
      plateau ??= reduceOnPlateau(run.optimizer, { ...options, mode: better(1, 0) ? 'max' : 'min' });
      if (saved) plateau.restore(saved);
      saved = undefined;
      plateau.observe(value);
    },
    state: () => ({ values: plateau ? { ...plateau.state } : saved ? { ...saved } : null }),
    restore({ values }) {
      saved = (values as PlateauState | null) ?? undefined;
    },
  };
}
