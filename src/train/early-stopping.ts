/** earlyStopping: ends a run when a figure has stopped getting better, and brings back the best epoch's weights. */
import { fail } from '../core/errors.ts';
import { fromArrayValues, toArrays } from '../io/model.ts';
import type { ArrayValue } from '../io/safetensors.ts';
import type { Callback } from './callback.ts';
import { monitored } from './monitor.ts';

export interface EarlyStoppingOptions {
  /** Epochs without improvement before the run ends (default 2; Infinity never ends it). */
  readonly patience?: number;
  /** Whether the model gets the weights of its best epoch at the end (default false). */
  readonly restoreBest?: boolean;
  /** Default 'valLoss', or 'loss' without validation data. */
  readonly monitor?: string;
  /** What counts as an improvement (default 0: any). */
  readonly minimumChange?: number;
}

/** Watches a figure at the end of every epoch. With `restoreBest` the model ends with the weights of the best epoch. */
export function earlyStopping({ patience = 2, restoreBest = false, monitor, minimumChange = 0 }: EarlyStoppingOptions = {}): Callback {
  if (!(patience >= 1)) fail('argument', 'earlyStopping', `patience must be at least 1, got ${patience}`);
  let best: { value: number; epoch: number } | undefined;
  let weights: Readonly<Record<string, ArrayValue>> = {};
  return {
    name: 'earlyStopping',
    async epochEnd(run) {
      const { name, value, better } = monitored('earlyStopping', run, monitor);
      const epoch = run.history.length;
      const margin = best && (better(1, 0) ? best.value + minimumChange : best.value - minimumChange);
      if (best === undefined || margin === undefined || better(value, margin)) {
        best = { value, epoch };
        if (restoreBest) weights = await toArrays(run.model.stateDict());
      } else if (epoch - best.epoch >= patience)
        run.stop(`${name} has not improved for ${patience} epoch${patience === 1 ? '' : 's'} (best ${best.value.toPrecision(4)} in epoch ${best.epoch})`);
    },
    end(run) {
      if (restoreBest && best && run.stopReason !== 'interrupted') run.model.loadStateDict(fromArrayValues(Object.entries(weights)));
    },
    state: () => ({ values: best ?? null, tensors: weights }),
    restore({ values, tensors }) {
      best = (values as { value: number; epoch: number } | null) ?? undefined;
      weights = tensors;
    },
  };
}
