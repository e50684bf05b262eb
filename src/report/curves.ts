/** Curves of a run: which figures of its history belong into one chart. */
import { type Chart, lineChart, type Series, styles } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { figureText, figureTitle } from './scale.ts';

/** A line of a history: figures by name, `epoch` among them. */
export type EpochFigures = Readonly<Record<string, unknown>>;

/** One net of a run, with its history. */
export interface StageHistory {
  /** '' where the run has one net only. */
  readonly name: string;
  readonly records: readonly EpochFigures[];
}

const notFigures = new Set(['epoch', 'seconds']);

/** The names of single numbers in a history, in the order in which they appear. */
export function figureNames(records: readonly EpochFigures[]): string[] {
  const names = new Set<string>();
  for (const record of records) for (const [name, value] of Object.entries(record)) if (typeof value === 'number' && !notFigures.has(name)) names.add(name);
  return [...names];
}

/** The points of a figure; JSON writes what is not finite as null. */
export const pointsOf = (records: readonly EpochFigures[], name: string): Series['points'] =>
  records.flatMap((record) => (name in record ? [[Number(record.epoch), typeof record[name] === 'number' ? record[name] : Number.NaN] as const] : []));

const validationName = (name: string): string => `val${name[0].toUpperCase()}${name.slice(1)}`;

/** A chart per figure, training and validation in one. */
export function chartsOf(records: readonly EpochFigures[]): Chart[] {
  const names = figureNames(records);
  const partners = new Set(names.map(validationName));
  return names.flatMap((name) => {
    if (partners.has(name) && names.some((other) => validationName(other) === name)) return [];
    const validation = validationName(name);
    const paired = names.includes(validation);
    const series = [
      { name: paired ? 'training' : figureTitle(name), points: pointsOf(records, name) },
      ...(paired ? [{ name: 'validation', points: pointsOf(records, validation) }] : []),
    ];
    return [{ title: figureTitle(name), figure: name, series }];
  });
}

/** A chart per figure, several nets in one. */
function sharedCharts(stages: readonly StageHistory[]): Chart[] {
  const first = stages.slice(0, styles);
  return figureNames(first.flatMap(({ records }) => records)).map((figure) => ({
    title: figureTitle(figure),
    figure,
    series: first.flatMap(({ name, records }, style) => {
      const points = pointsOf(records, figure);
      return points.length > 0 ? [{ name, points, style }] : [];
    }),
  }));
}

/** The charts of a run, and their numbers as tables. */
export function curvesSection(stages: readonly StageHistory[]): Markup | undefined {
  const shown = stages.filter(({ records }) => figureNames(records).length > 0);
  if (shown.length === 0) return undefined;
  const charts = shown.length === 1 ? chartsOf(shown[0].records) : sharedCharts(shown);
  return html`<section id="curves"><h2>Curves</h2>${shown.length > styles && html`<p class="note">The first ${styles} of ${shown.length} nets.</p>`}
<div class="charts">${charts.map(lineChart)}</div>
<details><summary>The same as numbers</summary>${shown.map(({ name, records }) => html`${name !== '' && html`<h3>${name}</h3>`}${historyTable(records)}`)}</details></section>`;
}

function historyTable(records: readonly EpochFigures[]): Markup {
  const names = [...figureNames(records), ...(records.some((record) => 'seconds' in record) ? ['seconds'] : [])];
  const cell = (value: unknown, name: string): string => (typeof value === 'number' ? figureText(name, value) : '–');
  return html`<div class="scroll" tabindex="0" role="region" aria-label="History"><table><thead><tr><th scope="col" class="number">epoch</th>${names.map((name) => html`<th scope="col" class="number">${figureTitle(name)}</th>`)}</tr></thead>
<tbody>${records.map((record) => html`<tr><th scope="row" class="number">${String(record.epoch)}</th>${names.map((name) => html`<td class="number">${cell(record[name], name)}</td>`)}</tr>`)}</tbody></table></div>`;
}
