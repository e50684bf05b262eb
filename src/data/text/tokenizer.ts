/** Tokenizers: text to numbers and back, over characters, words, or byte pairs (byte-pair.ts). Each can be saved as JSON. */
import { fail } from '../../core/errors.ts';

export interface Tokenizer {
  /** Numbers that encode may give: 0 … size − 1. */
  readonly size: number;
  encode(text: string): Int32Array;
  decode(tokens: ArrayLike<number>): string;
  /** Plain values from which fromSaved makes it again. */
  saved(): SavedTokenizer;
}

export type SavedTokenizer =
  | { readonly kind: 'characters'; readonly tokens: readonly string[] }
  | { readonly kind: 'words'; readonly tokens: readonly string[]; readonly lowerCase: boolean }
  | { readonly kind: 'bytePairs'; readonly merges: readonly (readonly [number, number])[] };

const checked = (token: number, size: number): number =>
  Number.isInteger(token) && token >= 0 && token < size ? token : fail('argument', 'decode', `${token} is no token in 0 … ${size - 1}`);

/** One token per character (code point) that occurs in `text`, in the order of their codes. Errors: encode meets another character. */
export const characters = (text: string): Tokenizer => characterTokenizer([...new Set(text)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0)));

export function characterTokenizer(tokens: readonly string[]): Tokenizer {
  const numbers = new Map(tokens.map((token, i) => [token, i]));
  return {
    size: tokens.length,
    encode: (text) =>
      Int32Array.from(
        Array.from(
          text,
          (character) => numbers.get(character) ?? fail('data', 'encode', `the character ${JSON.stringify(character)} is not in the vocabulary`),
        ),
      ),
    decode: (list) => Array.from(list, (token) => tokens[checked(token, tokens.length)]).join(''),
    saved: () => ({ kind: 'characters', tokens }),
  };
}

export interface WordOptions {
  /** Keep the most frequent so many (default all); others become the unknown word. */
  readonly size?: number;
  /** Default true. */
  readonly lowerCase?: boolean;
}

/** The first tokens of a word vocabulary: filling, unknown words, beginning and end of a text. */
export const specialWords = ['<pad>', '<unk>', '<start>', '<end>'] as const;
const unknown = 1;

/** Words are runs of letters and digits with inner apostrophes; other marks stand for themselves; white space only separates. */
export const splitWords = (text: string): string[] => text.match(/[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]/gu) ?? [];

/** One token per word of `text`, the most frequent first (ties in alphabetical order), after `specialWords`. */
export function words(text: string, { size, lowerCase = true }: WordOptions = {}): Tokenizer {
  const counts = new Map<string, number>();
  for (const word of splitWords(lowerCase ? text.toLowerCase() : text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const ordered = [...counts.entries()].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([word]) => word);
  const room = size === undefined ? ordered.length : size - specialWords.length;
  if (!(room >= 1)) fail('argument', 'words', `size must be a whole number > ${specialWords.length}, got ${size}`);
  return wordTokenizer([...specialWords, ...ordered.slice(0, room)], lowerCase);
}

export function wordTokenizer(tokens: readonly string[], lowerCase: boolean): Tokenizer {
  const numbers = new Map(tokens.map((token, i) => [token, i]));
  return {
    size: tokens.length,
    encode: (text) => Int32Array.from(splitWords(lowerCase ? text.toLowerCase() : text), (word) => numbers.get(word) ?? unknown),
    decode: (list) => Array.from(list, (token) => tokens[checked(token, tokens.length)]).join(' '),
    saved: () => ({ kind: 'words', tokens, lowerCase }),
  };
}
