/**
 * How much each parameter matters: the share of the objective's variance that lies between groups of trials with like values of the parameter, corrected for
 * what chance alone would put there (ε², Kelley, "An unbiased correlation ratio measure", 1935). Says nothing of parameters that only matter together.
 */
import { isRange, type Space, toUnit, type Value, type Values } from './space.ts';

/** Groups of a range hold at least so many trials. */
const perGroup = 5;
const mostGroups = 5;

/** A share in [0, 1] per parameter; none where there are too few completed trials to tell, or all had the same value. */
export function importance<S extends Space>(
  space: S,
  trials: readonly { readonly values: Values<S>; readonly value: number | undefined }[],
): Readonly<Partial<Record<keyof S & string, number>>> {
  const completed = trials.filter(({ value }) => value !== undefined);
  const shares = Object.entries(space).flatMap(([name, parameter]) => {
    const places = completed.map(({ values }) => (isRange(parameter) ? toUnit(parameter, Number(values[name])) : values[name]));
    const groups = isRange(parameter) ? byRank(places as number[]) : byValue(places);
    const share = betweenGroups(groups.map((group) => group.map((i) => Number(completed[i].value))));
    return share === undefined ? [] : [[name, share] as const];
  });
  return Object.fromEntries(shares) as Partial<Record<keyof S & string, number>>;
}

/** Groups of neighbours in rank, of nearly equal size; equal values stay together. */
function byRank(places: readonly number[]): number[][] {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const count = Math.min(mostGroups, Math.floor(order.length / perGroup));
  const groups: number[][] = [];
  let last: number | undefined;
  for (const [rank, i] of order.entries()) {
    const begins = groups.length === 0 || (places[i] !== last && rank >= (groups.length * order.length) / count);
    if (begins) groups.push([]);
    groups[groups.length - 1].push(i);
    last = places[i];
  }
  return groups;
}

function byValue(values: readonly Value[]): number[][] {
  const groups = new Map<Value, number[]>();
  for (const [i, value] of values.entries()) groups.set(value, [...(groups.get(value) ?? []), i]);
  return [...groups.values()];
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const squares = (values: readonly number[], about: number): number => values.reduce((sum, value) => sum + (value - about) ** 2, 0);

function betweenGroups(groups: readonly (readonly number[])[]): number | undefined {
  const all = groups.flat();
  const total = squares(all, mean(all));
  if (groups.length < 2 || all.length < 2 * perGroup || !(total > 0)) return undefined;
  const freedom = all.length - groups.length;
  if (freedom < 1) return undefined;
  const within = groups.reduce((sum, group) => sum + squares(group, mean(group)), 0);
  const between = total - within;
  return Math.min(1, Math.max(0, (between - (groups.length - 1) * (within / freedom)) / total));
}
