/** n-grams: probabilities that sum to 1, the formula by hand, the published figures on tinyshakespeare. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ngram } from './ngram.ts';

it('sums to 1 after any context, seen or not', () => {
  const text = [0, 1, 2, 0, 1, 3, 0, 1, 2, 2];
  const model = ngram(text, { order: 3, symbols: 5 });
  for (const context of [[0, 1], [2, 2], [4, 4], [1]]) {
    const total = [0, 1, 2, 3, 4].reduce((sum, c) => sum + model.probabilities([...context, c], context.length)[0], 0);
    expect(total).toBeCloseTo(1, 12);
  }
});

it('is the formula of Witten and Bell, by hand', () => {
  const text = [0, 1, 0, 1, 0, 0];
  // Without context: N = 6, D = 2, N(1) = 2; after 0: N = 3, D = 2, N(1) = 2.
  const unigram = (2 + 2 / 3) / 8;
  expect(ngram(text, { order: 0, symbols: 3 }).probabilities([1])[0]).toBeCloseTo(1 / 3, 15);
  expect(ngram(text, { order: 1, symbols: 3 }).probabilities([1])[0]).toBeCloseTo(unigram, 15);
  expect(ngram(text, { order: 2, symbols: 3 }).probabilities([0, 1], 1)[0]).toBeCloseTo((2 + 2 * unigram) / 5, 15);
  expect(() => ngram(text, { order: 40, symbols: 3 })).toThrow('ngram: order 40 is too high for 3 symbols.');
});

const path = `${process.env.GRADIX_DATA ?? new URL('../../../shared/data', import.meta.url).pathname}/tinyshakespeare/input.txt`;
it.skipIf(!existsSync(path))('tinyshakespeare, last tenth (skipped without the file): 3.347 and 1.669 nats for 1- and 5-grams', () => {
  const characters = [...readFileSync(path, 'utf8')];
  const known = [...new Set(characters)].sort();
  const codes = Int32Array.from(characters, (c) => known.indexOf(c));
  const from = Math.floor(0.9 * codes.length);
  const losses = [1, 5].map((order) => ngram(codes.subarray(0, from), { order, symbols: known.length }).loss(codes, from));
  expect(losses.map((loss) => loss.toFixed(3))).toEqual(['3.347', '1.669']);
});
