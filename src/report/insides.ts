/** The part of a report on the net itself: filters, activations, layers, graph. */
import type { SummaryRow } from '../nn/index.ts';
import type { GraphNode } from '../train/events.ts';
import { drawable, graphDrawing } from './graph-drawing.ts';
import { html, type Markup } from './markup.ts';
import type { Observation } from './observe.ts';

const grouped = (value: number): string => value.toLocaleString('en-US');

export function filtersSection({ filters }: Observation): Markup | undefined {
  if (filters === undefined) return undefined;
  const { pictures, count, layer } = filters;
  return html`<section id="filters"><h2>First layer</h2>
<p class="note">${layer}: ${pictures.length < count ? `the first ${pictures.length} of ${count} filters` : `its ${count} filters`}. ${filters.signed ? 'Red weights are positive, blue ones negative, white is 0.' : 'Grey is 0.'}</p>
<div class="maps large">${pictures.map((picture, i) => html`<img src="${picture}" alt="filter ${i}" title="filter ${i}">`)}</div></section>`;
}

export function activationsSection({ activations, judgement: { classes } }: Observation): Markup | undefined {
  if (activations.length === 0) return undefined;
  const name = (i: number): string => `example-${i}`;
  return html`<section id="activations"><h2>Activations</h2>
<p class="note">What the first convolutions make of an example: a picture per channel, black the lowest value of the stage, white the highest.</p>
<fieldset class="examples"><legend>Example</legend>
${activations.map(
  ({ example: { label, guess, picture } }, i) =>
    html`<input type="radio" name="example" id="${name(i)}" ${i === 0 && html`checked`}><label for="${name(i)}"><img src="${picture}" alt="">${label === guess ? classes[label] : `${classes[label]}, taken for ${classes[guess]}`}</label>`,
)}
${activations.map(
  ({ stages }) =>
    html`<div class="stages">${stages.map(
      ({
        layer,
        shape,
        pictures,
      }) => html`<h3>${layer} <small>${shape.join(' × ')}${pictures.length < shape[2] && `, the first ${pictures.length} channels`}</small></h3>
<div class="maps">${pictures.map((uri, c) => html`<img src="${uri}" alt="channel ${c}" title="channel ${c}">`)}</div>`,
    )}</div>`,
)}</fieldset></section>`;
}

export function modelSection(layers: readonly SummaryRow[], graph: readonly GraphNode[]): Markup | undefined {
  if (layers.length === 0) return undefined;
  const total = (of: (row: SummaryRow) => number): string => grouped(layers.reduce((sum, row) => sum + of(row), 0));
  const head = ['output shape', 'parameters', 'multiply-adds'];
  return html`<section id="model"><h2>Model</h2><div class="beside"><div class="scroll" tabindex="0" role="region" aria-label="Layers"><table><thead><tr><th scope="col">layer</th>${head.map((title) => html`<th scope="col" class="number">${title}</th>`)}</tr></thead>
<tbody>${layers.map(
    (row) =>
      html`<tr><th scope="row">${`${row.name} ${row.kind}`.trim()}</th><td class="number">${row.outputShape?.join(' × ')}</td><td class="number">${grouped(row.parameters)}</td><td class="number">${grouped(row.multiplyAdds)}</td></tr>`,
  )}</tbody>
<tfoot><tr><th scope="row">total</th><td></td><td class="number">${total((row) => row.parameters)}</td><td class="number">${total((row) => row.multiplyAdds)}</td></tr></tfoot></table></div>
${graph.length > 0 && graph.length <= drawable && html`<div class="scroll">${graphDrawing(graph)}</div>`}</div></section>`;
}

/** A tensor of a saved net. */
export interface SavedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Where the net itself is not at hand: what its file holds. */
export function tensorsSection(tensors: readonly SavedTensor[]): Markup | undefined {
  if (tensors.length === 0) return undefined;
  const size = ({ shape }: SavedTensor): number => shape.reduce((product, length) => product * length, 1);
  return html`<section id="model"><h2>Model</h2><p class="note">The tensors of the saved net.</p><div class="scroll" tabindex="0" role="region" aria-label="Tensors"><table><thead><tr><th scope="col">tensor</th><th scope="col">type</th><th scope="col" class="number">shape</th><th scope="col" class="number">values</th></tr></thead>
<tbody>${tensors.map((tensor) => html`<tr><th scope="row">${tensor.name}</th><td>${tensor.dtype}</td><td class="number">${tensor.shape.join(' × ')}</td><td class="number">${grouped(size(tensor))}</td></tr>`)}</tbody>
<tfoot><tr><th scope="row">total</th><td></td><td></td><td class="number">${grouped(tensors.reduce((sum, tensor) => sum + size(tensor), 0))}</td></tr></tfoot></table></div></section>`;
}
