/**
 * TPE, the tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl, "Algorithms for hyper-parameter optimization", 2011).
 * The trials are split at a quantile γ of the loss. l(x) is the density of the good ones, g(x) of the others; expected improvement grows with l(x)/g(x), so
 * candidates are drawn from l and the one with the largest ratio is tried. The densities are over all parameters together, as in Falkner, Klein and Hutter,
 * "BOHB", 2018, and γ is theirs: with few trials a smaller share of good ones leaves l to its prior, and the search to chance.
 */
import { fail } from '../core/errors.ts';
import { type Generator, generator } from '../data/random.ts';
import { checkNumber, checkOptions, checkWhole } from '../nn/options.ts';
import { drawn, type Observation, randomSearch, type Sampler } from './sampler.ts';
import { fromUnit, isRange, listed, type Parameter, type Space, toUnit, type Value, type Values } from './space.ts';

export interface TpeOptions {
  /** The share of the completed trials that count as good (default 0.15). */
  readonly gamma?: number;
  /** Trials at random before the first estimate (default 10). */
  readonly startup?: number;
  /** Points drawn from l(x), of which the best is taken (default 24). */
  readonly candidates?: number;
}

/** The sampler. Trials that run, were pruned or failed count among the bad, so that parallel workers and new trials keep away from them. */
export function tpe(options: TpeOptions = {}): Sampler {
  checkOptions('tpe', options, ['gamma', 'startup', 'candidates']);
  const gamma = checkNumber('tpe', 'gamma', options.gamma ?? 0.15, { low: 0, high: 1, open: true });
  if (gamma === 0) fail('argument', 'tpe', 'gamma must be above 0');
  const startup = checkWhole('tpe', 'startup', options.startup ?? 10);
  const candidates = checkWhole('tpe', 'candidates', options.candidates ?? 24);
  return {
    name: 'tpe',
    options: { gamma, startup, candidates },
    sample(space, history, number, seed) {
      const { good, bad } = split(history, gamma);
      if (good.length + bad.length < startup || good.length === 0) return randomSearch().sample(space, history, number, seed);
      const random = generator(seed, number);
      const promising = mostPromising(mixtureOf(space, good), mixtureOf(space, bad), candidates, random);
      return firstNew([promising], history) ?? firstNew(evenly(space, random), history) ?? promising;
    },
  };
}

/** Tries among values drawn evenly before values are tried a second time. */
const patience = 100;

function* evenly(space: Space, random: Generator): Iterable<Values> {
  for (let i = 0; i < patience; i++) yield Object.fromEntries(Object.entries(space).map(([name, parameter]) => [name, drawn(parameter, random)]));
}

/** With few values in all, the most promising have often been tried: what is new teaches more. */
function firstNew(proposals: Iterable<Values>, history: readonly Observation[]): Values | undefined {
  for (const proposal of proposals) {
    const known = history.some(({ values }) => Object.entries(proposal).every(([name, value]) => values[name] === value));
    if (!known) return proposal;
  }
  return undefined;
}

/** The good are ⌈γn⌉ of the n completed trials; among equals the earlier ones. */
function split(history: readonly Observation[], gamma: number): { readonly good: Observation[]; readonly bad: Observation[] } {
  const completed = history.filter(({ loss }) => loss !== undefined).sort((a, b) => Number(a.loss) - Number(b.loss));
  const good = completed.slice(0, Math.ceil(gamma * completed.length));
  const chosen = new Set(good);
  return { good, bad: history.filter((one) => !chosen.has(one)) };
}

/** A distribution over the places of one parameter: [0, 1] of a range, the positions in the list of a choice. */
interface Kernel {
  draw(random: Generator): number;
  density(place: number): number;
}

/** A distribution over the whole space. */
interface Mixture {
  draw(random: Generator): Values;
  density(values: Values): number;
}

