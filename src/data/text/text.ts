/** Text as a dataset: windows of tokens, each with the same window one token later, which a language model learns to predict. */
import { fail } from '../../core/errors.ts';
import { Dataset } from '../dataset.ts';
import { type FileLike, fileBytes } from '../open.ts';
import type { Rows } from '../source.ts';
import { bytePairs, bytePairTokenizer } from './byte-pair.ts';
import { characters, characterTokenizer, type SavedTokenizer, type Tokenizer, words, wordTokenizer } from './tokenizer.ts';

export interface TextOptions {
  /** Default: characters. Byte pairs get a vocabulary of 1,024. */
  readonly tokenizer?: 'characters' | 'words' | 'bytePairs' | Tokenizer;
  /** Tokens per window (default 64). */
  readonly length?: number;
  /** Tokens from one window to the next (default: the length, so that windows do not overlap). */
  readonly stride?: number;
}

export interface TextData {
  /** Fields x int32 [length] and y int32 [length], y one token later. In the text's order: `examples.split([0.9, 0.1], { shuffle: false })`. */
  readonly examples: Dataset;
  readonly tokenizer: Tokenizer;
}

/** Windows over a text in memory. Errors: shorter than one window. */
export function fromText(content: string, { tokenizer: asked = 'characters', length = 64, stride = length }: TextOptions = {}): TextData {
  for (const [name, value] of Object.entries({ length, stride }))
    if (!Number.isInteger(value) || value < 1) fail('argument', 'text', `${name} must be a whole number ≥ 1, got ${value}`);
  const tokenizer = typeof asked === 'object' ? asked : makers[asked](content);
  const tokens = tokenizer.encode(content);
  const count = Math.floor((tokens.length - 1 - length) / stride) + 1;
  if (count < 1)
    fail('data', 'text', `the text has ${tokens.length} tokens, too few for one window of ${length} and the token after it`, 'Use a smaller length.');
  const windows = (rows: Rows, later: number): Int32Array => {
    const values = new Int32Array(rows.length * length);
    for (let i = 0; i < rows.length; i++) values.set(tokens.subarray(rows[i] * stride + later, rows[i] * stride + later + length), i * length);
    return values;
  };
  const fields = ['x', 'y'].map((name) => ({ name, shape: [length], dtype: 'int32' }) as const);
  return { examples: new Dataset({ length: count, fields, read: (rows) => [windows(rows, 0), windows(rows, 1)] }), tokenizer };
}

const makers: Readonly<Record<'characters' | 'words' | 'bytePairs', (content: string) => Tokenizer>> = {
  characters,
  words: (content) => words(content),
  bytePairs: (content) => bytePairs(content, { size: 1024 }),
};

/** Windows over a text file (UTF-8, plain or gzip). */
export const text = async (from: FileLike, options: TextOptions = {}): Promise<TextData> =>
  fromText(new TextDecoder().decode(await fileBytes(from, 'text')), options);

/** A tokenizer from what `saved()` gave. Errors: anything else. */
export function fromSaved(saved: SavedTokenizer): Tokenizer {
  const corrupt = (): never => fail('data', 'fromSaved', 'the value is no saved tokenizer', 'Give what saved() returned.');
  if (typeof saved !== 'object' || saved === null) return corrupt();
  const texts = (list: unknown) => (Array.isArray(list) && list.every((token) => typeof token === 'string') ? list : corrupt());
  const pairs = (list: unknown) => (Array.isArray(list) && list.every((pair) => Array.isArray(pair) && pair.length === 2) ? list : corrupt());
  switch (saved.kind) {
    case 'characters':
      return characterTokenizer(texts(saved.tokens));
    case 'words':
      return wordTokenizer(texts(saved.tokens), saved.lowerCase === true);
    case 'bytePairs':
      return bytePairTokenizer(pairs(saved.merges));
    default:
      return corrupt();
  }
}
