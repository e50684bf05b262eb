/**
 * The general convolution, N-d and channels last: one trilinear form in input x [N, …I, C], kernel w [...K, C/groups, O] and output y [N, …Q, O],
 *   Σ x[n, i, c] · w[k, c, o] · y[n, q, o]   over all  i · inputDilation = q · stride + k · dilation − padding.
 * `role` names the factor that is computed from the other two, so the gradient of every role is again this op with another role.
 */
import type { TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { AttributesOf, ConvGeometry } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import { conv } from './build.ts';
import { checkOperands, narrow, wide } from './check.ts';
import { type ConvOptions, checkConvGeometry, convGeometry, slidingAxes } from './conv-geometry.ts';
import type { Evaluation, Sample } from './op.ts';
import { family } from './registry.ts';
import { padding, sample, shapes } from './samples.ts';
import { meetings } from './sliding.ts';

type Role = AttributesOf['conv']['role'];

/** The two operands of each role, in order. */
const operands: Record<Role, readonly [Role, Role]> = { output: ['input', 'kernel'], input: ['output', 'kernel'], kernel: ['input', 'output'] };
const shapeOf = (geometry: ConvGeometry, role: Role): Shape =>
  ({ input: geometry.inputShape, kernel: geometry.kernelShape, output: geometry.outputShape })[role];

function evaluate({ node, inputs }: Evaluation<'conv'>): TypedArray {
  const geometry = node.attributes;
  const { role, groups } = geometry;
  const factors: Partial<Record<Role, Float64Array>> = { [role]: new Float64Array(sizeOf(node.shape)) };
  for (const [i, name] of operands[role].entries()) factors[name] = wide(inputs[i]);
  const { input: x, kernel: w, output: y } = factors as Record<Role, Float64Array>;

  const axes = slidingAxes(geometry);
  const [perGroup, features] = geometry.kernelShape.slice(-2);
  const channels = perGroup * groups;
  const featuresPerGroup = features / groups;
  const inputPositions = sizeOf(axes.map((axis) => axis.input));
  const outputPositions = sizeOf(axes.map((axis) => axis.output));
  for (let tap = 0; tap < sizeOf(axes.map((axis) => axis.taps)); tap++) {
    const meet = meetings(axes, tap);
    for (let n = 0; n < geometry.inputShape[0]; n++) {
      for (let pair = 0; pair < meet.output.length; pair++) {
        const xAt = (n * inputPositions + meet.input[pair]) * channels;
        const yAt = (n * outputPositions + meet.output[pair]) * features;
        for (let group = 0; group < groups; group++) {
          meetGroup(xAt + group * perGroup, tap * perGroup * features + group * featuresPerGroup, yAt + group * featuresPerGroup);
        }
      }
    }
  }
  return narrow(factors[role] as Float64Array, node.dtype);

  /** All channels × features of one group at one meeting of positions. */
  function meetGroup(xAt: number, wAt: number, yAt: number): void {
    for (let c = 0; c < perGroup; c++, wAt += features) {
      if (role === 'output') {
        const value = x[xAt + c];
        for (let o = 0; o < featuresPerGroup; o++) y[yAt + o] += value * w[wAt + o];
      } else if (role === 'kernel') {
        const value = x[xAt + c];
        for (let o = 0; o < featuresPerGroup; o++) w[wAt + o] += value * y[yAt + o];
      } else {
        let total = 0;
        for (let o = 0; o < featuresPerGroup; o++) total += w[wAt + o] * y[yAt + o];
        x[xAt + c] += total;
      }
    }
  }
}

/** One sample per role. */
function samples(name: string, shapeText: string, options: ConvOptions = {}): Sample<'conv'>[] {
  const [inputShape, kernelShape] = shapes(shapeText);
  const geometry = convGeometry('conv', inputShape, kernelShape, options);
  return (['output', 'input', 'kernel'] as const).map((role) => {
    const factors = operands[role].map((factor) => ({ shape: shapeOf(geometry, factor) }));
    return sample(`${name}, ${role}`, factors, { ...geometry, role });
  });
}

const everything: ConvOptions = { inputDilation: [3, 2], stride: [2, 3], dilation: 2, padding: padding([1, 3], [4, 0]) };

export const convOps = family('contraction', {
  conv: {
    doc: 'one factor (output, input or kernel) of the trilinear form of a convolution, from the other two',
    infer(given, geometry) {
      const [{ dtype }] = checkOperands('conv', given, 2, 'summable');
      checkConvGeometry(geometry);
      for (const [i, name] of operands[geometry.role].entries()) {
        const expected = shapeOf(geometry, name);
        if (!sameShape(given[i].shape, expected)) fail('shape', 'conv', `expected the ${name} ${showShape(expected)}, got ${showShape(given[i].shape)}`);
      }
      return { shape: shapeOf(geometry, geometry.role), dtype };
    },
    gradient({ attributes: geometry, inputs }, dOut, needed) {
      return operands[geometry.role].map((wanted, i) => {
        if (!needed[i]) return null;
        const factorOf = (name: Role): Node => (name === geometry.role ? dOut : inputs[1 - i]);
        const [a, b] = operands[wanted];
        return conv(factorOf(a), factorOf(b), { ...geometry, role: wanted });
      });
    },
    evaluate,
    samples: () => [
      ...samples('2-d', '2,5,6,3 3,3,3,4'),
      ...samples('2-d same padding', '2,5,4,2 3,3,2,3', { padding: 'same' }),
      ...samples('2-d stride 2 with remainder', '1,6,8,2 3,3,2,3', { stride: 2 }),
      ...samples('2-d stride 3, even kernel, same padding', '1,7,8,1 2,4,1,3', { stride: 3, padding: 'same' }),
      ...samples('2-d asymmetric padding and strides', '2,5,7,2 3,2,2,3', { stride: [1, 2], padding: padding([2, 0], [0, 1]) }),
      ...samples('2-d dilation', '1,7,8,2 2,3,2,2', { dilation: [3, 2], padding: 1 }),
      ...samples('2-d input dilation', '1,4,3,2 3,3,2,3', { inputDilation: [2, 3], padding: 2 }),
      ...samples('2-d input dilation with stride and dilation', '1,4,5,1 3,2,1,2', everything),
      ...samples('1 × 1', '2,3,4,5 1,1,5,6'),
      ...samples('1 × 1 stride 2', '2,4,5,3 1,1,3,4', { stride: 2 }),
      ...samples('kernel as large as the input', '2,4,5,2 4,5,2,7'),
      ...samples('two groups', '2,4,5,4 3,2,2,6', { groups: 2, padding: 1 }),
      ...samples('depthwise', '2,5,5,3 3,3,1,3', { groups: 3, padding: 'same' }),
      ...samples('depthwise with multiplier and stride', '1,6,5,2 3,3,1,4', { groups: 2, stride: 2, padding: 1 }),
      ...samples('1-d', '3,9,2 4,2,3', { stride: 2, padding: [[1, 2]] }),
      ...samples('1-d causal, dilated', '2,8,3 2,3,2', { dilation: 4, padding: [[4, 0]] }),
      ...samples('3-d', '1,3,4,5,2 2,2,3,2,3', { stride: [1, 2, 1], padding: padding([0, 1], [1, 0], [1, 1]) }),
      ...samples('wide channels', '1,4,4,17 3,3,17,33', { padding: 1 }),
      ...samples('empty batch', '0,4,4,2 3,3,2,3'),
      ...samples('no input channels', '1,4,4,0 3,3,0,2'),
    ],
  },
});
