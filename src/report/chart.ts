/** Line charts as SVG: axes with round ticks, grid, one line per series, a legend beside them that does not rely on colour alone. */
import { html, type Markup } from './markup.ts';
import { axisOf, isShare, placed, short } from './scale.ts';

export interface Series {
  readonly name: string;
  /** [x, y]; y that is not finite leaves a gap. */
  readonly points: readonly (readonly [number, number])[];
  /** Colour and dash (default: its place in the chart), so that a run looks the same in every chart. */
  readonly style?: number;
}

export interface Chart {
  readonly title: string;
  /** The figure's name decides whether it is shown in per cent. */
  readonly figure: string;
  readonly series: readonly Series[];
}

const [width, height] = [360, 220];
const plot = { left: 46, right: width - 10, top: 10, bottom: height - 34 };
/** Lines have as many colours and dashes; more series begin again. */
export const styles = 8;
const styleClass = (style: number): string => `s${(style % styles) + 1}`;
/** With more points than these the line alone is drawn. */
const dots = 30;

export function lineChart({ title, figure, series }: Chart): Markup {
  const all = series.flatMap(({ points }) => points);
  const x = axisOf(
    all.map(([at]) => at),
    { whole: true, count: 6 },
  );
  const y = axisOf(all.map(([, value]) => value));
  const text = (value: number): string => (isShare(figure) ? `${Number((100 * value).toPrecision(4))} %` : short(value));
  const toX = (value: number): string => placed(x, value, plot.left, plot.right).toFixed(1);
  const toY = (value: number): string => placed(y, value, plot.bottom, plot.top).toFixed(1);
  const lines = series.map(({ name, points, style }, i) => {
    const known = points.filter(([, value]) => Number.isFinite(value));
    const marks =
      known.length <= dots &&
      known.map(([at, value]) => html`<circle cx="${toX(at)}" cy="${toY(value)}" r="2.5"><title>${name}, epoch ${at}: ${text(value)}</title></circle>`);
    return html`<g class="series ${styleClass(style ?? i)}"><path d="${pathOf(points, toX, toY)}"/>${marks}</g>`;
  });
  return html`<figure class="chart">
<figcaption>${title}${legend(series)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}: ${described(series, text)}">
<g class="grid">${y.ticks.map((tick) => html`<line x1="${plot.left}" x2="${plot.right}" y1="${toY(tick)}" y2="${toY(tick)}"/>`)}</g>
<g class="ticks">${y.ticks.map((tick) => html`<text x="${plot.left - 6}" y="${toY(tick)}" dy="0.32em" text-anchor="end">${text(tick)}</text>`)}
${x.ticks.map((tick) => html`<text x="${toX(tick)}" y="${plot.bottom + 16}" text-anchor="middle">${short(tick)}</text>`)}
<text x="${(plot.left + plot.right) / 2}" y="${height - 4}" text-anchor="middle">epoch</text></g>
<line class="axis" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>
${lines}</svg></figure>`;
}

/** Names with samples of their lines; nothing for a single one. */
const legend = (series: readonly Series[]): Markup | false =>
  series.length > 1 &&
  html`<span class="legend">${series.map(
    ({ name, style }, i) => html`<span class="${styleClass(style ?? i)}"><svg viewBox="0 0 24 8" aria-hidden="true"><path d="M1 4H23"/></svg>${name}</span>`,
  )}</span>`;

function pathOf(points: Series['points'], toX: (x: number) => string, toY: (y: number) => string): string {
  let path = '';
  let open = false;
  for (const [x, y] of points) {
    if (Number.isFinite(y)) path += `${open ? 'L' : 'M'}${toX(x)} ${toY(y)}`;
    open = Number.isFinite(y);
  }
  return path;
}

/** What a chart says, for those who do not see it: first and last value of every series. */
function described(series: readonly Series[], text: (value: number) => string): string {
  return series
    .map(({ name, points }) => {
      const known = points.filter(([, value]) => Number.isFinite(value));
      if (known.length === 0) return `${name} has no finite values`;
      const [first, last] = [known[0], known[known.length - 1]];
      return `${name} from ${text(first[1])} in epoch ${first[0]} to ${text(last[1])} in epoch ${last[0]}`;
    })
    .join('; ');
}
