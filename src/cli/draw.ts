/** Pictures for the terminal: digits in half-block characters, and the confusion matrix. */

/** Two pixels per character, one above the other: grey levels where colours may be used, else black and white. */
export function halfBlocks(pixels: ArrayLike<number>, width: number, height: number, colour: boolean): string[] {
  const lines: string[] = [];
  for (let row = 0; row < height; row += 2) {
    let line = '';
    for (let column = 0; column < width; column++) {
      const upper = pixels[row * width + column];
      const lower = row + 1 < height ? pixels[(row + 1) * width + column] : 0;
      line += colour ? `\x1b[38;5;${grey(upper)};48;5;${grey(lower)}m▀` : ' ▀▄█'[(upper > 0.35 ? 1 : 0) + (lower > 0.35 ? 2 : 0)];
    }
    lines.push(colour ? `${line}\x1b[0m` : line);
  }
  return lines;
}

/** One of the 24 greys of the 256-colour table. */
const grey = (value: number): number => 232 + Math.round(Math.max(0, Math.min(1, value)) * 23);

/** An image [size, size] at half its size: means of 2 × 2 pixels. */
export function halved(image: ArrayLike<number>, size: number): Float64Array {
  const half = size >> 1;
  return Float64Array.from({ length: half * half }, (_, i) => {
    const [row, column] = [2 * Math.floor(i / half), 2 * (i % half)];
    const at = row * size + column;
    return Math.min(1, (image[at] + image[at + 1] + image[at + size] + image[at + size + 1]) / 3);
  });
}

export interface Picture {
  readonly image: ArrayLike<number>;
  readonly caption: string;
}

/** Images [size, size] side by side with captions beneath, as many per line as fit. */
export function pictures(
  list: readonly Picture[],
  { size, columns, colour }: { readonly size: number; readonly columns: number; readonly colour: boolean },
): string {
  const half = size >> 1;
  const perLine = Math.max(1, Math.floor((columns + 1) / (half + 2)));
  const lines: string[] = [];
  for (let start = 0; start < list.length; start += perLine) {
    const group = list.slice(start, start + perLine);
    const drawn = group.map(({ image }) => halfBlocks(halved(image, size), half, half, colour));
    for (let row = 0; row < drawn[0].length; row++)
      lines.push(
        drawn
          .map((picture) => picture[row])
          .join('  ')
          .trimEnd(),
      );
    lines.push(
      group
        .map(({ caption }) => caption.slice(0, half + 1).padEnd(half))
        .join('  ')
        .trimEnd(),
      '',
    );
  }
  return lines.join('\n');
}

/** Rows are true classes, columns predictions; the last column is the share that was right. */
export function confusionTable(matrix: readonly (readonly number[])[], classes: readonly string[], colour: boolean): string {
  const longest = Math.max(...classes.map((name) => name.length));
  const side = Math.max(4, longest);
  const counts = Math.max(3, ...matrix.flat().map((count) => String(count).length));
  // Names above the columns are cut where the table would be wider than 80 characters.
  const cell = 1 + Math.max(counts, Math.min(longest, Math.floor((80 - side - 10) / classes.length) - 1));
  const head = `${'true'.padStart(side)} ${classes.map((name) => name.slice(0, cell - 1).padStart(cell)).join('')}    right`;
  const rows = matrix.map((counts, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map((count, column) => {
      const text = (count === 0 ? '·' : String(count)).padStart(cell);
      if (!colour) return text;
      return row === column ? `\x1b[32m${text}\x1b[0m` : count === 0 ? `\x1b[2m${text}\x1b[0m` : `\x1b[31m${text}\x1b[0m`;
    });
    return `${classes[row].padStart(side)} ${cells.join('')}  ${total === 0 ? '–'.padStart(7) : `${((100 * counts[row]) / total).toFixed(1)} %`.padStart(7)}`;
  });
  return [head, ...rows].join('\n');
}
