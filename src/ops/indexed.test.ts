import { expect, test } from 'vitest';
import type { DType, TypedArray } from '../core/dtype.ts';
import { bodyParameter, cumsum, make, scatterAdd, take } from './build.ts';
import { evaluateGraph } from './evaluate.ts';
import './index.ts';

const leaf = (shape: readonly number[], dtype: DType = 'float32') => bodyParameter({ shape, dtype });

test('take reads rows and columns', () => {
  const [x, i] = [leaf([2, 3]), leaf([2], 'int32')];
  const leafValue = (n: unknown): TypedArray => (n === x ? Float32Array.of(1, 2, 3, 4, 5, 6) : Int32Array.of(1, 0));
  expect([...evaluateGraph([take(x, i, 0)], leafValue)[0]]).toEqual([4, 5, 6, 1, 2, 3]);
  expect([...evaluateGraph([take(x, i, 1)], leafValue)[0]]).toEqual([2, 1, 5, 4]);
});

test('scatterAdd adds what falls on the same place', () => {
  const [i, u] = [leaf([3], 'int32'), leaf([3])];
  expect([...evaluateGraph([scatterAdd(i, u, 0, 4)], (n) => (n === u ? Float32Array.of(1, 2, 4) : Int32Array.of(2, 0, 2)))[0]]).toEqual([2, 0, 5, 0]);
});

test('an index out of range is named', () => {
  const [x, i] = [leaf([3]), leaf([1], 'int32')];
  const read = (index: number) => () => evaluateGraph([take(x, i, 0)], (n) => (n === x ? new Float32Array(3) : Int32Array.of(index)));
  expect(read(3)).toThrow('take: index 3 is out of range for an axis of size 3. Indices are 0 … 2');
  expect(read(-1)).toThrow('index -1');
  expect(() => take(x, leaf([1]), 0)).toThrow('indices must be int32');
});

test('cumsum in all four ways', () => {
  const x = leaf([3]);
  const run = (options: { reverse?: boolean; exclusive?: boolean }) => [...evaluateGraph([cumsum(x, 0, options)], () => Float32Array.of(1, 2, 4))[0]];
  expect(run({})).toEqual([1, 3, 7]);
  expect(run({ exclusive: true })).toEqual([0, 1, 3]);
  expect(run({ reverse: true })).toEqual([7, 6, 4]);
  expect(run({ reverse: true, exclusive: true })).toEqual([6, 4, 0]);
});

test('argSort is stable and puts NaN last', () => {
  const run = (values: number[], descending: boolean, count = values.length) => {
    const x = leaf([values.length]);
    return [...evaluateGraph([make('argSort', [x], { descending, count })], () => Float32Array.from(values))[0]];
  };
  expect(run([2, Number.NaN, 1, 2, -Infinity, 1], false)).toEqual([4, 2, 5, 0, 3, 1]);
  expect(run([2, Number.NaN, 1, 2, -Infinity, 1], true)).toEqual([0, 3, 2, 5, 4, 1]);
  expect(run([0, -0, 0], true)).toEqual([0, 1, 2]);
  expect(run([3, 9, 5], true, 2)).toEqual([1, 2]);
  expect(() => run([3, 9, 5], true, 4)).toThrow('count must be 0 … 3');
});
