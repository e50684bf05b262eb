/** HTML and SVG as text: whatever is put into a template is escaped, unless it is markup already. */

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = Markup | string | number | undefined | false | readonly Content[];

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as it stands in HTML, in attributes too. Control characters, which HTML may not hold, are replaced. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
export const escaped = (text: string): string => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd').replace(/[&<>"']/g, (c) => escapes[c]);

function written(content: Content): string {
  if (content === undefined || content === false) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(written).join('');
  return escaped(String(content));
}

/** `html\`<b>${name}</b>\``: the name escaped; lists one after the other; undefined and false as nothing. */
export const html = (parts: TemplateStringsArray, ...contents: readonly Content[]): Markup =>
  new Markup(parts.reduce((text, part, i) => text + written(contents[i - 1]) + part));

/** Our own text that is markup as it is (style sheets, scripts). */
export const raw = (text: string): Markup => new Markup(text);
