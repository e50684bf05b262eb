/** A model's graph as SVG: a row per depth, inputs above, lines that skip rows drawn round the side. */
import type { GraphNode } from '../train/events.ts';
import { html, type Markup } from './markup.ts';

const box = { width: 168, height: 26, gapX: 16, gapY: 16 };
/** Larger graphs are left to the table. */
export const drawable = 120;

export function graphDrawing(nodes: readonly GraphNode[]): Markup {
  const depths = new Map<string, number>();
  for (const { name, inputs } of nodes) depths.set(name, Math.max(-1, ...inputs.map((input) => depths.get(input) ?? -1)) + 1);
  const rows: GraphNode[][] = [];
  for (const node of nodes) {
    const depth = depths.get(node.name) ?? 0;
    rows[depth] ??= [];
    rows[depth].push(node);
  }
  const widest = Math.max(1, ...rows.map((row) => row.length));
  const skips = nodes.some(({ name, inputs }) => inputs.some((input) => (depths.get(name) ?? 0) - (depths.get(input) ?? 0) > 1));
  const inner = widest * (box.width + box.gapX) - box.gapX;
  const width = inner + 2 + (skips ? 40 : 0);
  const height = rows.length * (box.height + box.gapY) - box.gapY + 2;
  const places = new Map<string, { readonly x: number; readonly y: number }>();
  rows.forEach((row, depth) => {
    row.forEach((node, i) => {
      const left = (inner - (row.length * (box.width + box.gapX) - box.gapX)) / 2;
      places.set(node.name, { x: 1 + left + i * (box.width + box.gapX), y: 1 + depth * (box.height + box.gapY) });
    });
  });
  const edge = (from: string, to: string): Markup | false => {
    const [a, b] = [places.get(from), places.get(to)];
    if (a === undefined || b === undefined) return false;
    const [x1, y1, x2, y2] = [a.x + box.width / 2, a.y + box.height, b.x + box.width / 2, b.y];
    if ((depths.get(to) ?? 0) - (depths.get(from) ?? 0) <= 1) return html`<path d="M${x1} ${y1}L${x2} ${y2}"/>`;
    const [right, side] = [a.x + box.width, inner + 30];
    return html`<path d="M${right} ${y1 - box.height / 2}C${side} ${y1} ${side} ${y2} ${b.x + box.width} ${y2 + box.height / 2}"/>`;
  };
  return html`<svg class="graph" viewBox="0 0 ${width} ${height}" style="max-width:${width}px" role="img" aria-label="The model's layers as a graph">
<g class="edges">${nodes.flatMap(({ name, inputs }) => inputs.map((input) => edge(input, name)))}</g>
${nodes.map((node) => {
  const { x, y } = places.get(node.name) ?? { x: 0, y: 0 };
  return html`<g transform="translate(${x} ${y})"><title>${node.name}</title><rect width="${box.width}" height="${box.height}" rx="4"/><text x="10" y="17">${node.op}</text><text class="shape" x="${box.width - 10}" y="17" text-anchor="end">${node.shape?.slice(1).join(' × ')}</text></g>`;
})}</svg>`;
}
