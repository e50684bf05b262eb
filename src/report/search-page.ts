/** The report on a search for hyper-parameters, from plain data: history, importance, parallel coordinates, all trials. */
import { html, type Markup, raw } from './markup.ts';
import { factList, figureBoxes, page } from './page.ts';
import { axisOf, figureText, figureTitle, isShare, placed, short } from './scale.ts';

export interface SearchedParameter {
  readonly name: string;
  /** Share of the variance that it explains, 0 … 1; undefined where nobody can tell. */
  readonly importance: number | undefined;
  /** Places (0 … 1) on its axis, and their texts. */
  readonly ticks: readonly (readonly [place: number, text: string])[];
}

export interface SearchedTrial {
  readonly number: number;
  readonly state: 'running' | 'completed' | 'pruned' | 'failed';
  readonly value: number | undefined;
  readonly error: string | undefined;
  readonly seconds: number | undefined;
  /** Intermediate values reported. */
  readonly steps: number;
  /** In the order of the parameters. */
  readonly values: readonly { readonly text: string; readonly place: number }[];
}

export interface SearchReport {
  readonly recipe: string;
  /** The figure that is searched for. */
  readonly metric: string;
  readonly direction: 'minimize' | 'maximize';
  readonly parameters: readonly SearchedParameter[];
  readonly trials: readonly SearchedTrial[];
  readonly configuration: readonly (readonly [name: string, text: string])[];
  /** The folder of the best trial's run. */
  readonly bestRun: string | undefined;
  readonly made: string;
}

interface Completed extends SearchedTrial {
  readonly value: number;
}

/** Further to the common style sheet. */
const style = `
.history, .parallel { display: block; width: 100%; height: auto; }
.scroll > .history { max-width: 48rem; min-width: 30rem; } .history .trial { fill: var(--s1); } .history .other { fill: none; stroke: var(--soft); } .history .best { fill: none; stroke: var(--s2); stroke-width: 2; }
.scroll > .parallel { min-width: calc(8rem * var(--axes)); max-width: calc(13rem * var(--axes)); } .parallel path { fill: none; stroke: var(--soft); stroke-opacity: 0.45; stroke-width: 1.2; }
.parallel .good { stroke: var(--s1); stroke-opacity: 0.9; stroke-width: 1.8; } .parallel .first { stroke: var(--s2); stroke-opacity: 1; stroke-width: 3; } .parallel path:hover { stroke: var(--ink); stroke-opacity: 1; stroke-width: 3; }
.parallel .name { fill: var(--ink); font-weight: 600; } .parallel .ticks text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.share { display: inline-block; height: 0.8rem; background: var(--s1); border-radius: 2px; vertical-align: middle; min-width: 1px; } .shares td:nth-child(2) { width: 14rem; }
.key { display: inline-flex; align-items: center; gap: 0.35rem; margin-right: 1rem; } .key svg { width: 22px; height: 10px; flex: none; overflow: visible; }
`;

export function searchPage(report: SearchReport): string {
  const { recipe, metric, direction, trials } = report;
  const completed = trials.filter((trial): trial is Completed => trial.value !== undefined).sort((a, b) => order(report) * (a.value - b.value));
  const count = (state: SearchedTrial['state']): string => String(trials.filter((trial) => trial.state === state).length);
  return page({
    title: `${recipe}: report on a search`,
    lead: `${trials.length} trials for the ${direction === 'minimize' ? 'lowest' : 'highest'} ${figureTitle(metric)}`,
    head: html`<style>${raw(style)}</style>${figureBoxes([
      ...(completed.length > 0
        ? [[`best ${figureTitle(metric)}`, figureText(metric, completed[0].value)] as const, ['best trial', String(completed[0].number)] as const]
        : []),
      ...(['completed', 'pruned', 'failed', 'running'] as const).flatMap((state) => (count(state) === '0' ? [] : [[state, count(state)] as const])),
    ])}`,
    sections: [
      bestSection(report, completed[0]),
      historySection(report, completed),
      importanceSection(report),
      parallelSection(report, completed),
      trialsSection(report, completed),
      searchSection(report),
    ],
    foot: report.made,
  });
}

const order = ({ direction }: SearchReport): 1 | -1 => (direction === 'minimize' ? 1 : -1);

