/** Unary and binary ops and select against hand-worked numbers. */
import { describe, expect, test } from 'vitest';
import { given, numbersOf, run } from '../../test/support/evaluate.ts';
import { gradientsOf } from '../autodiff/reverse.ts';
import { erf } from '../core/special.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';

const nan = Number.NaN;
const infinity = Number.POSITIVE_INFINITY;
const double = (values: readonly number[]): Node => given(values, { dtype: 'float64' });
const int = (values: readonly number[]): Node => given(values, { dtype: 'int32' });
const bool = (values: readonly number[]): Node => given(values, { dtype: 'bool' });
const gradient = (out: Node, ...wrt: Node[]): number[][] => gradientsOf([out], [build.constantLike(1, out)], wrt).map((g) => (g ? numbersOf(g) : []));

describe('unary', () => {
  test.each([
    ['neg', [1, -2, 0], [-1, 2, -0]],
    ['abs', [-3, 0, 2], [3, 0, 2]],
    ['sign', [-3, 0, 2, nan], [-1, 0, 1, nan]],
    ['exp', [0, 1, -infinity], [1, Math.E, 0]],
    ['log', [1, Math.E, 0, -1], [0, 1, -infinity, nan]],
    ['log1p', [0, 1e-20], [0, 1e-20]],
    ['expm1', [0, 1e-20], [0, 1e-20]],
    ['sqrt', [4, 0, -1], [2, 0, nan]],
    ['rsqrt', [4, 0], [0.5, infinity]],
    ['reciprocal', [4, 0, -0.5], [0.25, infinity, -2]],
    ['sin', [0, Math.PI / 2], [0, 1]],
    ['cos', [0, Math.PI], [1, -1]],
    ['tan', [0, Math.PI / 4], [0, 1]],
    ['tanh', [0, 100, -100], [0, 1, -1]],
    ['sigmoid', [0, 1000, -1000, Math.log(3)], [0.5, 1, 0, 0.75]],
    ['floor', [1.5, -1.5, 2], [1, -2, 2]],
    ['ceil', [1.5, -1.5, 2], [2, -1, 2]],
    ['round', [0.5, 1.5, 2.5, -0.5, -1.5, 2.6], [0, 2, 2, -0, -2, 3]],
  ] as const)('%s', (name, x, expected) => {
    const got = run(name, [double(x)], {});
    for (const [i, y] of got.entries()) {
      if (Number.isNaN(expected[i])) expect(y).toBeNaN();
      else expect(y).toBeCloseTo(expected[i], 14);
    }
  });

  test('isNaN and logicalNot give bools', () => {
    const x = double([nan, 1, infinity]);
    expect(build.unary('isNaN', x).dtype).toBe('bool');
    expect(run('isNaN', [x], {})).toEqual([1, 0, 0]);
    expect(run('logicalNot', [bool([1, 0])], {})).toEqual([0, 1]);
  });

  test('erf to the last digits', () => {
    expect(erf(0)).toBe(0);
    const known: [number, number][] = [
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [3, 0.9999779095030014],
    ];
    for (const [x, y] of known) {
      expect(Math.abs(erf(x) - y)).toBeLessThan(5e-16);
      expect(erf(-x)).toBe(-erf(x));
    }
    expect(erf(1e-10)).toBeCloseTo(1.1283791670955126e-10, 25);
    expect([erf(6), erf(-100), erf(infinity), erf(nan)]).toEqual([1, -1, 1, nan]);
    // Between the centres of expansion: agrees with the plain Maclaurin series.
    for (let x = 0.01; x < 1.5; x += 0.0137) {
      let series = 0;
      for (let n = 0, term = x; n < 60; n++, term *= (-x * x) / n) series += term / (2 * n + 1);
      expect(Math.abs(erf(x) - (2 / Math.sqrt(Math.PI)) * series)).toBeLessThan(5e-16);
    }
  });

  test('cast truncates, tests for truth and rounds', () => {
    const x = given([-2.7, 0.5, 0, 300]);
    expect(run('cast', [x], { dtype: 'int32' })).toEqual([-2, 0, 0, 300]);
    expect(run('cast', [x], { dtype: 'bool' })).toEqual([1, 1, 0, 1]);
    expect(run('cast', [double([0.1])], { dtype: 'float32' })).toEqual([Math.fround(0.1)]);
    expect(run('cast', [given([1 / 3, 2])], { dtype: 'float16' })).toEqual([1365 / 4096, 2]);
    expect(run('cast', [given([1.5, -2], { dtype: 'bfloat16' })], { dtype: 'float64' })).toEqual([1.5, -2]);
  });

  test('bitsToUniform takes the upper bits', () => {
    const bits = int([0, -1, 0x40000000, -0x80000000]);
    expect(run('bitsToUniform', [bits], { dtype: 'float32' })).toEqual([0, 1 - 2 ** -24, 0.25, 0.5]);
    expect(run('bitsToUniform', [bits], { dtype: 'float64' })).toEqual([0, 1 - 2 ** -32, 0.25, 0.5]);
  });

  test('errors name the operation and the remedy', () => {
    expect(() => build.exp(int([1]))).toThrow("exp: expected float32 or float64, got int32. Cast to 'float32' first.");
    expect(() => build.neg(bool([1]))).toThrow('neg: expected numbers, got bool');
    expect(() => build.neg(given([1], { dtype: 'float16' }))).toThrow('storage format');
    expect(() => build.logicalNot(int([1]))).toThrow('expected bool, got int32');
  });
});

