/** How pages look, light and dark, on telephones, screens and paper; and the little they do by themselves. */

/** Series colours are told apart by people who do not see red and green as different, and are legible on their background (3 : 1). */
export const styleSheet = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #59626b; --paper: #ffffff; --panel: #f4f5f7; --line: #d9dde1; --accent: #0b5cad; --right: #1a7f5a; --wrong: #c2410c;
  --s1: #0b5cad; --s2: #c2410c; --s3: #1a7f5a; --s4: #8e3b9e; --s5: #946200; --s6: #0f766e; --s7: #b4235a; --s8: #4b5563; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a3adb7; --paper: #14171a; --panel: #1e2327; --line: #363d44; --accent: #7cb8f5; --right: #4fc396; --wrong: #f59762;
  --s1: #7cb8f5; --s2: #f59762; --s3: #4fc396; --s4: #d59be2; --s5: #dfb04f; --s6: #5fd0c5; --s7: #f28bb0; --s8: #b3bcc5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; } footer { padding-bottom: 2rem; color: var(--soft); font-size: 0.875rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; } h2 { font-size: 1.25rem; margin: 0 0 0.5rem; } h3 { font-size: 1rem; margin: 1rem 0 0.5rem; }
h3 small { font-weight: normal; } small, .note, .lead { color: var(--soft); } .note { margin: 0 0 0.75rem; max-width: 44rem; } .lead { margin: 0.25rem 0 0; }
section { margin: 2.25rem 0; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; padding: 0; margin: 1rem 0 0; }
a { color: var(--accent); } :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 0.75rem; margin: 1.25rem 0 0; }
.figures div { display: flex; flex-direction: column; justify-content: space-between; background: var(--panel); border-radius: 6px; padding: 0.6rem 0.8rem; } .figures dt { color: var(--soft); font-size: 0.8125rem; } .figures dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; } thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; } tbody th { font-weight: normal; }
.number { text-align: right; white-space: nowrap; } tfoot th, tfoot td { font-weight: 600; border-bottom: 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1.25rem; } .chart { margin: 0; max-width: 32rem; } .chart > svg { display: block; width: 100%; height: auto; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; align-items: baseline; font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 0 0.9rem; font-weight: normal; font-size: 0.8125rem; } .legend svg { width: 24px; height: 8px; margin-right: 0.35rem; vertical-align: middle; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); } .grid line { stroke: var(--line); } .axis { stroke: var(--soft); }
.series path, .legend path { fill: none; stroke-width: 2; stroke-linejoin: round; }
${Array.from({ length: 8 }, (_, i) => `.s${i + 1} path { stroke: var(--s${i + 1}); } .s${i + 1} circle { fill: var(--s${i + 1}); }`).join(' ')}
.s2 path { stroke-dasharray: 6 3; } .s4 path { stroke-dasharray: 2 3; } .s6 path { stroke-dasharray: 9 3 2 3; } .s8 path { stroke-dasharray: 4 4; }
details { margin-top: 0.75rem; } summary { cursor: pointer; color: var(--accent); }
.matrix { border-collapse: separate; border-spacing: 2px; } .matrix th, .matrix td { border: 0; text-align: center; padding: 0; min-width: 2.75rem; height: 2rem; vertical-align: middle; }
.matrix thead th { max-width: 7rem; padding: 0 0.25rem; } .matrix tbody th { text-align: right; padding: 0 0.5rem; white-space: nowrap; position: sticky; left: 0; background: var(--paper); }
.matrix .empty { color: var(--soft); } .matrix .right { background: color-mix(in srgb, var(--right) var(--depth), var(--paper)); } .matrix .wrong { background: color-mix(in srgb, var(--wrong) var(--depth), var(--paper)); }
.matrix button { width: 100%; min-height: 2rem; padding: 0 0.3rem; border: 0; border-radius: 0; background: none; color: inherit; font: inherit; cursor: pointer; } .matrix button[aria-pressed="true"] { outline: 2px solid var(--ink); outline-offset: -2px; }
.confusions button { background: none; border: 0; padding: 0; color: var(--accent); font: inherit; cursor: pointer; text-align: left; }
.panel { background: var(--panel); border-radius: 6px; padding: 0.5rem 0.9rem 0.9rem; margin-top: 0.75rem; } .panel h3 { margin-top: 0.25rem; }
.thumbs { display: flex; flex-wrap: wrap; gap: 0.75rem; } .thumb { margin: 0; width: 6.75rem; } .thumb img { display: block; width: 100%; image-rendering: pixelated; border: 1px solid var(--line); } .thumb figcaption { font-size: 0.8125rem; line-height: 1.35; margin-top: 0.25rem; } .thumb small { display: block; }
.maps { display: flex; flex-wrap: wrap; gap: 4px; } .maps img { width: 60px; image-rendering: pixelated; border: 1px solid var(--line); }
.examples { border: 0; padding: 0; margin: 0; min-width: 0; } .examples legend { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.examples label { display: inline-flex; align-items: center; gap: 0.5rem; padding: 0.3rem 0.7rem 0.3rem 0.3rem; margin: 0 0.4rem 0.4rem 0; border: 1px solid var(--line); border-radius: 6px; cursor: pointer; } .examples label img { width: 32px; image-rendering: pixelated; }
.examples input { position: absolute; opacity: 0; } .examples input:checked + label { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); background: var(--panel); } .examples input:focus-visible + label { outline: 2px solid var(--accent); outline-offset: 2px; }
.stages { display: none; } ${Array.from({ length: 8 }, (_, i) => `.examples input:nth-of-type(${i + 1}):checked ~ .stages:nth-of-type(${i + 1})`).join(', ')} { display: block; }
.beside { display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; } .beside tbody th { white-space: nowrap; } .beside > * { min-width: 0; max-width: 100%; }
.graph { display: block; width: 100%; height: auto; min-width: 172px; } .graph rect { fill: var(--panel); stroke: var(--line); } .graph text { fill: var(--ink); } .graph .shape { fill: var(--soft); } .edges path { fill: none; stroke: var(--soft); }
pre { background: var(--panel); border-radius: 6px; padding: 0.75rem 0.9rem; margin: 0; overflow-x: auto; font: 0.8125rem/1.5 ui-monospace, monospace; } .command pre { white-space: pre-wrap; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.25rem 1.25rem; margin: 0; font-size: 0.9375rem; } .facts dt { color: var(--soft); } .facts dd { margin: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem; } .columns h3 { margin-top: 0; } .differs { font-weight: 600; }
@media (max-width: 600px) { th, td { padding: 0.25rem 0.35rem; } table { font-size: 0.8125rem; } .matrix th, .matrix td { min-width: 1.75rem; } .matrix tbody th { padding: 0 0.35rem 0 0; } .matrix button { padding: 0; } .maps { gap: 3px; } .maps img { width: 42px; } .facts { grid-template-columns: minmax(0, 1fr); gap: 0; } .facts dd { margin-bottom: 0.5rem; } .thumb { width: calc((100% - 1.5rem) / 3); } }
@media print { body { font-size: 11pt; } nav, details, .note { display: none; } section, figure, tr { break-inside: avoid; } .scroll, pre { overflow: visible; } pre { white-space: pre-wrap; } * { print-color-adjust: exact; } }
`;

/** Cells of the confusion matrix: a click shows its images; one cell is in the tab order, arrow keys go on from it. */
export const script = `
const cells = [...document.querySelectorAll('[data-cell]')];
const table = document.querySelector('.matrix');
const choose = (cell) => {
  for (const other of cells) {
    const chosen = other === cell && other.getAttribute('aria-pressed') !== 'true';
    other.setAttribute('aria-pressed', String(chosen));
    document.getElementById('cell-' + other.dataset.cell).hidden = !chosen;
  }
};
const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
for (const cell of cells) {
  cell.setAttribute('aria-pressed', 'false');
  cell.addEventListener('click', () => choose(cell));
}
if (table) {
  const enter = (cell) => { for (const other of cells) other.tabIndex = other === cell ? 0 : -1; };
  enter(cells[0]);
  table.addEventListener('focusin', (event) => enter(event.target));
  table.addEventListener('keydown', (event) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    let row = event.target.closest('tr').rowIndex, column = event.target.closest('td').cellIndex;
    for (;;) {
      row += move[0];
      column += move[1];
      const place = table.rows[row] && table.rows[row].cells[column];
      if (!place || row === 0 || column === 0) return;
      const button = place.querySelector('button');
      if (button) return button.focus();
    }
  });
}
`;
