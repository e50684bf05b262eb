/** The part of a report on a classifier's test: figures per class, the confusion matrix with the images of its cells, the costliest mistakes. */
import type { Judgement } from './judgement.ts';
import { html, type Markup } from './markup.ts';
import { cellName, type Observation, type Shown } from './observe.ts';
import { short } from './scale.ts';

/** With more classes than these the confusions are listed, not drawn. */
const matrixClasses = 30;
const listed = 30;

const percent = (share: number, digits = 1): string => (Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–');

/** An example's picture with a line below. */
const thumbnail = ({ picture }: Shown, text: string, more: string): Markup =>
  html`<figure class="thumb"><img src="${picture}" alt="${text}"><figcaption>${text}<small>${more}</small></figcaption></figure>`;

export function confusionSection({ judgement, cells }: Observation): Markup {
  return html`<section id="confusion"><h2>Confusion matrix</h2>
<p class="note">Rows are true classes, columns predictions. Choose a cell to see its images with the probability of the prediction; arrow keys move between cells.</p>
${judgement.classes.length <= matrixClasses ? matrixTable(judgement, cells) : confusionList(judgement, cells)}
<div id="cell-images" aria-live="polite">${[...cells].map(([name, examples]) => cellPanel(name, examples, judgement))}</div></section>`;
}

function matrixTable({ classes, matrix }: Judgement, cells: Observation['cells']): Markup {
  const largest = Math.max(1, ...matrix.flatMap((row, label) => row.filter((_, guess) => guess !== label)));
  const cell = (label: number, count: number, guess: number): Markup => {
    if (count === 0) return html`<td class="empty">·</td>`;
    const right = label === guess;
    const total = matrix[label].reduce((sum, n) => sum + n, 0);
    const depth = Math.round(100 * (right ? 0.12 + (0.33 * count) / total : 0.12 + (0.33 * count) / largest));
    const attributes = html`class="${right ? 'right' : 'wrong'}" style="--depth:${depth}%"`;
    if (!cells.has(cellName(label, guess))) return html`<td ${attributes}>${count}</td>`;
    return html`<td ${attributes}><button type="button" data-cell="${cellName(label, guess)}" aria-label="${classes[label]} taken for ${classes[guess]}: ${count}">${count}</button></td>`;
  };
  return html`<div class="scroll"><table class="matrix"><thead><tr><td></td>${classes.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${matrix.map((row, label) => html`<tr><th scope="row">${classes[label]}</th>${row.map((count, guess) => cell(label, count, guess))}</tr>`)}</tbody></table></div>`;
}

function confusionList({ classes, matrix }: Judgement, cells: Observation['cells']): Markup {
  const pairs = matrix
    .flatMap((row, label) => row.map((count, guess) => ({ label, guess, count })))
    .filter(({ label, guess, count }) => label !== guess && count > 0);
  const first = pairs.sort((a, b) => b.count - a.count).slice(0, listed);
  return html`<p>The most frequent confusions among ${classes.length} classes:</p><ol class="confusions">${first.map(({ label, guess, count }) => {
    const text = `${classes[label]} taken for ${classes[guess]}: ${count}`;
    const name = cellName(label, guess);
    return html`<li>${cells.has(name) ? html`<button type="button" data-cell="${name}">${text}</button>` : text}</li>`;
  })}</ol>`;
}

function cellPanel(name: string, examples: readonly Shown[], { classes, matrix }: Judgement): Markup {
  const [{ label, guess }] = examples;
  const count = matrix[label][guess];
  const title = label === guess ? `${classes[label]}, recognised` : `${classes[label]} taken for ${classes[guess]}`;
  const note = examples.length < count ? `${examples.length} of ${count}` : `${count}`;
  return html`<div class="panel" id="cell-${name}" hidden><h3>${title} <small>${note}</small></h3><div class="thumbs">${examples.map((example) =>
    thumbnail(example, percent(example.probability), `example ${example.row}`),
  )}</div></div>`;
}

export function mistakesSection({ judgement: { classes }, worst }: Observation): Markup | undefined {
  if (worst.length === 0) return undefined;
  return html`<section id="mistakes"><h2>Worst mistakes</h2>
<p class="note">The wrong answers with the highest loss, −log of the true class's probability.</p>
<div class="thumbs">${worst.map((example) =>
    thumbnail(example, `${classes[example.label]} taken for ${classes[example.guess]}`, `${percent(example.probability)}, loss ${example.loss.toPrecision(3)}`),
  )}</div></section>`;
}

export function classesSection({ judgement: { perClass } }: Observation): Markup {
  const mean = (of: (figures: (typeof perClass)[number]) => number): number => {
    const known = perClass.map(of).filter(Number.isFinite);
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const row = (name: string, precision: number, recall: number, f1: number, support: number): Markup =>
    html`<tr><th scope="row">${name}</th><td class="number">${percent(precision, 2)}</td><td class="number">${percent(recall, 2)}</td><td class="number">${percent(f1, 2)}</td><td class="number">${short(support)}</td></tr>`;
  return html`<section id="classes"><h2>Classes</h2><div class="scroll"><table><thead><tr><th scope="col">class</th>${['precision', 'recall', 'F1', 'support'].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${perClass.map(({ name, precision, recall, f1, support }) => row(name, precision, recall, f1, support))}</tbody>
<tfoot>${row(
    'mean of classes',
    mean(({ precision }) => precision),
    mean(({ recall }) => recall),
    mean(({ f1 }) => f1),
    perClass.reduce((sum, { support }) => sum + support, 0),
  )}</tfoot></table></div></section>`;
}
