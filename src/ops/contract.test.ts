import { expect, test } from 'vitest';
import type { DType, TypedArray } from '../core/dtype.ts';
import { bodyParameter, contract } from './build.ts';
import './index.ts';
import { evaluateGraph } from './evaluate.ts';

const leaf = (shape: readonly number[], dtype: DType = 'float32') => bodyParameter({ shape, dtype });

function run(labels: string, a: [number[], TypedArray], b: [number[], TypedArray], dtype: DType = 'float32') {
  const [operands, out] = labels.split('->');
  const [aLabels, bLabels] = operands.split(',');
  const [x, y] = [leaf(a[0], dtype), leaf(b[0], dtype)];
  const node = contract(x, y, { a: aLabels, b: bLabels, out });
  return { shape: node.shape, values: [...evaluateGraph([node], (n) => (n === x ? a[1] : b[1]))[0]] };
}

test('a matrix product, worked by hand', () => {
  const a: [number[], TypedArray] = [[2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)];
  const b: [number[], TypedArray] = [[3, 2], Float32Array.of(7, 8, 9, 10, 11, 12)];
  expect(run('mk,kn->mn', a, b)).toEqual({ shape: [2, 2], values: [58, 64, 139, 154] });
  expect(run('mk,kn->nm', a, b)).toEqual({ shape: [2, 2], values: [58, 139, 64, 154] });
  expect(run('mk,km->m', a, b)).toEqual({ shape: [2], values: [58, 154] });
  expect(run('mk,km->', a, b)).toEqual({ shape: [], values: [212] });
});

test('agrees with the sum written out, whatever the tile edges', () => {
  for (const [m, k, n] of [
    [1, 1, 1],
    [2, 3, 4],
    [3, 5, 5],
    [5, 4, 11],
    [7, 1, 3],
  ]) {
    const a = Float64Array.from({ length: 2 * m * k }, (_, i) => Math.sin(i));
    const b = Float64Array.from({ length: 2 * k * n }, (_, i) => Math.cos(3 * i));
    const { values } = run('bmk,bkn->bmn', [[2, m, k], a], [[2, k, n], b], 'float64');
    for (let batch = 0; batch < 2; batch++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let expected = 0;
          for (let p = 0; p < k; p++) expected += a[(batch * m + i) * k + p] * b[(batch * k + p) * n + j];
          expect(values[(batch * m + i) * n + j]).toBe(expected);
        }
  }
});

test('int32 wraps', () => {
  const big = 2 ** 31 - 1;
  expect(run('k,k->', [[2], Int32Array.of(big, 5)], [[2], Int32Array.of(big, 7)], 'int32').values).toEqual([36]); // (2³¹−1)² ≡ 1
});

test('labels that do not fit are refused in words', () => {
  const refuse = (labels: string, a: number[], b: number[]) => () => {
    const [operands, out] = labels.split('->');
    const [aLabels, bLabels] = operands.split(',');
    contract(leaf(a), leaf(b), { a: aLabels, b: bLabels, out });
  };
  expect(refuse('mk,kn->mn', [2, 3], [4, 5])).toThrow('contract: label "k" is 3 in a [2, 3] ("mk") but 4 in b [4, 5]');
  expect(refuse('mk,n->mn', [2, 3], [4])).toThrow('label "k" is only in a ("mk"), not in the result ("mn"). Sum over it before');
  expect(refuse('m,kn->mn', [2], [3, 4])).toThrow('label "k" is only in b');
  expect(refuse('kk,k->k', [2, 2], [2])).toThrow('label "k" stands twice in "kk"');
  expect(refuse('m,n->mnp', [2], [3])).toThrow('label "p" of the result is in neither');
  expect(refuse('mkp,kn->mn', [2, 3], [3, 5])).toThrow('labels "mkp" name 3 dimensions but a is [2, 3]');
  expect(() => contract(leaf([2, 2], 'bool'), leaf([2, 2], 'bool'), { a: 'mk', b: 'kn', out: 'mn' })).toThrow('got bool');
});
