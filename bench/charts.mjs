/** Two small charts as SVG, readable on light and on dark pages: their colours follow the reader's setting. */

const style = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .quiet { fill: #59636e; }
  .line { stroke: #d1d9e0; stroke-width: 1; }
  .ours { fill: #0969da; stroke: #0969da; }
  .theirs { fill: #bc4c00; stroke: #bc4c00; }
  .mark { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 4 3; }
  .curve { fill: none; stroke-width: 2; }
  .thin { stroke-dasharray: 5 4; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .line { stroke: #3d444d; }
    .ours { fill: #4493f8; stroke: #4493f8; }
    .theirs { fill: #f0883e; stroke: #f0883e; }
    .mark { stroke: #9198a1; }
    .curve { fill: none; }
  }
</style>`;

const escaped = (text) => String(text).replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);
const place = (value) => Number(value.toFixed(1));
const text = (x, y, content, { anchor = 'start', quiet = false } = {}) =>
  `<text x="${place(x)}" y="${place(y)}" text-anchor="${anchor}"${quiet ? ' class="quiet"' : ''}>${escaped(content)}</text>`;
const line = (x1, y1, x2, y2, name) => `<line x1="${place(x1)}" y1="${place(y1)}" x2="${place(x2)}" y2="${place(y2)}" class="${name}"/>`;
const svg = (width, height, title, parts) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    style,
    ...parts,
    '</svg>',
    '',
  ].join('\n');

/** A bar per row ({ label, value, note }), with a line at 1. */
export function bars(title, rows) {
  const [left, right, step, top] = [280, 120, 26, 34];
  const width = 760;
  const most = Math.ceil(Math.max(1, ...rows.map((row) => row.value)));
  const x = (value) => left + (value / most) * (width - left - right);
  const height = top + rows.length * step + 14;
  const parts = [text(left, 18, title, { quiet: true }), line(x(1), top - 6, x(1), height - 10, 'mark')];
  rows.forEach(({ label, value, note }, i) => {
    const y = top + i * step;
    parts.push(text(left - 8, y + 13, label, { anchor: 'end' }));
    parts.push(`<rect x="${left}" y="${y + 1}" width="${place(x(value) - left)}" height="16" rx="2" class="ours"/>`);
    parts.push(text(Math.max(x(value), x(1)) + 6, y + 13, note));
  });
  return svg(width, height, title, parts);
}

const decades = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
const short = (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1000 ? `${value / 1000} k` : String(value));

/**
 * Panels side by side, both axes logarithmic. A panel is { title, curves }, a curve { name, ours, thin, points: [x, y][] }; curves of the same name and kind share
 * their entry in the key.
 */
export function curves(title, xTitle, panels) {
  const [width, height, left, top, bottom, gap] = [760, 330, 52, 56, 46, 62];
  const each = (width - left - 12 - gap * (panels.length - 1)) / panels.length;
  const points = panels.flatMap((panel) => panel.curves.flatMap((curve) => curve.points));
  const xs = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const parts = [text(left, 18, title, { quiet: true })];
  panels.forEach((panel, p) => {
    const from = left + p * (each + gap);
    const values = panel.curves.flatMap((curve) => curve.points.map(([, y]) => y));
    const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
    const x = (value) => from + (Math.log(value / xs[0]) / Math.log(xs.at(-1) / xs[0])) * each;
    const y = (value) => height - bottom - ((Math.log10(value) - low) / (high - low)) * (height - bottom - top);
    parts.push(text(from, top - 16, panel.title));
    for (const value of decades(low, high)) {
      parts.push(line(from, y(value), from + each, y(value), 'line'), text(from - 6, y(value) + 4, short(value), { anchor: 'end', quiet: true }));
    }
    for (const value of xs) parts.push(text(x(value), height - bottom + 18, value, { anchor: 'middle', quiet: true }));
    parts.push(text(from + each / 2, height - 8, xTitle, { anchor: 'middle', quiet: true }));
    for (const curve of panel.curves) {
      const path = curve.points.map(([a, b]) => `${place(x(a))},${place(y(b))}`).join(' ');
      parts.push(`<polyline points="${path}" class="curve ${curve.ours ? 'ours' : 'theirs'}${curve.thin ? ' thin' : ''}"/>`);
    }
  });
  let at = width - 12;
  for (const { name, ours, thin } of [...panels[0].curves].reverse()) {
    parts.push(text(at, 18, name, { anchor: 'end' }));
    at -= 7.2 * name.length + 8;
    parts.push(line(at - 26, 14, at - 2, 14, `curve ${ours ? 'ours' : 'theirs'}${thin ? ' thin' : ''}`));
    at -= 40;
  }
  return svg(width, height, title, parts);
}
