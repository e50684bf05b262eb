/** Tokenizers and windows over text. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytePairs } from './byte-pair.ts';
import { fromSaved, fromText } from './text.ts';
import { characters, splitWords, words } from './tokenizer.ts';

const sample = 'the cat sat on the mat. The cat, the hat: “naïve” 12 34!\n\nthe end of the tale 🙂';

describe('tokenizers', () => {
  test('characters', () => {
    const tokenizer = characters('hello 🙂');
    expect(tokenizer.size).toBe(6);
    expect([...tokenizer.encode('ole')]).toEqual([4, 3, 1]);
    expect(tokenizer.decode(tokenizer.encode('🙂 hello'))).toBe('🙂 hello');
    expect(() => tokenizer.encode('x')).toThrow('encode: the character "x" is not in the vocabulary.');
    expect(() => tokenizer.decode([6])).toThrow('decode: 6 is no token in 0 … 5.');
  });

  test('words, by frequency, with unknown ones', () => {
    expect(splitWords("Don't stop, 3rd naïve.")).toEqual(["Don't", 'stop', ',', '3rd', 'naïve', '.']);
    const tokenizer = words('a b b c c c', { size: 6 });
    expect([...tokenizer.encode('C b a')]).toEqual([4, 5, 1]);
    expect(tokenizer.decode([4, 5, 1])).toBe('c b <unk>');
    expect([...words('A a', { lowerCase: false }).encode('a A')]).toEqual([5, 4]);
    expect(() => words('a', { size: 4 })).toThrow(/size must be a whole number > 4/);
  });

  test('byte pairs: the worked example of the paper', () => {
    // low ×5, lower ×2, newest ×6, widest ×3: e s, es t, then l o (Sennrich et al. 2016, figure 1, without their end-of-word mark).
    const text = ['low', 'lower', 'newest', 'widest'].flatMap((word, i) => Array.from({ length: [5, 2, 6, 3][i] }, () => word)).join('|');
    const tokenizer = bytePairs(text.replaceAll('|', '\n'), { size: 259 });
    expect([256, 257, 258].map((token) => tokenizer.decode([token]))).toEqual(['es', 'est', 'lo']);
    expect([...tokenizer.encode('lowest')].map((token) => tokenizer.decode([token]))).toEqual(['lo', 'w', 'est']);
  });

  test('byte pairs give every text back and shorten what they have learnt', () => {
    const tokenizer = bytePairs(sample.repeat(3), { size: 300 });
    expect(tokenizer.encode(sample).length).toBeLessThan(0.6 * new TextEncoder().encode(sample).length);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x10ffff })), (codes) => {
        const text = String.fromCodePoint(...codes);
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(new TextDecoder().decode(new TextEncoder().encode(text)));
      }),
      { numRuns: 50 },
    );
  });

  test('saved tokenizers are the same', () => {
    for (const tokenizer of [characters(sample), words(sample), bytePairs(sample, { size: 280 })]) {
      const again = fromSaved(JSON.parse(JSON.stringify(tokenizer.saved())));
      expect(again.size).toBe(tokenizer.size);
      expect(again.encode(sample)).toEqual(tokenizer.encode(sample));
    }
    expect(() => fromSaved({ kind: 'bytePairs', merges: [[256, 1]] })).toThrow(/the pair 256, 1 has unknown parts or is too long/);
  });
});

describe('windows', () => {
  test('y is x one token later', async () => {
    const { examples, tokenizer } = fromText('abcdefghij', { length: 3 });
    expect(examples.length).toBe(3);
    const [x, y] = await examples.read([0, 2]);
    expect(tokenizer.decode(x as Int32Array)).toBe('abcghi');
    expect(tokenizer.decode(y as Int32Array)).toBe('bcdhij');
    expect(fromText('abcdefghij', { length: 3, stride: 1 }).examples.length).toBe(7);
    expect(() => fromText('abc', { length: 3 })).toThrow(/the text has 3 tokens, too few for one window of 3/);
  });
});
