/**
 * Random tensors: functions of a key. Without `seed` or `key` the key comes from the default sequence (`seed(7)` starts it), and a compiled
 * function draws anew at every call.
 */
import type { DType } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { checkShape, type Shape, sameShape } from '../core/shape.ts';
import * as sequence from '../engine/random.ts';
import { currentRecorder } from '../engine/recorder.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { argSort } from './indexing.ts';
import { unstack } from './movement.ts';
import { floating, type Tensor, wrap } from './tensor.ts';

export interface RandomOptions {
  /** A key of its own, from random.key or random.split. */
  readonly key?: Tensor | undefined;
  /** The same as `key: random.key(seed)`. */
  readonly seed?: number | undefined;
  /** float32 (default) or float64. */
  readonly dtype?: DType;
}

/** A key for a seed: int32 [2]. */
export function key(seed: number): Tensor {
  if (!Number.isSafeInteger(seed)) fail('value', 'random.key', `expected a whole number, got ${seed}`);
  return wrap(sequence.keyLeaf(sequence.keyWords(seed)));
}

/** `count` new keys from one (default 2), independent of each other and of it. */
export function split(from: Tensor, count = 2): Tensor[] {
  // Two draws under keys of their own, so that no word is shared with what is drawn under `from` itself.
  const mixed = build.add(from.node, sequence.keyLeaf([0x5bd1e995, 0x27d4eb2f]));
  return unstack(wrap(bitsNode(mixed, [count, 2])));
}

const bitsNode = (key: Node, shape: Shape): Node => build.make('randomBits', [key], { shape });

function keyNode(operation: string, { key: own, seed }: RandomOptions): Node {
  if (own === undefined) return seed === undefined ? sequence.nextKey(currentRecorder()) : key(seed).node;
  if (own.dtype !== 'int32' || !sameShape(own.shape, [2]))
    fail('argument', operation, `a key is int32 [2], got ${own.dtype} ${showShape(own.shape)}`, 'Make one with random.key(seed).');
  return own.node;
}

/** Uniform in [0, 1) as a node, all shapes from one key. */
function uniformNode(operation: string, shape: Shape, options: RandomOptions): Node {
  checkShape(operation, shape);
  const { dtype = 'float32' } = options;
  if (dtype !== 'float32' && dtype !== 'float64') fail('dtype', operation, `expected float32 or float64, got ${dtype}`);
  return build.make('bitsToUniform', [bitsNode(keyNode(operation, options), shape)], { dtype });
}

/** Uniform in [low, high). */
export function uniform(shape: Shape, { low = 0, high = 1, ...options }: RandomOptions & { low?: number; high?: number } = {}): Tensor {
  const unit = uniformNode('random.uniform', shape, options);
  return wrap(low === 0 && high === 1 ? unit : build.add(build.mul(unit, high - low), low));
}

/** Normal with a mean and a standard deviation (defaults 0, 1), by Box and Muller (1958). */
export function normal(shape: Shape, { mean = 0, std = 1, ...options }: RandomOptions & { mean?: number; std?: number } = {}): Tensor {
  checkShape('random.normal', shape);
  const both = uniformNode('random.normal', [2, ...shape], options);
  const half = (index: number): Node => build.reshape(build.sliceAlong(both, 0, index, 1), shape);
  // 1 − u is in (0, 1], so the logarithm is finite.
  const radius = build.sqrt(build.mul(build.log(build.sub(1, half(0))), -2));
  const standard = build.mul(radius, build.cos(build.mul(half(1), 2 * Math.PI)));
  return wrap(mean === 0 && std === 1 ? standard : build.add(build.mul(standard, std), mean));
}

/** True with a probability (default 0.5). */
export function bernoulli(shape: Shape, { probability = 0.5, ...options }: RandomOptions & { probability?: number | Tensor } = {}): Tensor {
  const unit = uniformNode('random.bernoulli', shape, options);
  return wrap(build.less(unit, typeof probability === 'number' ? probability : build.cast(probability.node, unit.dtype)));
}

/** Whole numbers in [low, high), int32. */
export function randint(shape: Shape, { low = 0, high, ...options }: RandomOptions & { low?: number; high: number }): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low)
    fail('value', 'random.randint', `expected whole numbers low < high, got ${low} and ${high}`);
  const unit = uniformNode('random.randint', shape, { ...options, dtype: high - low > 2 ** 20 ? 'float64' : 'float32' });
  return wrap(build.add(build.cast(build.floor(build.mul(unit, high - low)), 'int32'), low));
}

/** Class numbers drawn by logits [..., classes] (unnormalised log-probabilities): int32 [...]. By the Gumbel trick. */
export function categorical(logits: Tensor, options: RandomOptions = {}): Tensor {
  const node = floating(logits, 'random.categorical');
  if (node.shape.length === 0) fail('shape', 'random.categorical', 'expected logits [..., classes], got a scalar');
  const unit = uniformNode('random.categorical', node.shape, { ...options, dtype: node.dtype });
  const gumbel = build.neg(build.log(build.neg(build.log(build.maximum(unit, 1e-30)))));
  return wrap(build.make('argMax', [build.add(node, gumbel)], { axis: node.shape.length - 1 }));
}

/** 0 … n−1 in random order, int32 [n]. */
export function permutation(n: number, options: RandomOptions = {}): Tensor {
  checkShape('random.permutation', [n]);
  return argSort(wrap(bitsNode(keyNode('random.permutation', options), [n])));
}

/** Normal, limited to [low, high] standard deviations (defaults −2, 2) by inverting the distribution function. */
export function truncatedNormal(
  shape: Shape,
  { low = -2, high = 2, mean = 0, std = 1, ...options }: RandomOptions & { low?: number; high?: number; mean?: number; std?: number } = {},
): Tensor {
  const unit = uniformNode('random.truncatedNormal', shape, options);
  const [from, to] = [normalCdf(low), normalCdf(high)];
  const standard = inverseNormal(build.add(build.mul(unit, to - from), from));
  return wrap(build.add(build.mul(build.minimum(build.maximum(standard, low), high), std), mean));
}

/** Abramowitz & Stegun 26.2.17, error below 7.5e-8. */
const normalCdf = (x: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail = Math.exp((-x * x) / 2) * 0.3989422804014327 * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
};

/** Φ⁻¹ by Giles 2010, "Approximating the erfinv function" (single precision, central branch and tails). */
function inverseNormal(p: Node): Node {
  const y = build.sub(build.mul(p, 2), 1);
  const w = build.neg(build.log(build.mul(build.sub(1, y), build.add(1, y))));
  const polynomial = (x: Node, coefficients: readonly number[]): Node =>
    coefficients.slice(1).reduce<Node>((sum, c) => build.add(build.mul(sum, x), c), build.constant(coefficients[0], x.dtype, x.shape));
  const value = build.select(build.less(w, 5), polynomial(build.sub(w, 2.5), central), polynomial(build.sub(build.sqrt(w), 3), tails));
  return build.mul(build.mul(value, y), Math.SQRT2);
}
const central = [2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4, -1.25372503e-3, -4.17768164e-3, 0.246640727, 1.50140941];
const tails = [-2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3, -7.6224613e-3, 9.43887047e-3, 1.00167406, 2.83297682];

/** The default sequence's position, for checkpoints; numbers in [0, 1) drawn from it on the host at once. */
export { hostUniform, type RandomState, randomState as state, setRandomState as setState } from '../engine/random.ts';

/** Starts the default random sequence: the same seed gives the same numbers. */
export const seed = (value: number): void => sequence.setRandomState({ seed: value, counter: 0 });
