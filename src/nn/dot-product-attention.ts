/** Scaled dot-product attention as a function (Vaswani et al. 2017, section 3.2.1). Letters: N batch (and heads), Q queries, K keys, D size. */
import { fail, showShape } from '../core/errors.ts';
import { tryBroadcast } from '../core/shape.ts';
import { arange, type Tensor, where } from '../tensor/index.ts';
import { checkNumber, checkOptions } from './options.ts';

export interface AttentionMask {
  /** True (or not 0) where a query may look at a key; stretches to [..., Q, K]. A query that may look nowhere gets zeros. */
  readonly mask?: Tensor;
  /** Query i sees keys 0 … i + K − Q only; default false. */
  readonly causal?: boolean;
}

export interface DotProductAttentionOptions extends AttentionMask {
  /** Default 1/√D. */
  readonly scale?: number;
}

export interface Attended {
  readonly outputs: Tensor; // [..., Q, size of values]
  /** Σ over the keys is 1. */
  readonly weights: Tensor; // [..., Q, K]
}

/** softmax(query · keyᵀ · scale) · value: query [..., Q, D], key [..., K, D], value [..., K, V]. */
export function dotProductAttention(query: Tensor, key: Tensor, value: Tensor, options: DotProductAttentionOptions = {}): Attended {
  const name = 'dotProductAttention';
  checkOptions(name, options, ['mask', 'causal', 'scale']);
  const size = query.shape[query.rank - 1];
  if (query.rank < 2 || key.rank < 2 || value.rank < 2 || key.shape[key.rank - 1] !== size || key.shape[key.rank - 2] !== value.shape[value.rank - 2]) {
    const got = [query, key, value].map(({ shape }) => showShape(shape)).join(', ');
    fail('shape', name, `expected query [..., Q, D], key [..., K, D], value [..., K, V], got ${got}`, 'Query and key have one size, key and value one length.');
  }
  const scale = checkNumber(name, 'scale', options.scale ?? 1 / Math.sqrt(size));
  const axes = key.shape.map((_, i) => i);
  const keyTransposed = key.transpose([...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
  const weights = maskedSoftmax(name, query.matmul(keyTransposed).mul(scale), options);
  return { outputs: weights.matmul(value), weights };
}

/** Softmax over the last axis of scores [..., Q, K] at the allowed places; the others have weight and gradient 0. */
export function maskedSoftmax(operation: string, scores: Tensor, { mask, causal = false }: AttentionMask): Tensor {
  const [queries, keys] = scores.shape.slice(-2);
  const past = causal
    ? arange(keys)
        .expandDims(0)
        .lessEqual(
          arange(queries)
            .add(keys - queries)
            .expandDims(1),
        )
    : undefined; // [Q, K]
  const given = mask?.cast('bool');
  if (given && tryBroadcast(given.shape, scores.shape)?.join() !== scores.shape.join())
    fail(
      'shape',
      operation,
      `the mask ${showShape(given.shape)} does not stretch to the scores ${showShape(scores.shape)}`,
      'Its last two dimensions are queries and keys.',
    );
  const allowed = given && past ? given.logicalAnd(past) : (given ?? past);
  if (!allowed) return scores.softmax();
  // A large negative score instead of −∞ keeps a row without any allowed place free of NaN.
  return where(allowed, where(allowed, scores, -1e30).softmax(), 0);
}
