/** Averages of the weights along the way: exponential (EMA, Polyak & Juditsky 1992) and equal (SWA, Izmailov et al. 2018). */
import { newArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { checkNumber, checkOptions, checkWhole } from '../nn/options.ts';
import { type Tensor, type Variable, variable, where } from '../tensor/index.ts';
import type { Named } from './rule.ts';

export interface AverageOptions {
  /** EMA: share of the average that is kept at each update, e.g. 0.999. Without it all updates count the same (SWA). */
  readonly decay?: number;
  /** Updates before the first one that counts; default 0. */
  readonly start?: number;
  /** Counts every n-th update only, e.g. once per epoch; default 1. */
  readonly every?: number;
}

export class WeightAverage {
  readonly options: AverageOptions;
  readonly #averages: Record<string, Variable> = {};
  readonly #updates = variable(0, { dtype: 'int32', trainable: false });

  constructor(options: AverageOptions = {}) {
    checkOptions('weightAverage', options, ['decay', 'start', 'every']);
    if (options.decay !== undefined) checkNumber('weightAverage', 'decay', options.decay, { low: 0, high: 1, open: true });
    checkWhole('weightAverage', 'start', options.start ?? 0, 0);
    checkWhole('weightAverage', 'every', options.every ?? 1);
    this.options = options;
  }

  /** Takes the present values in. The optimizer calls it after each step when it has this average; it may be part of a compiled function. */
  update(parameters: Named<Variable>): void {
    const { decay, start = 0, every = 1 } = this.options;
    const updates = this.#updates.snapshot();
    this.#updates.assign(updates.add(1));
    const counted = updates.sub(start).div(every); // whole: how many counted before
    const due = updates.greaterEqual(start).logicalAnd(updates.sub(start).mod(every).equal(0));
    for (const [name, v] of Object.entries(parameters)) {
      this.#averages[name] ??= variable(newArray(v.dtype, sizeOf(v.shape)), { shape: v.shape, dtype: v.dtype, trainable: false });
      const average = this.#averages[name];
      const n = counted.cast(v.dtype).maximum(0);
      // The first value is taken whole; SWA gives the newest of n + 1 values the weight 1 / (n + 1).
      const share = decay === undefined ? n.add(1).reciprocal() : where(n.equal(0), n.mul(0).add(1), n.mul(0).add(1 - decay));
      average.assign(where(due, average.add(v.sub(average).mul(share)), average));
    }
  }

  /** The averages by name. */
  stateDict(): Readonly<Record<string, Tensor>> {
    return { updates: this.#updates.snapshot(), ...Object.fromEntries(Object.entries(this.#averages).map(([name, v]) => [name, v.snapshot()])) };
  }

  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    const { updates, ...averages } = state;
    if (!updates) fail('state', 'loadStateDict', 'this is not the state of a weight average: it has no updates');
    this.#updates.assign(updates.cast('int32'));
    for (const [name, value] of Object.entries(averages)) {
      if (this.#averages[name]) this.#averages[name].assign(value.cast(this.#averages[name].dtype));
      else this.#averages[name] = variable(value, { trainable: false });
    }
  }

  /** Exchanges the parameters' values and the averages: call it before evaluation and again after. */
  swap(parameters: Named<Variable>): void {
    for (const [name, v] of Object.entries(parameters)) {
      const average = this.#averages[name] ?? fail('state', 'weightAverage', `there is no average of ${name} yet`, 'Train first.');
      const [now, mean] = [v.snapshot(), average.snapshot()];
      v.assign(mean);
      average.assign(now);
    }
  }
}

/** An average of the weights: pass it to an optimizer (`optim.sgd({ …, average })`), and `average.swap(model.namedParameters())` to use it. */
export const weightAverage = (options?: AverageOptions): WeightAverage => new WeightAverage(options);
