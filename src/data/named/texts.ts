/** Texts: Shakespeare's plays for language models, and English–French sentence pairs for translation. */
import { fail } from '../../core/errors.ts';
import { fromColumns } from '../arrays.ts';
import type { Dataset } from '../dataset.ts';
import { type NamedFiles, type NamedOptions, obtainFiles } from '../files.ts';
import { openArchive } from '../formats/archive.ts';
import { bytesSource } from '../formats/bytes.ts';
import { fileBytes } from '../open.ts';
import { generator, permutation } from '../random.ts';
import { fromText, type TextOptions } from '../text/text.ts';
import { specialWords, type Tokenizer, words } from '../text/tokenizer.ts';

const shakespeareAt = 'https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/';
const shakespeareFiles: NamedFiles = {
  name: 'shakespeare',
  folders: ['tinyshakespeare', 'shakespeare'],
  files: {
    text: {
      names: ['input.txt'],
      remote: { url: `${shakespeareAt}input.txt`, checksum: { kind: 'sha256', value: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed' } },
    },
  },
  publisher: shakespeareAt,
  ownFolder: true,
};

export interface TextParts {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly tokenizer: Tokenizer;
}

/** The file of the plays, found or downloaded. */
export const shakespearePath = async (options: NamedOptions = {}): Promise<string> => (await obtainFiles(shakespeareFiles, options)).text;

/** Shakespeare's plays (1.1 million characters, 65 distinct): the first nine tenths to train, the rest to test. See text() for fields and options. */
export async function shakespeare({ tokenizer, length, stride, ...options }: NamedOptions & TextOptions = {}): Promise<TextParts> {
  const content = new TextDecoder().decode(await fileBytes(await shakespearePath(options), 'shakespeare'));
  const windows = { ...(length && { length }), ...(stride && { stride }) };
  // Cut before windows are made, so that none of the test's text is seen in training; the vocabulary is that of the whole.
  const whole = fromText(content, { ...windows, ...(tokenizer && { tokenizer }) });
  const cut = Math.floor(0.9 * content.length);
  const part = (text: string) => fromText(text, { ...windows, tokenizer: whole.tokenizer }).examples;
  return { train: part(content.slice(0, cut)), test: part(content.slice(cut)), tokenizer: whole.tokenizer };
}

const tatoebaAt = 'https://www.manythings.org/anki/';
const tatoebaFiles: NamedFiles = {
  name: 'tatoeba',
  folders: ['translation', 'tatoeba'],
  files: { pairs: { names: ['fra-eng.zip', 'fra.txt'], remote: { url: `${tatoebaAt}fra-eng.zip` } } },
  publisher: tatoebaAt,
};

export interface TatoebaOptions extends NamedOptions {
  /** Words per sentence, with start and end (default 16); pairs with a longer sentence are left out. */
  readonly length?: number;
  /** Words of each vocabulary (default 8,000). */
  readonly size?: number;
}

export interface Translation {
  /** Fields x int32 [length], the English words, and y int32 [length], the French ones, each `<start> … <end>` followed by `<pad>`. */
  readonly train: Dataset;
  readonly test: Dataset;
  readonly english: Tokenizer;
  readonly french: Tokenizer;
}

/** English–French sentence pairs of the Tatoeba project; a tenth of the English sentences, drawn, to test. The publisher's file grows, so it has no checksum. */
export async function tatoeba({ length = 16, size = 8000, ...options }: TatoebaOptions = {}): Promise<Translation> {
  if (!Number.isInteger(length) || length < 3) fail('argument', 'tatoeba', `length must be a whole number ≥ 3, got ${length}`);
  const { pairs: path } = await obtainFiles(tatoebaFiles, options);
  const pairs = sentencePairs(await pairText(path), path);
  const [english, french] = [0, 1].map((side) => words(pairs.map((pair) => pair[side]).join('\n'), { size }));
  const encoded = pairs.map(([left, right]) => [english.encode(left), french.encode(right)] as const);
  const fits = encoded.map((pair) => pair.every((tokens) => tokens.length + 2 <= length));
  // An English sentence with several translations goes into one part with all of them, so that none of the test's is seen in training.
  const sentences = [...new Set(pairs.map(([left]) => left))];
  const order = permutation(sentences.length, generator(0, 0x7a70));
  const held = new Set(Array.from(order.subarray(0, Math.round(sentences.length / 10)), (i) => sentences[i]));
  const part = (tested: boolean): Dataset => {
    const chosen = encoded.filter((_, i) => fits[i] && held.has(pairs[i][0]) === tested);
    const columns = [0, 1].map((side) => {
      const values = new Int32Array(chosen.length * length);
      for (const [i, pair] of chosen.entries()) values.set([start, ...pair[side], end], i * length);
      return { name: side === 0 ? 'x' : 'y', shape: [length], dtype: 'int32', values } as const;
    });
    return fromColumns(columns);
  };
  return { train: part(false), test: part(true), english, french };
}

const [start, end] = [specialWords.indexOf('<start>'), specialWords.indexOf('<end>')];

async function pairText(path: string): Promise<string> {
  const bytes = await fileBytes(path, 'tatoeba');
  if (!path.endsWith('.zip')) return new TextDecoder().decode(bytes);
  return new TextDecoder().decode(await (await openArchive(bytesSource(bytes, path))).read('fra.txt'));
}

/** Lines of English, tab, French; further columns are passed over. */
function sentencePairs(text: string, path: string): (readonly [string, string])[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, i) => {
    const [left, right] = line.split('\t');
    return right === undefined ? fail('data', 'tatoeba', `${path} line ${i + 1} has no tab between two sentences`) : ([left, right.trimEnd()] as const);
  });
}
