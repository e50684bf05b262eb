/** Contact sheets: examples side by side in one picture, to see what augmentation does. */
import { fail } from '../core/errors.ts';
import { writeFileAtomic } from '../io/files.ts';
import { pictureShape } from './augment/transform.ts';
import { type Dataset, range } from './dataset.ts';
import type { Pixels } from './images/pixels.ts';
import { encodePng } from './images/png.ts';

export interface SheetOptions {
  /** How many examples, from the first (default 64). */
  readonly count?: number;
  /** Pictures per row (default: as many as make it square). */
  readonly columns?: number;
  /** Which epoch's augmentation (default 0). */
  readonly epoch?: number;
  /** Every example this many times, in the epochs that follow (default 1). */
  readonly repeats?: number;
  /** Screen pixels per pixel (default: as many as make small pictures at least 64 wide). */
  readonly zoom?: number;
}

const gap = 2;
const paper = 255;

/**
 * Draws examples on white. Values in 0 … 1 are shown as they are; where some lie outside, the sheet's least value is black and its greatest white.
 * [height, width, channels] lies as it is stored: spectrograms with time downwards.
 */
export async function contactSheet(dataset: Dataset, options: SheetOptions = {}): Promise<Pixels> {
  const { count = 64, epoch = 0, repeats = 1 } = options;
  for (const [name, value] of Object.entries({ count, repeats }))
    if (!Number.isInteger(value) || value < 1) fail('argument', 'preview', `${name} must be a whole number ≥ 1, got ${value}`);
  if (dataset.length === 0) fail('data', 'preview', 'the dataset has no examples');
  const [height, width, depth] = pictureShape(dataset.fields[0].shape);
  const rows = range(0, Math.min(count, dataset.length));
  const reads = await Promise.all(Array.from({ length: repeats }, async (_, i) => (await dataset.read(rows, epoch + i))[0]));
  const { columns = repeats > 1 ? repeats : Math.ceil(Math.sqrt(rows.length)), zoom = Math.max(1, Math.ceil(64 / width)) } = options;
  const toGrey = scaled(reads);
  const channels = depth === 3 ? 3 : 1;
  const [cellHeight, cellWidth] = [height * zoom + gap, width * zoom + gap];
  const total = rows.length * repeats;
  const sheet = { height: Math.ceil(total / columns) * cellHeight + gap, width: columns * cellWidth + gap, channels };
  const data = new Uint8Array(sheet.height * sheet.width * channels).fill(paper);
  for (let cell = 0; cell < total; cell++) {
    const values = reads[cell % repeats];
    const start = Math.floor(cell / repeats) * height * width * depth;
    const [top, left] = [Math.floor(cell / columns) * cellHeight + gap, (cell % columns) * cellWidth + gap];
    for (let y = 0; y < height * zoom; y++) {
      for (let x = 0; x < width * zoom; x++) {
        const from = start + (Math.floor(y / zoom) * width + Math.floor(x / zoom)) * depth;
        const to = ((top + y) * sheet.width + left + x) * channels;
        for (let c = 0; c < channels; c++) data[to + c] = toGrey(values[from + c]);
      }
    }
  }
  return { ...sheet, data };
}

function scaled(reads: readonly ArrayLike<number>[]): (value: number) => number {
  let [least, most] = [0, 1];
  for (const values of reads)
    for (let i = 0; i < values.length; i++) {
      if (values[i] < least) least = values[i];
      if (values[i] > most) most = values[i];
    }
  return (value) => Math.round((255 * (value - least)) / (most - least));
}

/** Writes a contact sheet as a PNG file (Node). */
export async function preview(dataset: Dataset, path: string, options: SheetOptions = {}): Promise<void> {
  await writeFileAtomic(path, await encodePng(await contactSheet(dataset, options)), 'preview');
}
