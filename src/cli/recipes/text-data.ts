/** Text as characters, cut into streams and windows for a model that reads on and on. Letters: K different characters. */
import { resolve } from 'node:path';
import { fromColumns } from '../../data/arrays.ts';
import type { Dataset } from '../../data/index.ts';
import { shakespearePath } from '../../data/named/texts.ts';
import { readText } from '../../io/files.ts';

export interface Text {
  /** The different characters, in the order of their code points. */
  readonly characters: readonly string[];
  /** The text as positions in that list. */
  readonly codes: Int32Array;
}

/** The file that --data or GRADIX_DATA leads to. Errors: not to be had. */
export const textSource = async (asked: string | undefined): Promise<string> => {
  if (asked?.endsWith('.txt')) return resolve(asked);
  return resolve(await shakespearePath(asked === undefined ? {} : { root: asked }));
};

export async function loadText(path: string): Promise<Text> {
  const text = [...(await readText(path, 'text'))];
  const characters = [...new Set(text)].sort();
  const codeOf = new Map(characters.map((character, i) => [character, i]));
  return { characters, codes: Int32Array.from(text, (character) => codeOf.get(character) ?? 0) };
}

/**
 * The text as `streams` long pieces that are read side by side, `steps` characters at a time: the batch number i holds the windows number i of all streams.
 * Fields x [steps] and y [steps], the characters that follow. In this order (without shuffling, batches of `streams`) a stateful model reads each stream in one go.
 */
export function streamsOf(codes: Int32Array, { streams, steps }: { readonly streams: number; readonly steps: number }): Dataset {
  const windows = Math.floor((codes.length - 1) / (streams * steps));
  const values = (shift: number): Int32Array => {
    const out = new Int32Array(windows * streams * steps);
    for (let row = 0; row < windows * streams; row++) {
      const start = (row % streams) * windows * steps + Math.floor(row / streams) * steps + shift;
      out.set(codes.subarray(start, start + steps), row * steps);
    }
    return out;
  };
  return fromColumns([
    { name: 'x', shape: [steps], dtype: 'int32', values: values(0) },
    { name: 'y', shape: [steps], dtype: 'int32', values: values(1) },
  ]);
}

/** Stands in targets for a character that is read but not judged. */
export const unjudged = -1;

/**
 * The text in at most `count` windows that are read apart from each other, all of one length: every character but the first is judged once, after at least `before`
 * characters of context (those near the beginning of the text after what there is).
 */
export function windowsOf(codes: Int32Array, { count, before }: { readonly count: number; readonly before: number }): Dataset {
  const judged = Math.ceil((codes.length - 1) / count);
  const rows = Math.ceil((codes.length - 1) / judged);
  const steps = before + judged;
  const [x, y] = [new Int32Array(rows * steps), new Int32Array(rows * steps).fill(unjudged)];
  for (let row = 0; row < rows; row++) {
    for (let step = 0; step < steps; step++) {
      const at = Math.max(0, row * judged - before) + step; // the place of the character that is read
      if (at + 1 >= codes.length) break;
      x[row * steps + step] = codes[at];
      if (at >= row * judged && at < (row + 1) * judged) y[row * steps + step] = codes[at + 1];
    }
  }
  return fromColumns([
    { name: 'x', shape: [steps], dtype: 'int32', values: x },
    { name: 'y', shape: [steps], dtype: 'int32', values: y },
  ]);
}