function bestSection({ parameters, metric, bestRun }: SearchReport, best: Completed | undefined): Markup | undefined {
  if (best === undefined) return undefined;
  const facts = parameters.map(({ name }, i) => [name, best.values[i].text] as const);
  return html`<section id="best"><h2>Best trial</h2>${factList([[figureTitle(metric), figureText(metric, best.value)], ...facts, ...(bestRun === undefined ? [] : [['run', bestRun] as const])])}</section>`;
}

const [width, height] = [640, 240];
const plot = { left: 52, right: width - 12, top: 12, bottom: height - 36 };

function historySection(report: SearchReport, completed: readonly Completed[]): Markup | undefined {
  if (completed.length === 0) return undefined;
  const { metric, trials } = report;
  const x = axisOf(
    trials.map(({ number }) => number),
    { whole: true, count: 10 },
  );
  const y = axisOf(completed.map(({ value }) => value));
  const text = axisText(metric);
  const toX = (value: number): string => placed(x, value, plot.left, plot.right).toFixed(1);
  const toY = (value: number): string => placed(y, value, plot.bottom, plot.top).toFixed(1);
  const others = trials.filter(({ state }) => state === 'pruned' || state === 'failed');
  return html`<section id="history"><h2>History</h2>
<p class="note"><span class="key"><svg viewBox="0 0 22 10" class="history" aria-hidden="true"><circle class="trial" cx="11" cy="5" r="4"/></svg>completed trial</span>
<span class="key"><svg viewBox="0 0 22 10" class="history" aria-hidden="true"><path class="best" d="M0 5H22"/></svg>best so far</span>
${others.length > 0 && html`<span class="key"><svg viewBox="0 0 22 10" class="history" aria-hidden="true"><path class="other" d="M7 1L15 9M15 1L7 9"/></svg>pruned or failed (at the bottom)</span>`}</p>
<div class="scroll" tabindex="0" role="region" aria-label="History"><svg class="history" viewBox="0 0 ${width} ${height}" role="img" aria-label="${figureTitle(metric)} of ${completed.length} completed trials; the best is trial ${completed[0].number} with ${figureText(metric, completed[0].value)}">
<g class="grid">${y.ticks.map((tick) => html`<line x1="${plot.left}" x2="${plot.right}" y1="${toY(tick)}" y2="${toY(tick)}"/>`)}</g>
<g class="ticks">${y.ticks.map((tick) => html`<text x="${plot.left - 6}" y="${toY(tick)}" dy="0.32em" text-anchor="end">${text(tick)}</text>`)}
${x.ticks.map((tick) => html`<text x="${toX(tick)}" y="${plot.bottom + 18}" text-anchor="middle">${short(tick)}</text>`)}
<text x="${(plot.left + plot.right) / 2}" y="${height - 4}" text-anchor="middle">trial</text></g>
<line class="axis" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>
<path class="best" d="${bestPath(report, completed, toX, toY)}H${plot.right}"/>
${completed.map(({ number, value }) => html`<circle class="trial" cx="${toX(number)}" cy="${toY(value)}" r="3.5"><title>trial ${number}: ${figureText(metric, value)}</title></circle>`)}
${others.map(({ number, state }) => {
  const at = Number(toX(number));
  return html`<path class="other" d="M${at - 3} ${plot.bottom - 6}l6 6m0 -6l-6 6"><title>trial ${number}: ${state}</title></path>`;
})}</svg></div></section>`;
}

/** A staircase that only ever improves. */
function bestPath(report: SearchReport, completed: readonly Completed[], toX: (x: number) => string, toY: (y: number) => string): string {
  let best: number | undefined;
  let path = '';
  for (const { number, value } of completed.toSorted((a, b) => a.number - b.number)) {
    if (best !== undefined && order(report) * (value - best) >= 0) continue;
    path += best === undefined ? `M${toX(number)} ${toY(value)}` : `H${toX(number)}V${toY(value)}`;
    best = value;
  }
  return path;
}

const axisText =
  (metric: string) =>
  (value: number): string =>
    isShare(metric) ? `${Number((100 * value).toPrecision(4))} %` : short(value);

function importanceSection({ parameters, metric }: SearchReport): Markup | undefined {
  const known = parameters.filter(({ importance }) => importance !== undefined).sort((a, b) => Number(b.importance) - Number(a.importance));
  if (known.length === 0) return undefined;
  return html`<section id="importance"><h2>Importance</h2><p class="note">How much of the variance of the ${figureTitle(metric)} lies between groups of trials with like values of
one parameter, less what chance would put there. What matters only together with others is not seen.</p>
<table class="shares"><tbody>${known.map(
    ({ name, importance }) =>
      html`<tr><th scope="row">${name}</th><td><span class="share" style="width:${(100 * Number(importance)).toFixed(1)}%"></span></td><td class="number">${Math.round(100 * Number(importance))} %</td></tr>`,
  )}</tbody></table></section>`;
}

