/** bagging: the same kind of net trained on several bootstrap samples, as one ensemble (Breiman 1996). */
import type { Dataset } from '../data/dataset.ts';
import { generator } from '../data/random.ts';
import { checkWhole } from '../nn/options.ts';
import type { Optimizer } from '../optim/index.ts';
import { type Ensemble, type EnsembleOptions, ensemble, type Member } from './ensemble.ts';
import { fit, type History } from './fit.ts';
import type { FitOptions } from './fit-options.ts';

export interface BaggingOptions extends EnsembleOptions, Omit<FitOptions, 'optimizer' | 'resume' | 'callbacks'> {
  /** How many; default 5. */
  readonly members?: number;
  /** Callbacks of a member's fit, made anew for each. */
  readonly callbacks?: (member: number) => FitOptions['callbacks'];
}

export interface Bag {
  readonly ensemble: Ensemble;
  readonly members: readonly Member[];
  readonly histories: readonly History[];
}

/** As many examples as the data have, each drawn from all of them: about 63 % of the data, some more than once. */
export function bootstrap(dataset: Dataset, { seed = 0 }: { readonly seed?: number } = {}): Dataset {
  const random = generator(seed, 0xb007);
  return dataset.select(Int32Array.from({ length: dataset.length }, () => random.below(dataset.length)));
}

/** Trains a model per bootstrap sample; `seed` decides the samples and the orders. `make` gives a new model (with weights of its own) and optimizer. */
export async function bagging(
  make: (member: number) => { readonly model: Member; readonly optimizer: Optimizer },
  dataset: Dataset,
  { members: count = 5, combine, callbacks, seed = 0, ...options }: BaggingOptions,
): Promise<Bag> {
  checkWhole('bagging', 'members', count);
  const members: Member[] = [];
  const histories: History[] = [];
  for (let i = 0; i < count; i++) {
    const { model, optimizer } = make(i);
    const list = callbacks?.(i);
    const sample = bootstrap(dataset, { seed: seed + i });
    histories.push(await fit(model, sample, { ...options, optimizer, seed: seed + i, ...(list && { callbacks: list }) }));
    members.push(model);
  }
  return { ensemble: ensemble(members, combine && { combine }), members, histories };
}