function mostPromising(l: Mixture, g: Mixture, candidates: number, random: Generator): Values {
  const drawn = Array.from({ length: candidates }, () => l.draw(random));
  const scores = drawn.map((values) => l.density(values) / g.density(values));
  return drawn[scores.indexOf(Math.max(...scores))];
}

/**
 * Equally heavy components: one around each of the trials, as a product of one kernel per parameter, and one for the prior. A component's values are drawn
 * together, so what was good in combination is tried again in combination.
 */
function mixtureOf(space: Space, trials: readonly Observation[]): Mixture {
  const axes = Object.entries(space).map(([name, parameter]) => {
    const places = trials.map(({ values }) => placeOf(parameter, values[name]));
    return { name, parameter, kernels: isRange(parameter) ? normals(places) : shares(places, listed(parameter)?.length ?? 0) };
  });
  const components = trials.length + 1;
  return {
    draw(random) {
      const chosen = random.below(components);
      return Object.fromEntries(axes.map(({ name, parameter, kernels }) => [name, valueAt(parameter, kernels[chosen].draw(random))]));
    },
    density(values) {
      const places = axes.map(({ name, parameter }) => placeOf(parameter, values[name]));
      let sum = 0;
      for (let i = 0; i < components; i++) sum += axes.reduce((product, { kernels }, axis) => product * kernels[i].density(places[axis]), 1);
      return sum / components; // the prior is 0 nowhere, so this is not either
    },
  };
}

const placeOf = (parameter: Parameter, value: Value): number =>
  isRange(parameter) ? toUnit(parameter, Number(value)) : (listed(parameter) ?? []).indexOf(value);
const valueAt = (parameter: Parameter, place: number): Value => (isRange(parameter) ? fromUnit(parameter, place) : (listed(parameter) ?? [])[place]);

/** For each place its own choice, with a share for every other that shrinks as trials become more; then the prior, even. */
function shares(places: readonly number[], count: number): Kernel[] {
  const other = 1 / (places.length + 1);
  const kernel = (own: number | undefined): Kernel => {
    const weights = Array.from({ length: count }, (_, place) => other + (place === own ? 1 : 0));
    const total = weights.reduce((a, b) => a + b, 0);
    return {
      draw(random) {
        let rest = random.uniform() * total;
        const place = weights.findIndex((weight) => {
          rest -= weight;
          return rest < 0;
        });
        return place < 0 ? count - 1 : place;
      },
      density: (place) => weights[place] / total,
    };
  };
  return [...places, undefined].map(kernel);
}

/** For each place a normal density as wide as the distance to its farther neighbour, the ends of the range included; then the prior, a broad one. */
function normals(places: readonly number[]): Kernel[] {
  const narrowest = 1 / Math.min(100, places.length + 2);
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const kernels: Kernel[] = [];
  for (const [rank, i] of order.entries()) {
    const width = Math.max(places[i] - (places[order[rank - 1]] ?? 0), (places[order[rank + 1]] ?? 1) - places[i]);
    kernels[i] = normal(places[i], Math.min(1, Math.max(narrowest, width)));
  }
  return [...kernels, normal(0.5, 1)];
}

/** A normal density within [0, 1]. */
function normal(mean: number, deviation: number): Kernel {
  const inside = cumulative((1 - mean) / deviation) - cumulative(-mean / deviation);
  const scale = 1 / (inside * deviation * Math.sqrt(2 * Math.PI));
  return {
    density: (x) => scale * Math.exp(-0.5 * ((x - mean) / deviation) ** 2),
    draw(random) {
      // The mean is inside and the deviation at most 1, so that at least a third of all draws are.
      for (;;) {
        const x = mean + deviation * random.normal();
        if (x >= 0 && x < 1) return x;
      }
    },
  };
}

/** The standard normal distribution function, by the error function of Abramowitz and Stegun 7.1.26 (error below 2·10⁻⁷). */
function cumulative(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
  return z < 0 ? tail / 2 : 1 - tail / 2;
}
