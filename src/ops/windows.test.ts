import { expect, test } from 'vitest';
import type { TypedArray } from '../core/dtype.ts';
import type { WindowGeometry } from '../graph/attributes.ts';
import { bodyParameter, windowed } from './build.ts';
import { evaluateGraph } from './evaluate.ts';
import './index.ts';
import { windowShape } from './windows.ts';

const line = (length: number, size: number, stride: number, padding: readonly [number, number] = [0, 0]): WindowGeometry => ({
  axes: [0],
  size: [size],
  stride: [stride],
  padding: [padding],
  inputShape: [length],
});

function run(op: Parameters<typeof windowed>[0], geometry: WindowGeometry, ...values: TypedArray[]): number[] {
  const picks = op === 'windowPick' || op === 'windowPlace';
  const outer = windowShape(geometry);
  const shapes = {
    windowSum: [geometry.inputShape],
    windowMax: [geometry.inputShape],
    windowArgMax: [geometry.inputShape],
    windowSpread: [outer],
    windowPick: [outer, geometry.inputShape],
    windowPlace: [outer, outer],
  }[op];
  const leaves = shapes.map((shape, i) => bodyParameter({ shape, dtype: picks && i === 0 ? 'int32' : 'float32' }));
  return [...evaluateGraph([windowed(op, leaves, geometry)], (leaf) => values[leaves.indexOf(leaf)])[0]];
}

const { NaN: nan } = Number;

test('the first of equal maxima wins', () => {
  expect(run('windowArgMax', line(6, 3, 3), Float32Array.of(2, 2, 1, 0, 5, 5))).toEqual([0, 1]);
  const square: WindowGeometry = {
    axes: [0, 1],
    size: [2, 2],
    stride: [2, 2],
    padding: [
      [0, 0],
      [0, 0],
    ],
    inputShape: [2, 4],
  };
  expect(run('windowArgMax', square, Float32Array.of(0, 7, 1, 1, 7, 7, 1, 2))).toEqual([1, 3]);
});

test('NaN is larger than all; the first of several', () => {
  expect(run('windowMax', line(6, 3, 3), Float32Array.of(1, nan, Infinity, 1, 2, 3))).toEqual([nan, 3]);
  expect(run('windowArgMax', line(3, 3, 3), Float32Array.of(9, nan, nan))).toEqual([1]);
});

test('padding never wins, not even against −Infinity, and adds nothing', () => {
  const padded = line(3, 2, 2, [1, 0]);
  expect(run('windowMax', padded, Float32Array.of(-5, -Infinity, -Infinity))).toEqual([-5, -Infinity]);
  expect(run('windowArgMax', padded, Float32Array.of(-5, -Infinity, -Infinity))).toEqual([1, 0]);
  expect(run('windowSum', padded, Float32Array.of(1, 2, 3))).toEqual([1, 5]);
});

test('overlapping windows: sums spread back, picks place back', () => {
  const overlapping = line(4, 3, 1);
  expect(run('windowSum', overlapping, Float32Array.of(1, 2, 3, 4))).toEqual([6, 9]);
  expect(run('windowSpread', overlapping, Float32Array.of(10, 1))).toEqual([10, 11, 11, 1]);
  expect(run('windowPick', overlapping, Int32Array.of(2, 1), Float32Array.of(1, 2, 3, 4))).toEqual([3, 3]);
  expect(run('windowPlace', overlapping, Int32Array.of(2, 1), Float32Array.of(10, 1))).toEqual([0, 0, 11, 0]);
});

test('windows that do not fit are refused', () => {
  const build = (geometry: WindowGeometry) => () => windowed('windowMax', [bodyParameter({ shape: geometry.inputShape, dtype: 'float32' })], geometry);
  expect(build(line(3, 4, 1))).toThrow('windowMax: windows of 4 do not fit axis 0 of length 3');
  expect(build(line(5, 2, 1, [2, 0]))).toThrow('Pad less than the window');
  expect(build(line(5, 2, 0))).toThrow('stride');
});
