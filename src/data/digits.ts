/**
 * Generated handwritten digits (see handwriting.ts) as a dataset: no file needed, and the same seed gives the same digits.
 */
import { fail } from '../core/errors.ts';
import { fieldOf, gather, residentColumns } from './arrays.ts';
import { Dataset, type Rows } from './dataset.ts';
import { glyphs } from './glyphs.ts';
import { drawDigit } from './handwriting.ts';
import { generator } from './random.ts';

export interface DigitsOptions {
  /** How many (default 10,000). Each is drawn when it is first read. */
  readonly count?: number;
  readonly seed?: number;
  /** Pixels along a side (default 28, at least 8). */
  readonly size?: number;
}

/** Fields x float32 [size, size, 1] in 0 … 1 and y int32 [] in 0 … 9, every digit equally often in a mixed order. */
export function digits({ count = 10_000, seed = 0, size = 28 }: DigitsOptions = {}): Dataset {
  if (!Number.isInteger(count) || count < 1) fail('argument', 'digits', `count must be a whole number ≥ 1, got ${count}`);
  if (!Number.isInteger(size) || size < 8 || size > 1024) fail('argument', 'digits', `size must be a whole number in 8 … 1024, got ${size}`);
  const pixels = size * size;
  const images = new Uint8Array(count * pixels);
  const labels = Uint8Array.from({ length: count }, (_, i) => digitLabel(i, seed));
  const drawn = new Uint8Array(count);
  const columns = [
    { name: 'x', shape: [size, size, 1], dtype: 'float32', values: images, scale: 1 / 255 },
    { name: 'y', shape: [], dtype: 'int32', values: labels },
  ] as const;
  let missing = count;
  const draw = (rows: Rows): void => {
    if (missing === 0) return;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (drawn[row] === 1) continue;
      drawDigit(labels[row], generator(seed, 0xd161, row), images.subarray(row * pixels, (row + 1) * pixels), size);
      drawn[row] = 1;
      missing--;
    }
  };
  const read = (rows: Rows, stored: boolean) => {
    draw(rows);
    return columns.map((column) => gather(column, rows, stored));
  };
  const resident = residentColumns(columns);
  return new Dataset({
    length: count,
    fields: columns.map(fieldOf),
    classes: glyphs.map((_, digit) => String(digit)),
    labels: () => labels,
    read: (rows) => read(rows, false),
    readStored: (rows) => read(rows, true),
    resident(rows) {
      draw(rows);
      return resident(rows);
    },
  });
}

/** Each run of ten examples holds every digit once, in a drawn order. */
function digitLabel(index: number, seed: number): number {
  const random = generator(seed, 0x1abe1, Math.floor(index / 10));
  const order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  for (let i = 9; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order[index % 10];
}
