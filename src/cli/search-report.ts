/** What a search has found: the table for the terminal, and the data of its page. */
import { figureText, type SearchReport, short } from '../report/index.ts';
import { importance, type Parameter, type Space, type Study, type StudyTrial, type Value } from '../search/index.ts';
import { toUnit } from '../search/space.ts';
import { version } from './run-folder.ts';
import type { SearchConfig } from './search-folder.ts';
import { trialFolder } from './search-trial.ts';

const valueText = (value: Value): string => (typeof value === 'number' ? short(value) : String(value));
export const valuesText = (values: Readonly<Record<string, Value>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(', ');

const shown = 10;

/** Completed trials, the best first. */
function ranked({ trials, direction }: Study<Space>): readonly StudyTrial<Space>[] {
  const sign = direction === 'minimize' ? 1 : -1;
  return trials.filter(({ value }) => value !== undefined).sort((a, b) => sign * (Number(a.value) - Number(b.value)));
}

/** The best trials and the importance of each parameter. */
export function trialsTable(study: Study<Space>, metric: string): string {
  const names = Object.keys(study.space);
  const rows = ranked(study)
    .slice(0, shown)
    .map(({ number, value, values }) => [String(number), figureText(metric, Number(value)), ...names.map((name) => valueText(values[name]))]);
  const shares = importance(study.space, study.trials);
  const known = names.some((name) => shares[name] !== undefined);
  const foot = known ? [['', 'importance', ...names.map((name) => shareText(shares[name]))]] : [];
  const table = [['trial', metric, ...names], ...rows, ...foot];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) => row.map((cell, column) => cell.padStart(widths[column])).join('  ')).join('\n');
}

const shareText = (share: number | undefined): string => (share === undefined ? '–' : `${Math.round(100 * share)} %`);

export function searchReport(study: Study<Space>, config: SearchConfig, folder: string): SearchReport {
  const { recipe, metric, sampler, seed, data, fixed } = config;
  const shares = importance(study.space, study.trials);
  const best = ranked(study)[0];
  return {
    recipe,
    metric,
    direction: study.direction,
    parameters: Object.entries(study.space).map(([name, parameter]) => ({ name, importance: shares[name], ticks: ticksOf(parameter) })),
    trials: study.trials.map(({ number, state, value, values, reports, error, seconds }) => ({
      ...{ number, state, value, error, seconds, steps: reports.length },
      values: Object.entries(study.space).map(([name, parameter]) => ({ text: valueText(values[name]), place: placeOf(parameter, values[name]) })),
    })),
    configuration: [
      ...Object.entries({ recipe, data, sampler, seed: String(seed) }),
      ...Object.entries(fixed).map(([name, value]) => [`${name} of every trial`, String(value)] as const),
      ...Object.entries(study.space).map(([name, parameter]) => [name, parameterText(parameter)] as const),
    ],
    bestRun: best && trialFolder(folder, best.number),
    made: `Made by gradix ${version} on ${new Date().toISOString().slice(0, 10)} from ${folder}.`,
  };
}

const parameterText = (parameter: Parameter): string => {
  if (parameter.type === 'choice') return `one of ${parameter.values.map(valueText).join(', ')}`;
  if (parameter.type === 'boolean') return 'true or false';
  return `${short(parameter.low)} … ${short(parameter.high)}${parameter.type === 'uniform' ? '' : parameter.type === 'integer' ? ', whole numbers' : ', by its logarithm'}`;
};

/** Where a value stands on the axis of its parameter, 0 … 1. */
function placeOf(parameter: Parameter, value: Value): number {
  if (parameter.type !== 'choice' && parameter.type !== 'boolean') return toUnit(parameter, Number(value));
  const values: readonly Value[] = parameter.type === 'boolean' ? [false, true] : parameter.values;
  return (values.indexOf(value) + 0.5) / values.length;
}

const marks = 5;

/** Places on the axis of a parameter and what stands there. */
function ticksOf(parameter: Parameter): (readonly [place: number, text: string])[] {
  const { type } = parameter;
  if (type === 'choice' || type === 'boolean') {
    const values: readonly Value[] = type === 'boolean' ? [false, true] : parameter.values;
    return values.map((value) => [placeOf(parameter, value), valueText(value)]);
  }
  const { low, high } = parameter;
  const steps = type === 'integer' ? Math.min(marks - 1, high - low) : marks - 1;
  const between = (share: number): number => {
    if (type === 'integer') return low + Math.round(share * (high - low));
    return Number((type === 'uniform' ? low + share * (high - low) : low * (high / low) ** share).toPrecision(3));
  };
  return Array.from({ length: steps + 1 }, (_, i) => between(steps === 0 ? 0 : i / steps)).map((value) => [toUnit(parameter, value), short(value)]);
}
