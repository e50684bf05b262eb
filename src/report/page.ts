/** Whole pages: one file with everything in it, which asks nothing of the network. */
import { script, styleSheet } from './appearance.ts';
import { html, type Markup, raw } from './markup.ts';

export interface Page {
  readonly title: string;
  readonly lead: string;
  /** Sections that do not apply are undefined. Each begins with its id and its h2. */
  readonly sections: readonly (Markup | undefined)[];
  /** Stands before the sections. */
  readonly head?: Markup | undefined;
  readonly foot: string;
}

/** The browser itself is told to load nothing from elsewhere. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

export function page({ title, lead, sections, head, foot }: Page): string {
  const shown = sections.filter((section) => section !== undefined);
  const titles = shown.flatMap(({ text }) => {
    const [, id, name] = /<section id="([\w-]+)"><h2>([^<]*)<\/h2>/.exec(text) ?? [];
    return id === undefined ? [] : [html`<li><a href="#${id}">${raw(name)}</a></li>`];
  });
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title><style>${raw(styleSheet)}</style></head>
<body><header><h1>${title}</h1><p class="lead">${lead}</p><nav aria-label="Sections"><ul>${titles}</ul></nav>${head}</header>
<main>${shown}</main><footer>${foot}</footer><script>${raw(script)}</script></body></html>
`.text;
}

/** Figures in boxes. */
export const figureBoxes = (figures: readonly (readonly [name: string, text: string])[]): Markup | undefined =>
  figures.length === 0 ? undefined : html`<dl class="figures">${figures.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`;

/** Names and values below each other. */
export const factList = (facts: readonly (readonly [name: string, text: string])[]): Markup =>
  html`<dl class="facts">${facts.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>`;
