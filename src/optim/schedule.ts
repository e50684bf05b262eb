/**
 * Schedules: how the learning rate changes with the number of steps taken. A schedule is a factor on the optimizer's learning rate, computed inside the
 * training program, so nothing is compiled again as it changes. Steps count from 0; a pass over the data has as many as the loader has batches.
 */
import { fail } from '../core/errors.ts';
import { checkNumber, checkOptions, checkWhole } from '../nn/options.ts';
import { type Tensor, tensor, where } from '../tensor/index.ts';

/** Steps taken before this one (a floating-point scalar) → the factor on the learning rate. */
export type Schedule = (step: Tensor) => Tensor;

/** A schedule's factor at a step, as a number: to plot it. */
export const scheduleAt = (schedule: Schedule, step: number): number => schedule(tensor(step, { dtype: 'float64' })).itemSync();

/** x held at or below `end`. */
const until = (step: Tensor, end: number): Tensor => step.minimum(end);

/** factor ^ ⌊step / every⌋, or drops at the steps of `at` (default factor 0.1). */
export function stepDecay(options: { readonly every?: number; readonly at?: readonly number[]; readonly factor?: number }): Schedule {
  checkOptions('stepDecay', options, ['every', 'at', 'factor']);
  const factor = checkNumber('stepDecay', 'factor', options.factor ?? 0.1, { low: 0 });
  const { every, at } = options;
  if ((every === undefined) === (at === undefined)) fail('argument', 'stepDecay', 'pass either every or at', '{ every: 1000 } or { at: [3000, 6000] }.');
  if (every !== undefined) {
    checkWhole('stepDecay', 'every', every);
    return (step) => powerOf(factor, step.div(every).floor());
  }
  const drops = (at ?? []).map((entry) => checkWhole('stepDecay', 'at', entry));
  return (step) => drops.reduce((product, entry) => where(step.greaterEqual(entry), product.mul(factor), product), step.mul(0).add(1));
}

const powerOf = (base: number, exponent: Tensor): Tensor =>
  base === 0 ? where(exponent.equal(0), exponent.add(1), exponent.mul(0)) : exponent.mul(Math.log(base)).exp();

/** factor ^ (step / every), every = 1 by default. */
export function exponentialDecay(options: { readonly factor: number; readonly every?: number }): Schedule {
  checkOptions('exponentialDecay', options, ['factor', 'every']);
  const factor = checkNumber('exponentialDecay', 'factor', options.factor, { low: Number.MIN_VALUE });
  const every = checkNumber('exponentialDecay', 'every', options.every ?? 1, { low: Number.MIN_VALUE });
  return (step) => powerOf(factor, step.div(every));
}

export interface CosineOptions {
  /** Length of the (first) descent. */
  readonly steps: number;
  /** Factor at the end; default 0. */
  readonly end?: number;
  /** Begins again after each descent (Loshchilov & Hutter 2017); default false: it stays at the end. */
  readonly restarts?: boolean;
  /** With restarts: each descent is this whole number of times longer than the one before; default 1. */
  readonly growth?: number;
}

/** end + (1 − end) (1 + cos(π step / steps)) / 2 */
export function cosineDecay(options: CosineOptions): Schedule {
  checkOptions('cosineDecay', options, ['steps', 'end', 'restarts', 'growth']);
  const steps = checkWhole('cosineDecay', 'steps', options.steps);
  const end = checkNumber('cosineDecay', 'end', options.end ?? 0, { low: 0 });
  const growth = checkWhole('cosineDecay', 'growth', options.growth ?? 1);
  if (options.growth !== undefined && !options.restarts) fail('argument', 'cosineDecay', 'growth needs restarts: true');
  const descent = (share: Tensor): Tensor =>
    share
      .mul(Math.PI)
      .cos()
      .add(1)
      .mul((1 - end) / 2)
      .add(end);
  if (!options.restarts) return (step) => descent(until(step, steps).div(steps));
  if (growth === 1) return (step) => descent(step.mod(steps).div(steps));
  return (step) => {
    // Descent n begins at steps (growthⁿ − 1) / (growth − 1); the small share keeps the logarithm's rounding from missing a beginning.
    const n = step
      .mul((growth - 1) / steps)
      .add(1)
      .log()
      .div(Math.log(growth))
      .add(1e-6)
      .floor();
    const length = powerOf(growth, n).mul(steps);
    const begin = length.sub(steps).div(growth - 1);
    return descent(step.sub(begin).div(length).maximum(0));
  };
}

/** end + (1 − end) (1 − step / steps)^power, then end; power 1 is linear. */
export function polynomialDecay(options: { readonly steps: number; readonly power?: number; readonly end?: number }): Schedule {
  checkOptions('polynomialDecay', options, ['steps', 'power', 'end']);
  const steps = checkWhole('polynomialDecay', 'steps', options.steps);
  const power = checkNumber('polynomialDecay', 'power', options.power ?? 1, { low: Number.MIN_VALUE });
  const end = checkNumber('polynomialDecay', 'end', options.end ?? 0, { low: 0 });
  return (step) => {
    const left = until(step, steps).div(-steps).add(1);
    return (power === 1 ? left : left.pow(power)).mul(1 - end).add(end);
  };
}

export interface OneCycleOptions {
  readonly steps: number;
  /** Share of the steps on the way up; default 0.3. */
  readonly up?: number;
  /** First factor; default 1/25. */
  readonly start?: number;
  /** Last factor; default 1/250000. */
  readonly end?: number;
}

/** From `start` up to 1 and down to `end`, both along a cosine (Smith & Topin 2018): the optimizer's learning rate is the highest. */
export function oneCycle(options: OneCycleOptions): Schedule {
  checkOptions('oneCycle', options, ['steps', 'up', 'start', 'end']);
  const steps = checkWhole('oneCycle', 'steps', options.steps, 2);
  const up = checkNumber('oneCycle', 'up', options.up ?? 0.3, { low: 0, high: 1 });
  const start = checkNumber('oneCycle', 'start', options.start ?? 1 / 25, { low: 0 });
  const end = checkNumber('oneCycle', 'end', options.end ?? 1 / 250_000, { low: 0 });
  const peak = Math.max(up * steps - 1, Number.MIN_VALUE); // as in PyTorch: the last step is number steps − 1
  const along = (from: number, to: number, share: Tensor): Tensor =>
    share
      .mul(Math.PI)
      .cos()
      .add(1)
      .mul((from - to) / 2)
      .add(to);
  return (step) => {
    const rise = along(start, 1, until(step, peak).div(peak));
    const fall = along(
      1,
      end,
      until(step, steps - 1)
        .sub(peak)
        .div(steps - 1 - peak)
        .maximum(0),
    );
    return where(step.lessEqual(peak), rise, fall);
  };
}

/** From `start` (default 0) to 1 in a line over `steps` steps, then `after` (default 1), which counts its own steps from there. */
export function warmUp(options: { readonly steps: number; readonly start?: number; readonly after?: Schedule }): Schedule {
  checkOptions('warmUp', options, ['steps', 'start', 'after']);
  const steps = checkWhole('warmUp', 'steps', options.steps);
  const start = checkNumber('warmUp', 'start', options.start ?? 0, { low: 0 });
  const { after } = options;
  return (step) => {
    const rise = until(step, steps)
      .mul((1 - start) / steps)
      .add(start);
    return after ? where(step.less(steps), rise, after(step.sub(steps).maximum(0))) : rise;
  };
}
