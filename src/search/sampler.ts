/** Samplers choose the values of the next trial: grid and random search here, TPE in tpe.ts. */
import { fail } from '../core/errors.ts';
import { type Generator, generator } from '../data/random.ts';
import { checkOptions, checkWhole } from '../nn/options.ts';
import { fromUnit, isRange, listed, type Parameter, type Space, type Value, type Values } from './space.ts';

/** A trial as a sampler sees it. */
export interface Observation {
  readonly values: Values;
  /** Smaller is better, whatever the study's direction; undefined for trials that run, failed or were pruned. */
  readonly loss: number | undefined;
}

export interface Sampler {
  readonly name: string;
  /** What decides its choices, besides the space, the history and the seed: processes that share a study must agree on it. */
  readonly options: Readonly<Record<string, number>>;
  /** The values of trial `number` (from 0), or undefined when there are no more. The same arguments give the same values. */
  sample(space: Space, history: readonly Observation[], number: number, seed: number): Values | undefined;
}

/** A value drawn evenly. */
export function drawn(parameter: Parameter, random: Generator): Value {
  if (isRange(parameter)) return fromUnit(parameter, random.uniform());
  return parameter.type === 'boolean' ? random.below(2) === 1 : parameter.values[random.below(parameter.values.length)];
}

/** Random search (Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012): every trial independent of the others. */
export const randomSearch = (): Sampler => ({
  name: 'random',
  options: {},
  sample: (space, _history, number, seed) => {
    const random = generator(seed, number);
    return Object.fromEntries(Object.entries(space).map(([name, parameter]) => [name, drawn(parameter, random)]));
  },
});

export interface GridOptions {
  /** How many values to take of a range of real numbers, its ends included (default 5). Whole numbers, choices and truth values are all taken. */
  readonly points?: number;
}

const mostCombinations = 1e6;

/** Grid search: every combination once, the last parameter changing fastest. Errors: more than a million combinations. */
export function grid(options: GridOptions = {}): Sampler {
  checkOptions('grid', options, ['points']);
  const points = checkWhole('grid', 'points', options.points ?? 5, 2);
  const valuesOf = (parameter: Parameter): readonly Value[] =>
    listed(parameter) ?? (isRange(parameter) ? Array.from({ length: points }, (_, i) => fromUnit(parameter, i / (points - 1))) : []);
  return {
    name: 'grid',
    options: { points },
    sample(space, _history, number) {
      checkGridSize(space, points);
      const axes = Object.entries(space).map(([name, parameter]) => ({ name, values: valuesOf(parameter) }));
      const chosen: [string, Value][] = [];
      let rest = number;
      for (const { name, values } of axes.toReversed()) {
        chosen.unshift([name, values[rest % values.length]]);
        rest = Math.floor(rest / values.length);
      }
      return rest > 0 ? undefined : Object.fromEntries(chosen);
    },
  };
}

/** Counted before any list is made: a whole number may have billions of values. */
function checkGridSize(space: Space, points: number): void {
  const size = Object.values(space).reduce((product, parameter) => product * count(parameter, points), 1);
  if (size > mostCombinations)
    fail(
      'argument',
      'grid',
      `${size.toLocaleString('en-US')} combinations are too many`,
      'Give shorter ranges or choices of a few values, or search with tpe.',
    );
}

function count(parameter: Parameter, points: number): number {
  if (parameter.type === 'choice') return parameter.values.length;
  if (parameter.type === 'boolean') return 2;
  return parameter.type === 'integer' ? parameter.high - parameter.low + 1 : points;
}
