/** Runs side by side: a table for the terminal, and a page with their curves overlaid. */
import { lineChart, styles } from './chart.ts';
import { figureNames, pointsOf, type StageHistory } from './curves.ts';
import { html, type Markup } from './markup.ts';
import { page } from './page.ts';
import { figureText, figureTitle, isShare } from './scale.ts';

export interface ComparedRun {
  /** Its folder. */
  readonly name: string;
  /** Recipe, data and options. */
  readonly options: Readonly<Record<string, string>>;
  readonly stages: readonly StageHistory[];
}

/** A line of the comparison: a quantity with a text per run. */
export interface ComparedRow {
  readonly title: string;
  readonly texts: readonly string[];
  readonly differs: boolean;
}

const row = (title: string, texts: readonly string[]): ComparedRow => ({ title, texts, differs: new Set(texts).size > 1 });

/** What the runs were started with, those first that differ. */
export function optionRows(runs: readonly ComparedRun[]): ComparedRow[] {
  const names = [...new Set(runs.flatMap(({ options }) => Object.keys(options)))];
  const rows = names.map((name) =>
    row(
      figureTitle(name),
      runs.map(({ options }) => options[name] ?? '–'),
    ),
  );
  return rows.sort((a, b) => Number(b.differs) - Number(a.differs));
}

/** A figure of one net of the runs, over its epochs. */
interface Track {
  readonly stage: string;
  readonly figure: string;
  readonly title: string;
  readonly points: readonly ReturnType<typeof pointsOf>[];
}

function tracksOf(runs: readonly ComparedRun[]): Track[] {
  const stages = [...new Set(runs.flatMap((run) => run.stages.map(({ name }) => name)))];
  return stages.flatMap((stage) => {
    const histories = runs.map((run) => run.stages.find(({ name }) => name === stage)?.records ?? []);
    return figureNames(histories.flat()).map((figure) => {
      const title = `${stage === '' ? '' : `${stage}: `}${figureTitle(figure)}`;
      return { stage, figure, title, points: histories.map((records) => pointsOf(records, figure)) };
    });
  });
}

/** How the runs came out: epochs and seconds, the last value of training figures, the best of validation. */
export function outcomeRows(runs: readonly ComparedRun[]): ComparedRow[] {
  const spent = (run: ComparedRun, of: (stage: StageHistory) => number): number => run.stages.reduce((sum, stage) => sum + of(stage), 0);
  const seconds = (stage: StageHistory): number => Number(stage.records[stage.records.length - 1]?.seconds ?? 0);
  return [
    row(
      'epochs done',
      runs.map((run) => String(spent(run, ({ records }) => records.length))),
    ),
    row(
      'training seconds',
      runs.map((run) => spent(run, seconds).toFixed(1)),
    ),
    ...tracksOf(runs).map(({ figure, title, points }) => {
      const validation = /^val[A-Z]/.test(figure);
      return row(
        `${title}, ${validation ? 'best' : 'last'}`,
        points.map((values) => {
          const known = values.filter(([, value]) => Number.isFinite(value));
          if (known.length === 0) return '–';
          const better = (a: number, b: number): boolean => (isShare(figure) ? b > a : b < a);
          const [epoch, value] = validation ? known.reduce((a, b) => (better(a[1], b[1]) ? b : a)) : known[known.length - 1];
          return `${figureText(figure, value)}${validation ? ` (${epoch})` : ''}`;
        }),
      );
    }),
  ];
}

/** The last part of a path, shortened in its middle. */
export function runName(path: string, most: number): string {
  const last = path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
  return last.length <= most ? last : `${last.slice(0, Math.ceil((most - 1) / 2))}…${last.slice(last.length - Math.floor((most - 1) / 2))}`;
}

const longest = 24;
const clipped = (text: string, most: number): string => (text.length <= most ? text : `…${text.slice(text.length - most + 1)}`);

/** Tables within `columns` characters, as many runs in each as fit; * marks options that differ. */
export function comparisonText(runs: readonly ComparedRun[], columns = 80): string {
  const sections = [
    optionRows(runs).map((one) => ({ ...one, title: `${one.differs ? '*' : ' '} ${one.title}` })),
    outcomeRows(runs).map((one) => ({ ...one, title: `  ${one.title}` })),
  ];
  const all = sections.flat();
  const side = Math.min(34, Math.max(...all.map(({ title }) => title.length)));
  const names = runs.map(({ name }) => runName(name, longest));
  const widths = runs.map((_, i) => Math.min(longest, Math.max(names[i].length, ...all.map(({ texts }) => texts[i].length))));
  const blocks: string[] = [];
  for (let start = 0; start < runs.length; ) {
    let end = start;
    for (let used = side; end < runs.length && (end === start || used + 2 + widths[end] <= columns); end++) used += 2 + widths[end];
    const line = (title: string, texts: readonly string[]): string =>
      `${clipped(title, side).padEnd(side)}${texts
        .slice(start, end)
        .map((text, i) => `  ${clipped(text, widths[start + i]).padStart(widths[start + i])}`)
        .join('')}`.trimEnd();
    blocks.push([line('', names), ...sections.map((rows) => rows.map(({ title, texts }) => line(title, texts)).join('\n'))].join('\n'));
    start = end;
  }
  return blocks.join('\n\n');
}

/** The runs as data. */
export const comparisonData = (runs: readonly ComparedRun[]): Record<string, unknown> => ({
  runs,
  differing: optionRows(runs)
    .filter(({ differs }) => differs)
    .map(({ title, texts }) => ({ option: title, values: texts })),
});

/** The comparison as a page. */
export function comparisonPage(runs: readonly ComparedRun[], made: string): string {
  const names = runs.map(({ name }) => runName(name, 40));
  const unique = new Set(names).size === names.length ? names : runs.map(({ name }) => name);
  const differing = optionRows(runs).filter(({ differs }) => differs);
  const same = optionRows(runs).filter(({ differs }) => !differs);
  const charts = tracksOf(runs).map(({ title, figure, points }) =>
    lineChart({
      title,
      figure,
      series: points.flatMap((values, i) => (i < styles && values.length > 0 ? [{ name: unique[i], points: values, style: i }] : [])),
    }),
  );
  return page({
    title: `${runs.length} runs compared`,
    lead: [...new Set(runs.map(({ options }) => options.recipe))].join(', '),
    sections: [
      differing.length > 0 ? tableSection('differences', 'Options that differ', unique, differing) : undefined,
      tableSection(
        'outcome',
        'Outcome',
        unique,
        outcomeRows(runs),
        'Training figures of the last epoch; validation figures of the best, its number in brackets.',
      ),
      charts.length > 0
        ? html`<section id="curves"><h2>Curves</h2>${runs.length > styles && html`<p class="note">The first ${styles} runs.</p>`}<div class="charts">${charts}</div></section>`
        : undefined,
      same.length > 0 ? tableSection('same', 'Options in common', unique.slice(0, 1), same) : undefined,
    ],
    foot: made,
  });
}

function tableSection(id: string, title: string, names: readonly string[], rows: readonly ComparedRow[], note?: string): Markup {
  const head = names.length > 1 && html`<thead><tr><td></td>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>`;
  return html`<section id="${id}"><h2>${title}</h2>${note !== undefined && html`<p class="note">${note}</p>`}<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>${head}
<tbody>${rows.map(({ title: name, texts }) => html`<tr><th scope="row">${name}</th>${texts.slice(0, names.length).map((text) => html`<td>${text}</td>`)}</tr>`)}</tbody></table></div></section>`;
}
