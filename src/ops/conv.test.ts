import { expect, test } from 'vitest';
import type { TypedArray } from '../core/dtype.ts';
import { sizeOf } from '../core/shape.ts';
import type { AttributesOf, ConvGeometry } from '../graph/attributes.ts';
import { bodyParameter, conv } from './build.ts';
import './index.ts';
import { type ConvOptions, convGeometry, convTransposeGeometry } from './conv-geometry.ts';
import { evaluateGraph } from './evaluate.ts';

function run(geometry: ConvGeometry, role: AttributesOf['conv']['role'], a: TypedArray, b: TypedArray): TypedArray {
  const shapes = {
    output: [geometry.inputShape, geometry.kernelShape],
    input: [geometry.outputShape, geometry.kernelShape],
    kernel: [geometry.inputShape, geometry.outputShape],
  };
  const [x, y] = shapes[role].map((shape) => bodyParameter({ shape, dtype: 'float64' }));
  return evaluateGraph([conv(x, y, { ...geometry, role })], (leaf) => (leaf === x ? a : b))[0];
}

const some = (shape: readonly number[], seed: number): Float64Array => Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(seed + 1.7 * i));
const dot = (a: TypedArray, b: TypedArray): number => Array.from(a).reduce((total, v, i) => total + v * b[i], 0);

test('the textbook image: 5 × 5 binary, a diagonal cross as the kernel', () => {
  const image = Float64Array.of(1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0);
  const cross = Float64Array.of(1, 0, 1, 0, 1, 0, 1, 0, 1);
  expect([...run(convGeometry('conv2d', [1, 5, 5, 1], [3, 3, 1, 1]), 'output', image, cross)]).toEqual([4, 3, 4, 2, 4, 3, 2, 3, 4]);
});

test('a convolution, its transpose and its kernel form are adjoint', () => {
  const cases: [number[], number[], ConvOptions][] = [
    [
      [2, 7, 6, 4],
      [3, 2, 2, 6],
      {
        stride: [2, 3],
        padding: [
          [2, 0],
          [0, 1],
        ],
        groups: 2,
      },
    ],
    [[1, 9, 3], [3, 3, 2], { dilation: 3, padding: 'same' }],
    [[1, 4, 3, 5, 2], [2, 3, 2, 2, 3], { inputDilation: [2, 1, 3], stride: [1, 2, 2], padding: 1 }],
  ];
  for (const [inputShape, kernelShape, options] of cases) {
    const geometry = convGeometry('conv', inputShape, kernelShape, options);
    const [x, w, y] = [some(inputShape, 1), some(kernelShape, 2), some(geometry.outputShape, 3)];
    const form = dot(run(geometry, 'output', x, w), y);
    expect(dot(run(geometry, 'input', y, w), x)).toBeCloseTo(form, 10);
    expect(dot(run(geometry, 'kernel', x, y), w)).toBeCloseTo(form, 10);
  }
});

test('positions that a stride leaves out have no gradient', () => {
  const geometry = convGeometry('conv1d', [1, 6, 1], [2, 1, 1], { stride: 3 }); // windows 0–1 and 3–4
  expect([...run(geometry, 'input', Float64Array.of(1, 1), Float64Array.of(2, 3))]).toEqual([2, 3, 0, 2, 3, 0]);
});

test('depthwise: each channel by itself', () => {
  const geometry = convGeometry('conv1d', [1, 3, 2], [2, 1, 2], { groups: 2 });
  expect([...run(geometry, 'output', Float64Array.of(1, 10, 2, 20, 3, 30), Float64Array.of(1, 2, 1, 1))]).toEqual([3, 40, 5, 70]);
});

test("AlexNet's maps from 227: 55, 27, 27, 13, 13, 13, 13, 6", () => {
  const after = (size: number, kernel: number, options: ConvOptions = {}) =>
    convGeometry('conv2d', [1, size, size, 1], [kernel, kernel, 1, 1], options).outputShape[1];
  const [conv1, pool1] = [after(227, 11, { stride: 4 }), after(55, 3, { stride: 2 })];
  const [conv2, pool2] = [after(27, 5, { padding: 2 }), after(27, 3, { stride: 2 })];
  const [conv3, conv4, conv5, pool5] = [after(13, 3, { padding: 1 }), after(13, 3, { padding: 1 }), after(13, 3, { padding: 1 }), after(13, 3, { stride: 2 })];
  expect([conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5]).toEqual([55, 27, 27, 13, 13, 13, 13, 6]);
});

