/**
 * Byte-pair encoding (Sennrich, Haddow, Birch 2016) over the bytes of UTF-8, so that every text can be encoded: tokens 0 … 255 are the bytes, each further
 * one is a pair of earlier tokens. Pairs do not cross words; a word begins with the white space before it.
 */
import { fail } from '../../core/errors.ts';
import type { Tokenizer } from './tokenizer.ts';

type Merge = readonly [left: number, right: number];

const bytes = 256;
const keyOf = (left: number, right: number): number => left * 2 ** 26 + right;

/** Spaces with the letters or digits after them, other marks, and remaining white space, in runs of bounded length. Nothing is lost. */
const pieces = (text: string): string[] => text.match(/ ?\p{L}{1,255}| ?\p{N}{1,255}| ?[^\s\p{L}\p{N}]{1,255}|\s{1,255}/gu) ?? [];
/** No token can be longer than a piece: 256 characters of four bytes. */
const longest = 1024;

interface Word {
  tokens: number[];
  readonly count: number;
}

/** Learns a vocabulary of `size` tokens (at least 256) from `text`: again and again the most frequent pair (ties: the smaller numbers) becomes a token. */
export function bytePairs(text: string, { size }: { readonly size: number }): Tokenizer {
  if (!Number.isInteger(size) || size < bytes || size > 2 ** 20)
    fail('argument', 'bytePairs', `size must be a whole number in ${bytes} … ${2 ** 20}, got ${size}`);
  const counts = new Map<string, number>();
  for (const piece of pieces(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const vocabulary: Word[] = [...counts].map(([word, count]) => ({ tokens: [...new TextEncoder().encode(word)], count }));
  const pairs = new PairCounts(vocabulary);
  const merges: Merge[] = [];
  while (bytes + merges.length < size) {
    const best = pairs.best();
    if (best === undefined) break;
    pairs.merge(best, bytes + merges.length);
    merges.push(best);
  }
  return bytePairTokenizer(merges);
}

/** How often each pair occurs, and in which words, kept up to date while pairs are merged. */
class PairCounts {
  readonly #words: readonly Word[];
  readonly #counts = new Map<number, number>();
  readonly #where = new Map<number, Set<number>>();

  constructor(words: readonly Word[]) {
    this.#words = words;
    for (const i of words.keys()) this.#add(i, 1);
  }

  #add(index: number, sign: 1 | -1): void {
    const { tokens, count } = this.#words[index];
    for (let i = 0; i + 1 < tokens.length; i++) {
      const key = keyOf(tokens[i], tokens[i + 1]);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign * count);
      const where = this.#where.get(key) ?? new Set();
      if (sign > 0) this.#where.set(key, where.add(index));
    }
  }

  /** The most frequent pair, if one occurs at least twice. */
  best(): Merge | undefined {
    let [bestKey, most] = [0, 1];
    for (const [key, count] of this.#counts) if (count > most || (count === most && most > 1 && key < bestKey)) [bestKey, most] = [key, count];
    return most > 1 ? [Math.floor(bestKey / 2 ** 26), bestKey % 2 ** 26] : undefined;
  }

  merge(pair: Merge, token: number): void {
    const key = keyOf(...pair);
    for (const index of this.#where.get(key) ?? []) {
      this.#add(index, -1);
      this.#words[index].tokens = merged(this.#words[index].tokens, pair, token);
      this.#add(index, 1);
    }
    this.#counts.delete(key);
    this.#where.delete(key);
  }
}

/** Replaces a pair, from left to right. */
function merged(tokens: readonly number[], [left, right]: Merge, token: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === left && tokens[i + 1] === right) {
      result.push(token);
      i++;
    } else result.push(tokens[i]);
  }
  return result;
}

export function bytePairTokenizer(merges: readonly Merge[]): Tokenizer {
  const ranks = new Map(merges.map(([left, right], i) => [keyOf(left, right), i]));
  const spelt: Uint8Array[] = Array.from({ length: bytes }, (_, byte) => Uint8Array.of(byte));
  for (const [left, right] of merges) {
    const length = (spelt[left]?.length ?? longest) + (spelt[right]?.length ?? longest);
    if (length > longest) fail('data', 'bytePairs', `the pair ${left}, ${right} has unknown parts or is too long`, 'The saved vocabulary is corrupt.');
    spelt.push(Uint8Array.of(...spelt[left], ...spelt[right]));
  }
  const known = new Map<string, readonly number[]>();
  const encodePiece = (piece: string): readonly number[] => {
    const seen = known.get(piece);
    if (seen) return seen;
    let tokens: number[] = [...new TextEncoder().encode(piece)];
    for (;;) {
      let first = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < tokens.length; i++) first = Math.min(first, ranks.get(keyOf(tokens[i], tokens[i + 1])) ?? first);
      if (first === Number.POSITIVE_INFINITY) break;
      tokens = merged(tokens, merges[first], bytes + first);
    }
    if (known.size < 50_000) known.set(piece, tokens);
    return tokens;
  };
  return {
    size: bytes + merges.length,
    encode: (text) => Int32Array.from(pieces(text).flatMap(encodePiece)),
    decode: (list) => {
      const parts = Array.from(list, (token) => spelt[token] ?? fail('argument', 'decode', `${token} is no token in 0 … ${spelt.length - 1}`));
      return new TextDecoder().decode(Uint8Array.from(parts.flatMap((part) => [...part])));
    },
    saved: () => ({ kind: 'bytePairs', merges }),
  };
}
