/** Reductions against hand-worked numbers. */
import { describe, expect, test } from 'vitest';
import { given, numbersOf, run } from '../../test/support/evaluate.ts';
import { gradientsOf } from '../autodiff/reverse.ts';
import type { DType } from '../core/dtype.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';

const nan = Number.NaN;
const matrix = (rows: readonly (readonly number[])[], dtype: DType = 'float64'): Node => given(rows.flat(), { shape: [rows.length, rows[0].length], dtype });
const gradient = (out: Node, x: Node): number[] => {
  const [dx] = gradientsOf([out], [build.constantLike(1, out)], [x]);
  return dx ? numbersOf(dx) : [];
};

describe('reductions', () => {
  const x = matrix([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  test('along rows, columns, everything', () => {
    expect(run('sum', [x], { axes: [1] })).toEqual([6, 15]);
    expect(run('sum', [x], { axes: [0] })).toEqual([5, 7, 9]);
    expect(run('sum', [x], { axes: [0, 1] })).toEqual([21]);
    expect(run('prod', [x], { axes: [0] })).toEqual([4, 10, 18]);
    expect(run('max', [x], { axes: [1] })).toEqual([3, 6]);
    expect(run('min', [x], { axes: [0] })).toEqual([1, 2, 3]);
  });

  test('axes that are not neighbours', () => {
    const cube = given(
      Array.from({ length: 24 }, (_, i) => i),
      { shape: [2, 3, 4] },
    );
    expect(run('sum', [cube], { axes: [0, 2] })).toEqual([60, 92, 124]);
    expect(run('max', [cube], { axes: [0, 2] })).toEqual([15, 19, 23]);
  });

  test('nothing sums to 0 and multiplies to 1; it has no maximum', () => {
    const empty = given([], { shape: [2, 0] });
    expect(run('sum', [empty], { axes: [1] })).toEqual([0, 0]);
    expect(run('prod', [empty], { axes: [1] })).toEqual([1, 1]);
    expect(() => build.max(empty, [1])).toThrow('there is no max of no elements');
  });

  test('float32 is summed in float64', () => {
    expect(run('sum', [given([1e8, 1, -1e8, 1])], { axes: [0] })).toEqual([2]);
  });

  test('int32 wraps; smaller integers are refused', () => {
    const int = given([2 ** 31 - 1, 1, 1], { dtype: 'int32' });
    expect(run('sum', [int], { axes: [0] })).toEqual([-(2 ** 31) + 1]);
    expect(run('max', [given([-5, -3], { dtype: 'int32' })], { axes: [0] })).toEqual([-3]);
    expect(() => build.sum(given([1], { dtype: 'uint8' }))).toThrow("sum: expected float32, float64 or int32, got uint8. Cast to 'int32' first.");
    expect(() => build.sum(given([1], { dtype: 'bool' }))).toThrow('sum: expected numbers, got bool');
  });

  test('NaN wins', () => {
    expect(
      run(
        'max',
        [
          matrix([
            [1, nan, 3],
            [nan, 1, 2],
          ]),
        ],
        { axes: [1] },
      ),
    ).toEqual([nan, nan]);
    expect(
      run(
        'min',
        [
          matrix([
            [1, nan, 3],
            [3, 1, 2],
          ]),
        ],
        { axes: [1] },
      ),
    ).toEqual([nan, 1]);
    expect(
      run(
        'argMax',
        [
          matrix([
            [1, nan, 3],
            [5, 5, 2],
            [nan, 9, nan],
          ]),
        ],
        { axis: 1 },
      ),
    ).toEqual([1, 0, 0]);
    expect(
      run(
        'argMin',
        [
          matrix([
            [1, 0, 0],
            [5, nan, 2],
          ]),
        ],
        { axis: 1 },
      ),
    ).toEqual([1, 1]);
    expect(
      run(
        'argMax',
        [
          matrix([
            [1, 9],
            [5, 2],
          ]),
        ],
        { axis: 0 },
      ),
    ).toEqual([1, 0]);
  });

  test('equal maxima share the gradient', () => {
    const tied = matrix([
      [1, 3, 3],
      [4, 0, 1],
    ]);
    expect(gradient(build.max(tied, [1]), tied)).toEqual([0, 0.5, 0.5, 1, 0, 0]);
  });

  test('the gradient of a product with zeros', () => {
    const zeros = matrix([
      [2, 0, 3, 4],
      [0, 0, 5, 6],
      [1, 2, 3, 4],
    ]);
    expect(gradient(build.fold('prod', zeros, [1]), zeros)).toEqual([0, 24, 0, 0, 0, 0, 0, 0, 24, 12, 8, 6]);
  });

  test('axes are checked', () => {
    expect(() => build.make('sum', [x], { axes: [2] })).toThrow('sum: axis 2 is out of range for a tensor of rank 2');
    expect(() => build.make('sum', [x], { axes: [1, 0] })).toThrow('ascending');
  });
});
