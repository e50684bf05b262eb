/** Movement ops and leaves against hand-worked numbers, every path of the strided copies included. */
import { describe, expect, test } from 'vitest';
import { given, numbersOf, run } from '../../test/support/evaluate.ts';
import { gradientsOf } from '../autodiff/reverse.ts';
import { type Shape, sizeOf, stridesOf } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';

const counting = (shape: Shape): Node =>
  given(
    Array.from({ length: sizeOf(shape) }, (_, i) => i),
    { shape },
  );

/** Element by element, by what movement means: out[index] = x[where(index)]. */
function moved(x: Node, shape: Shape, where: (index: number[]) => number[] | number): number[] {
  const strides = stridesOf(shape);
  const from = stridesOf(x.shape);
  return Array.from({ length: sizeOf(shape) }, (_, position) => {
    const place = where(shape.map((d, i) => Math.floor(position / strides[i]) % d));
    return typeof place === 'number' ? place : place.reduce((total, p, i) => total + p * from[i], 0);
  });
}

describe('movement', () => {
  test('reshape gives the input array itself', () => {
    expect(run('reshape', [counting([2, 3])], { shape: [3, 2] })).toEqual([0, 1, 2, 3, 4, 5]);
    expect(() => build.reshape(counting([2, 3]), [4])).toThrow('reshape: [2, 3] has 6 elements, [4] would have 4');
  });

  test.each([
    [
      [3, 4],
      [1, 0],
    ],
    [
      [2, 3, 4],
      [2, 0, 1],
    ],
    [
      [4, 3, 30],
      [1, 0, 2],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 1, 3],
    ],
    [
      [2, 1, 3, 4],
      [3, 1, 2, 0],
    ],
  ])('permute %j by %j', (shape, axes) => {
    const x = counting(shape);
    const out = axes.map((a) => shape[a]);
    expect(run('permute', [x], { axes })).toEqual(moved(x, out, (index) => shape.map((_, a) => index[axes.indexOf(a)])));
  });

  test.each([
    [[3], [2, 3]],
    [
      [2, 1],
      [2, 3],
    ],
    [
      [2, 1],
      [2, 40],
    ],
    [[40], [5, 40]],
    [
      [2, 1, 3],
      [2, 4, 3],
    ],
    [
      [3, 1, 2, 1],
      [2, 3, 4, 2, 5],
    ],
    [
      [1, 30],
      [3, 2, 30],
    ],
    [[], [2, 2]],
  ])('broadcast %j to %j', (from, shape) => {
    const x = counting(from);
    const lead = shape.length - from.length;
    expect(run('broadcast', [x], { shape })).toEqual(moved(x, shape, (index) => from.map((d, i) => (d === 1 ? 0 : index[i + lead]))));
  });

  test('slice', () => {
    expect(run('slice', [counting([7])], { start: [1], size: [3], step: [2] })).toEqual([1, 3, 5]);
    const x = counting([4, 5, 3]);
    expect(run('slice', [x], { start: [1, 0, 2], size: [2, 3, 1], step: [2, 2, 1] })).toEqual(moved(x, [2, 3, 1], ([a, b, c]) => [1 + 2 * a, 2 * b, 2 + c]));
    expect(() => build.slice(x, [0, 3, 0], [4, 3, 3])).toThrow('slice: start 3, size 3, step 1 reach outside axis 1 of length 5');
  });

  test('pad, flip, concat', () => {
    expect(
      run('pad', [counting([2, 2])], {
        padding: [
          [1, 0],
          [0, 1],
        ],
        value: 9,
      }),
    ).toEqual([9, 9, 9, 0, 1, 9, 2, 3, 9]);
    expect(run('pad', [given([1], { dtype: 'float16' })], { padding: [[1, 0]], value: 0.5 })).toEqual([0.5, 1]);
    expect(run('flip', [counting([2, 3])], { axes: [1] })).toEqual([2, 1, 0, 5, 4, 3]);
    expect(run('flip', [counting([2, 3])], { axes: [0, 1] })).toEqual([5, 4, 3, 2, 1, 0]);
    expect(run('concat', [counting([2, 1]), counting([2, 2])], { axis: 1 })).toEqual([0, 0, 1, 1, 2, 3]);
    expect(run('concat', [counting([1, 2]), counting([2, 2])], { axis: 0 })).toEqual([0, 1, 0, 1, 2, 3]);
    expect(() => build.concat([counting([1, 2]), counting([1, 3])], 0)).toThrow('concat: shapes [1, 2] and [1, 3] differ in more than axis 0');
  });

  test('splitting and joining again is the identity', () => {
    const x = counting([3, 5]);
    const parts = [build.slice(x, [0, 0], [3, 2]), build.slice(x, [0, 2], [3, 3])];
    expect(numbersOf(build.concat(parts, 1))).toEqual(numbersOf(x));
  });

  test('the gradient of a copy is the sum of the gradients of the copies', () => {
    const x = counting([2, 1]);
    const out = build.broadcast(x, [3, 2, 4]);
    const [dx] = gradientsOf([out], [build.constantLike(1, out)], [x]);
    expect(dx && numbersOf(dx)).toEqual([12, 12]);
  });

  test('half floats are moved as they are, and their gradients summed in float32', () => {
    const x = given([1.5, -2], { dtype: 'bfloat16' });
    const out = build.broadcast(x, [3, 2]);
    expect(numbersOf(out)).toEqual([1.5, -2, 1.5, -2, 1.5, -2]);
    const [dx] = gradientsOf([out], [build.constantLike(1, out)], [x]);
    expect(dx?.dtype).toBe('bfloat16');
    expect(dx && numbersOf(dx)).toEqual([3, 3]);
  });
});

test('constants and ramps', () => {
  expect(numbersOf(build.constant(2.5, 'float16', [2]))).toEqual([2.5, 2.5]);
  expect(numbersOf(build.iota([2, 3], 1))).toEqual([0, 1, 2, 0, 1, 2]);
  expect(numbersOf(build.iota([2, 3], 0, 'float32'))).toEqual([0, 0, 0, 1, 1, 1]);
  expect(numbersOf(build.iota([0, 3], 0))).toEqual([]);
});
