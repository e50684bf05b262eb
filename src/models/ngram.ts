/** ngram: the probability of a symbol after the n − 1 before it, by counting, smoothed as Witten & Bell (1991) advise: a yardstick for nets that read text. */
import { fail } from '../core/errors.ts';
import { checkWhole } from '../nn/options.ts';

/** What followed a context. */
interface Followers {
  total: number;
  readonly counts: Map<number, number>;
}

export interface Ngram {
  /** The probability of each symbol, given all before it (those of the text before `from` too). */
  probabilities(text: ArrayLike<number>, from?: number): Float64Array;
  /** −ln of them, on average: nats per symbol. */
  loss(text: ArrayLike<number>, from?: number): number;
}

/**
 * Counts what follows each run of 0 … order − 1 symbols of `text` (whole numbers below `symbols`). With N occurrences of a context and D different followers,
 * p(c | context) = (N(c) + D p(c | shorter context)) / (N + D), and 1 / symbols below the shortest. Order 0 knows nothing: 1 / symbols.
 */
export function ngram(text: ArrayLike<number>, { order, symbols }: { readonly order: number; readonly symbols: number }): Ngram {
  checkWhole('ngram', 'order', order, 0);
  checkWhole('ngram', 'symbols', symbols);
  if (symbols ** Math.max(0, order - 1) > Number.MAX_SAFE_INTEGER) fail('argument', 'ngram', `order ${order} is too high for ${symbols} symbols`);
  // A context is written as a number in base `symbols`; one table per length.
  const tables = Array.from({ length: order }, () => new Map<number, Followers>());
  for (let at = 0; at < text.length; at++) {
    let context = 0;
    for (let length = 0; length < order && length <= at; length++) {
      if (length > 0) context += text[at - length] * symbols ** (length - 1);
      const followers = tables[length].get(context) ?? { total: 0, counts: new Map<number, number>() };
      if (followers.total === 0) tables[length].set(context, followers);
      followers.total++;
      followers.counts.set(text[at], (followers.counts.get(text[at]) ?? 0) + 1);
    }
  }
  const probability = (given: ArrayLike<number>, at: number): number => {
    let p = 1 / symbols;
    let context = 0;
    for (let length = 0; length < order && length <= at; length++) {
      if (length > 0) context += given[at - length] * symbols ** (length - 1);
      const followers = tables[length].get(context);
      if (followers === undefined) break; // longer contexts are unknown too
      const different = followers.counts.size;
      p = ((followers.counts.get(given[at]) ?? 0) + different * p) / (followers.total + different);
    }
    return p;
  };
  const probabilities = (given: ArrayLike<number>, from = 0) => Float64Array.from({ length: given.length - from }, (_, i) => probability(given, from + i));
  return {
    probabilities,
    loss: (given, from) => {
      const all = probabilities(given, from);
      return -all.reduce((sum, p) => sum + Math.log(p), 0) / all.length;
    },
  };
}
