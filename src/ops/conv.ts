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
import { checkConvGeometry, slidingAxes } from './conv-geometry.ts';
import type { Evaluation } from './op.ts';
import { family } from './registry.ts';
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
  },
});
