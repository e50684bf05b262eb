/** Activation functions. All keep the shape; whole numbers become float32. */
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { type Axis, oneAxis } from './axes.ts';
import { shiftedByPeak } from './reduce.ts';
import { floating, type Operand, type Tensor, wrap } from './tensor.ts';

/** A function of floating-point numbers that has no options. */
function activation(name: string, value: (x: Node) => Node): (x: Operand) => Tensor {
  return (x) => wrap(value(floating(x, name)));
}

/** max(x, 0); its gradient at 0 is 0, and NaN stays NaN. */
export const relu = activation('relu', (x) => build.select(build.lessEqual(x, 0), 0, x));

/** x where positive, else slope · x (Maas et al. 2013). */
export function leakyRelu(x: Operand, slope = 0.01): Tensor {
  const node = floating(x, 'leakyRelu');
  return wrap(build.select(build.lessEqual(node, 0), build.mul(node, slope), node));
}

/** x where positive, else alpha · (exp(x) − 1) (Clevert et al. 2015). */
export function elu(x: Operand, alpha = 1): Tensor {
  const node = floating(x, 'elu');
  // The branch not taken must stay finite, or its gradient would be NaN.
  const below = build.expm1(build.minimum(node, 0));
  return wrap(build.select(build.greater(node, 0), node, build.mul(below, alpha)));
}

/** x Φ(x) with the normal distribution's Φ (Hendrycks & Gimpel 2016); approximate: 'tanh' as in GPT-2. */
export function gelu(x: Operand, { approximate = 'none' }: { approximate?: 'none' | 'tanh' } = {}): Tensor {
  const node = floating(x, 'gelu');
  const half = build.mul(node, 0.5);
  const inner = (): Node => {
    if (approximate === 'none') return build.erf(build.mul(node, Math.SQRT1_2));
    const cubic = build.mul(build.mul(node, build.mul(node, node)), 0.044715);
    return build.tanh(build.mul(build.add(node, cubic), Math.sqrt(2 / Math.PI)));
  };
  return wrap(build.mul(half, build.add(inner(), 1)));
}

/** x · sigmoid(x), also called swish (Ramachandran et al. 2017). */
export const silu = activation('silu', (x) => build.mul(x, build.sigmoid(x)));

/** log(1 + exp(x)), without overflow. */
export const softplus = activation('softplus', (x) => build.add(build.maximum(x, 0), build.log1p(build.exp(build.neg(build.abs(x))))));

/** exp(x) / Σ exp(x) along an axis (default: the last). */
export function softmax(x: Tensor, axis: Axis = -1): Tensor {
  const node = floating(x, 'softmax');
  const axes = [oneAxis('softmax', axis, node.shape.length, -1)];
  const powers = build.exp(shiftedByPeak(node, axes).shifted);
  return wrap(build.div(powers, build.foldKeep('sum', powers, axes)));
}

/** log softmax(x), without underflow. */
export function logSoftmax(x: Tensor, axis: Axis = -1): Tensor {
  const node = floating(x, 'logSoftmax');
  const axes = [oneAxis('logSoftmax', axis, node.shape.length, -1)];
  const { shifted } = shiftedByPeak(node, axes);
  return wrap(build.sub(shifted, build.log(build.foldKeep('sum', build.exp(shifted), axes))));
}