describe('binary', () => {
  test('floats', () => {
    const [a, b] = [double([7, -7, 5.5]), double([2, 2, -2])];
    expect(run('add', [a, b], {})).toEqual([9, -5, 3.5]);
    expect(run('sub', [a, b], {})).toEqual([5, -9, 7.5]);
    expect(run('mul', [a, b], {})).toEqual([14, -14, -11]);
    expect(run('div', [a, b], {})).toEqual([3.5, -3.5, -2.75]);
    expect(run('mod', [a, b], {})).toEqual([1, 1, -0.5]);
    expect(run('pow', [double([2, -2, 0]), double([3, 2, 0])], {})).toEqual([8, 4, 1]);
    expect(run('minimum', [a, b], {})).toEqual([2, -7, -2]);
    expect(run('maximum', [double([1, nan, 3]), double([nan, 1, 2])], {})).toEqual([nan, nan, 3]);
  });

  test('whole numbers wrap, their division is floored, by zero it gives 0', () => {
    const big = 2 ** 31 - 1;
    expect(run('add', [int([big]), int([1])], {})).toEqual([-(2 ** 31)]);
    expect(run('mul', [int([123456789]), int([987654321])], {})).toEqual([-67153019]);
    expect(run('div', [int([7, -7, 7, 5, -(2 ** 31)]), int([2, 2, -2, 0, -1])], {})).toEqual([3, -4, -4, 0, -(2 ** 31)]);
    expect(run('mod', [int([7, -7, 7, 5]), int([3, 3, -3, 0])], {})).toEqual([1, 2, -2, 0]);
    expect(run('pow', [int([3, -2, 7, 2, -1, 3]), int([4, 3, 0, -1, -3, 21])], {})).toEqual([81, -8, 1, 0, -1, Number(BigInt.asIntN(32, 3n ** 21n))]);
    const bytes = (values: number[]): Node => given(values, { dtype: 'uint8' });
    expect(run('sub', [bytes([3, 200]), bytes([5, 100])], {})).toEqual([254, 100]);
  });

  test('comparisons are bool and false for NaN, but for notEqual', () => {
    const [a, b] = [double([1, 2, nan]), double([2, 2, nan])];
    expect(build.equal(a, b).dtype).toBe('bool');
    expect(run('equal', [a, b], {})).toEqual([0, 1, 0]);
    expect(run('notEqual', [a, b], {})).toEqual([1, 0, 1]);
    expect(run('less', [a, b], {})).toEqual([1, 0, 0]);
    expect(run('lessEqual', [a, b], {})).toEqual([1, 1, 0]);
    expect(run('greater', [a, b], {})).toEqual([0, 0, 0]);
    expect(run('greaterEqual', [a, b], {})).toEqual([0, 1, 0]);
    expect(run('logicalAnd', [bool([0, 1, 1]), bool([1, 0, 1])], {})).toEqual([0, 0, 1]);
    expect(run('logicalOr', [bool([0, 1, 0]), bool([1, 0, 0])], {})).toEqual([1, 1, 0]);
    expect(run('select', [bool([1, 0]), double([1, 2]), double([3, 4])], {})).toEqual([1, 4]);
  });

  test('gradients at the kinks', () => {
    const [a, b] = [double([1, 2, 3]), double([2, 2, 2])];
    expect(gradient(build.maximum(a, b), a, b)).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
    expect(gradient(build.minimum(a, b), a, b)).toEqual([
      [1, 0.5, 0],
      [0, 0.5, 1],
    ]);
    const zero = double([0]);
    expect(gradient(build.abs(zero), zero)).toEqual([[0]]);
  });

  test('pow: negative bases, zero exponents, zero bases', () => {
    const a = double([-2, 0, 3]);
    expect(gradient(build.pow(a, 3), a)).toEqual([[12, 0, 27]]);
    expect(gradient(build.pow(a, 2), a)).toEqual([[-4, 0, 6]]);
    expect(gradient(build.pow(a, 1), a)).toEqual([[1, 1, 1]]);
    expect(gradient(build.pow(a, 0), a)).toEqual([[0, 0, 0]]);
    const y = double([3, 0, 2]);
    const [da, dy] = gradient(build.pow(a, y), a, y);
    expect(da).toEqual([12, 0, 6]);
    expect(dy.slice(0, 2)).toEqual([0, 0]);
    expect(dy[2]).toBeCloseTo(9 * Math.log(3), 13);
    const square = build.pow(a, 2);
    const [first] = gradientsOf([square], [build.constantLike(1, square)], [a]);
    expect(first && gradient(first, a)).toEqual([[2, 2, 2]]);
  });

  test('errors', () => {
    expect(() => build.make('add', [double([1, 2]), double([1])], {})).toThrow('add: operands have shapes [2] and [1]');
    expect(() => build.make('add', [double([1]), int([1])], {})).toThrow('operands are float64 and int32');
    expect(() => build.make('select', [int([1]), int([1]), int([2])], {})).toThrow('where: the condition must be bool, got int32 [1]');
    expect(() => build.make('logicalAnd', [int([1]), int([1])], {})).toThrow('expected bool');
  });
});
