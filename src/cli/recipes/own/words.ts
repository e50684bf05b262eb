/** Named facts for the terminal, wrapped. */

/** One name and its text per entry, within `columns` characters. */
export function facts(entries: Readonly<Record<string, string>>, columns = 80): string {
  const side = Math.max(...Object.keys(entries).map((name) => name.length)) + 4;
  return Object.entries(entries)
    .flatMap(([name, text]) => wrapped(text, columns - side).map((line, i) => `${i === 0 ? `  ${name}`.padEnd(side) : ' '.repeat(side)}${line}`))
    .join('\n');
}

function wrapped(text: string, columns: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Some names of many. */
export const named = (names: readonly string[], most = 6): string => (names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')}, …`);