const [across, tall] = [150, 300];
const lane = { top: 36, bottom: tall - 16 };

/** One vertical axis per parameter, the figure at the right; every trial is a line through its values. */
function parallelSection(report: SearchReport, completed: readonly Completed[]): Markup | undefined {
  const { parameters, metric } = report;
  if (completed.length < 2) return undefined;
  const y = axisOf(completed.map(({ value }) => value));
  const figure = { name: metric, ticks: y.ticks.map((tick) => [placed(y, tick, 0, 1), axisText(metric)(tick)] as const) };
  const axes = [...parameters, figure];
  const toX = (axis: number): number => 60 + axis * across;
  const toY = (place: number): string => (lane.bottom + place * (lane.top - lane.bottom)).toFixed(1);
  const good = Math.max(1, Math.ceil(completed.length / 10));
  // The best are drawn last, on top.
  const lines = completed.map((trial, rank) => ({ trial, kind: rank === 0 ? 'first' : rank < good ? 'good' : '' })).reverse();
  return html`<section id="parallel"><h2>Parallel coordinates</h2>
<p class="note">Every line is a completed trial. <span class="key"><svg viewBox="0 0 22 10" class="parallel" aria-hidden="true"><path class="first" d="M0 5H22"/></svg>best</span>
${good > 1 && html`<span class="key"><svg viewBox="0 0 22 10" class="parallel" aria-hidden="true"><path class="good" d="M0 5H22"/></svg>best tenth</span>`}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Parallel coordinates"><svg class="parallel" style="--axes:${axes.length}" viewBox="0 0 ${toX(axes.length - 1) + 60} ${tall}" role="img" aria-label="The values of ${completed.length} trials on ${axes.length} axes: ${axes.map(({ name }) => name).join(', ')}">
${lines.map(({ trial, kind }) => {
  const places = [...trial.values.map(({ place }) => place), placed(y, trial.value, 0, 1)];
  const said = `trial ${trial.number}: ${figureText(metric, trial.value)}; ${parameters.map(({ name }, i) => `${name} ${trial.values[i].text}`).join(', ')}`;
  return html`<path class="${kind}" d="M${places.map((place, i) => `${toX(i)} ${toY(place)}`).join('L')}"><title>${said}</title></path>`;
})}
${axes.map(
  (
    { name, ticks },
    i,
  ) => html`<g class="ticks"><line class="axis" x1="${toX(i)}" x2="${toX(i)}" y1="${lane.top}" y2="${lane.bottom}"/><text class="name" x="${toX(i)}" y="${lane.top - 18}" text-anchor="middle">${name}</text>
${ticks.map(([place, text]) => html`<text x="${toX(i) + 5}" y="${toY(place)}" dy="0.32em">${text}</text>`)}</g>`,
)}</svg></div></section>`;
}

function trialsSection({ parameters, trials, metric }: SearchReport, completed: readonly Completed[]): Markup {
  const rows = [...completed, ...trials.filter(({ value }) => value === undefined)];
  return html`<section id="trials"><h2>Trials</h2><div class="scroll" tabindex="0" role="region" aria-label="Trials"><table>
<thead><tr><th scope="col" class="number">trial</th><th scope="col" class="number">${metric}</th>${parameters.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}<th scope="col" class="number">epochs done</th><th scope="col" class="number">seconds</th></tr></thead>
<tbody>${rows.map(
    ({ number, value, state, error, values, steps, seconds }) =>
      html`<tr><th scope="row" class="number">${number}</th><td class="number">${
        value === undefined ? html`<small>${state}</small>` : figureText(metric, value)
      }</td>${values.map(({ text }) => html`<td class="number">${text}</td>`)}<td class="number">${steps}</td><td class="number">${seconds === undefined ? '–' : seconds.toFixed(1)}</td>${
        error !== undefined && html`<td>${error}</td>`
      }</tr>`,
  )}</tbody></table></div></section>`;
}

const searchSection = ({ configuration }: SearchReport): Markup => html`<section id="search"><h2>Search</h2>${factList(configuration)}</section>`;