test("'same' keeps ceil(size / stride) and puts an odd padding at the end", () => {
  const geometry = convGeometry('conv2d', [1, 7, 8, 1], [2, 4, 1, 1], { stride: 3, padding: 'same' });
  expect(geometry.outputShape).toEqual([1, 3, 3, 1]);
  expect(geometry.padding).toEqual([
    [0, 1],
    [1, 1],
  ]);
});

test('a transposed convolution undoes the shape of a convolution', () => {
  expect(convTransposeGeometry('convTranspose', [2, 7, 7, 16], [4, 4, 8, 16], { stride: 2, padding: 1 }).inputShape).toEqual([2, 14, 14, 8]);
  expect(convTransposeGeometry('convTranspose', [2, 7, 7, 16], [3, 3, 8, 16], { stride: 2, padding: 1, outputPadding: 1 }).inputShape).toEqual([2, 14, 14, 8]);
  const geometry = convTransposeGeometry('convTranspose', [1, 4, 3], [3, 2, 3], { stride: 2, padding: 'same' });
  expect(geometry.inputShape).toEqual([1, 8, 2]);
  for (const [size, kernel, stride] of [
    [5, 1, 3],
    [5, 2, 3],
    [4, 5, 2],
    [3, 3, 1],
  ]) {
    const g = convTransposeGeometry('convTranspose', [1, size, 1], [kernel, 1, 1], { stride, padding: 'same' });
    expect(convGeometry('conv1d', g.inputShape, g.kernelShape, { stride, padding: g.padding }).outputShape).toEqual(g.outputShape);
  }
});

test('errors name what was expected and what came', () => {
  const build = (input: number[], kernel: number[], options?: ConvOptions) => () => convGeometry('conv2d', input, kernel, options);
  expect(build([8, 32, 32, 3], [3, 3, 4, 16])).toThrow('conv2d: input has 3 channels but the kernel expects 4 (input [8, 32, 32, 3], kernel [3, 3, 4, 16])');
  expect(build([8, 32, 32, 12], [3, 3, 4, 18])).toThrow('(input [8, 32, 32, 12], kernel [3, 3, 4, 18]). Did you mean groups: 3?');
  expect(build([8, 3, 32, 32], [3, 3, 3, 16])).toThrow('channels last');
  expect(build([8, 4, 4, 3], [5, 5, 3, 16])).toThrow('the kernel spans 5 positions along spatial axis 0 but the padded input has 4');
  expect(build([8, 4, 4], [3, 3, 3, 16])).toThrow('do not belong together');
  expect(build([8, 4, 4, 4], [3, 3, 2, 5], { groups: 2 })).toThrow('5 features, which 2 groups do not divide');
  expect(build([8, 4, 4, 4], [3, 3, 4, 5], { stride: 0 })).toThrow('stride must be a whole number ≥ 1, got 0');
  expect(
    build([8, 4, 4, 4], [3, 3, 4, 5], {
      padding: [
        [1, -1],
        [0, 0],
      ],
    }),
  ).toThrow('padding must be whole numbers ≥ 0');
  const geometry = convGeometry('conv2d', [1, 4, 4, 2], [3, 3, 2, 5]);
  const [x, w] = [geometry.inputShape, geometry.kernelShape].map((shape) => bodyParameter({ shape, dtype: 'float32' }));
  expect(() => conv(x, w, { ...geometry, role: 'kernel' })).toThrow('conv: expected the output [1, 2, 2, 5], got [3, 3, 2, 5]');
  expect(() => conv(x, w, { ...geometry, outputShape: [1, 3, 2, 5], role: 'output' })).toThrow('this geometry makes [1, 2, 2, 5], not [1, 3, 2, 5]');
});
