/** additiveAttention: scores by a small net (Bahdanau, Cho & Bengio 2015). Letters: N batch, Q queries, K keys, U units. */
import { fail, showShape } from '../core/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { type Attended, type AttentionMask, maskedSoftmax } from './dot-product-attention.ts';
import { type Linear, type LinearOptions, linear } from './linear.ts';
import { Module } from './module.ts';
import { checkOptions } from './options.ts';

export class AdditiveAttention extends Module {
  readonly query: Linear; // weight [size of queries, U]
  readonly key: Linear; // weight [size of keys, U], bias [U]
  readonly score: Linear; // weight [U, 1]

  constructor(units: number, options: Pick<LinearOptions, 'dtype' | 'weightInitializer'> = {}) {
    super();
    checkOptions('additiveAttention', options, ['dtype', 'weightInitializer']);
    this.query = linear(units, { ...options, bias: false });
    this.key = linear(units, options);
    this.score = linear(1, { ...options, bias: false });
  }

  override get kind(): string {
    return 'additiveAttention';
  }

  /** query [N, Q, …], key [N, K, …], value [N, K, V] (default: the key) → [N, Q, V]. mask [N, K] or [N, Q, K]: true where a key may be seen. */
  forward(query: Tensor, key: Tensor, value: Tensor = key, mask?: Tensor): Tensor {
    return this.attend(query, key, value, mask ? { mask } : {}).outputs;
  }

  /** As forward, with the weights [N, Q, K] = softmax over K of vᵀ tanh(query · W + key · U + b). */
  attend(query: Tensor, key: Tensor, value: Tensor = key, { mask, ...options }: AttentionMask = {}): Attended {
    if (query.rank !== 3 || key.rank !== 3 || value.rank !== 3) {
      const got = [query, key, value].map(({ shape }) => showShape(shape)).join(', ');
      fail('shape', this.kind, `expected query, key and value [batch, steps, features], got ${got}`, 'One query per example: query.expandDims(1).');
    }
    const sum = this.query.apply(query).expandDims(2).add(this.key.apply(key).expandDims(1)); // [N, Q, K, U]
    const scores = this.score.apply(sum.tanh()).squeeze(3); // [N, Q, K]
    const wide = mask?.rank === 2 ? mask.expandDims(1) : mask;
    const weights = maskedSoftmax(this.kind, scores, { ...options, ...(wide && { mask: wide }) });
    return { outputs: weights.matmul(value), weights };
  }
}

/** Attention whose scores come from a net with `units` hidden units. */
export const additiveAttention = (units: number, options?: Pick<LinearOptions, 'dtype' | 'weightInitializer'>): AdditiveAttention =>
  new AdditiveAttention(units, options);
