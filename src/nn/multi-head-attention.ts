/** multiHeadAttention (Vaswani et al. 2017, section 3.2.2). Letters: N batch, Q queries, K keys, H heads, D size of a head, F features. */
import { fail, showShape } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../tensor/index.ts';
import { type Attended, type AttentionMask, dotProductAttention } from './dot-product-attention.ts';
import { Dropout } from './dropout.ts';
import type { Initializer } from './initializers.ts';
import { type Linear, linear } from './linear.ts';
import { Module } from './module.ts';
import { checkOptions, checkWhole } from './options.ts';
import type { ParameterDType } from './parameter.ts';

export interface MultiHeadAttentionOptions {
  /** Size of each head; default features / heads. */
  readonly headSize?: number;
  /** Query i sees keys up to i only; default false. */
  readonly causal?: boolean;
  /** Share of weights dropped in training; default 0. */
  readonly dropout?: number;
  /** Biases in the four products; default true. */
  readonly bias?: boolean;
  readonly weightInitializer?: Initializer;
  readonly dtype?: ParameterDType;
}

export class MultiHeadAttention extends Module {
  readonly features: number;
  readonly heads: number;
  readonly headSize: number;
  readonly causal: boolean;
  readonly query: Linear; // weight [F, H D]
  readonly key: Linear; // weight [size of keys, H D]
  readonly value: Linear; // weight [size of values, H D]
  readonly output: Linear; // weight [H D, F]
  readonly dropout: Dropout;

  constructor(features: number, heads: number, options: MultiHeadAttentionOptions = {}) {
    super();
    const name = 'multiHeadAttention';
    checkOptions(name, options, ['headSize', 'causal', 'dropout', 'bias', 'weightInitializer', 'dtype']);
    this.features = checkWhole(name, 'features', features);
    this.heads = checkWhole(name, 'heads', heads);
    if (options.headSize === undefined && features % heads !== 0)
      fail('argument', name, `${features} features cannot be divided into ${heads} heads`, 'Choose a multiple, or pass headSize.');
    this.headSize = checkWhole(name, 'headSize', options.headSize ?? features / heads);
    this.causal = options.causal ?? false;
    const { headSize: _headSize, causal: _causal, dropout = 0, ...shared } = options;
    const inner = heads * this.headSize;
    this.query = linear(inner, shared);
    this.key = linear(inner, shared);
    this.value = linear(inner, shared);
    this.output = linear(features, shared);
    this.dropout = new Dropout(dropout);
  }

  override get kind(): string {
    return 'multiHeadAttention';
  }

  /** query [N, Q, …], key and value [N, K, …] (default: the query, which is self-attention) → [N, Q, F]. mask [N, K] or [N, Q, K]. */
  forward(query: Tensor, key: Tensor = query, value: Tensor = key, mask?: Tensor): Tensor {
    return this.attend(query, key, value, mask ? { mask } : {}).outputs;
  }

  /** As forward, with the weights of every head [N, H, Q, K]. */
  attend(query: Tensor, key: Tensor = query, value: Tensor = key, { mask, causal = this.causal }: AttentionMask = {}): Attended {
    if (query.rank !== 3 || key.rank !== 3 || value.rank !== 3) {
      const got = [query, key, value].map(({ shape }) => showShape(shape)).join(', ');
      fail('shape', this.kind, `expected query, key and value [batch, steps, features], got ${got}`);
    }
    const { heads, headSize } = this;
    const parted = (x: Tensor): Tensor => x.reshape([x.shape[0], x.shape[1], heads, headSize]).transpose([0, 2, 1, 3]); // [N, H, steps, D]
    const wide = mask && (mask.rank === 2 ? mask.expandDims(1).expandDims(1) : mask.rank === 3 ? mask.expandDims(1) : mask);
    const [q, k, v] = [parted(this.query.apply(query)), parted(this.key.apply(key)), parted(this.value.apply(value))];
    const dropping = this.dropout.training && this.dropout.rate > 0;
    const { outputs, weights } = dotProductAttention(q, k, v, { causal, ...(wide && { mask: wide }) });
    const mixed = dropping ? this.dropout.forward(weights).matmul(v) : outputs; // [N, H, Q, D]
    const joined = mixed.transpose([0, 2, 1, 3]).reshape([query.shape[0], query.shape[1], heads * headSize]);
    return { outputs: this.output.apply(joined), weights };
  }

  /** The two products of each head with all steps; the four linear layers count themselves. */
  override multiplyAdds(input: Shape, _output: Shape): number {
    return 2 * (input[0] ?? 0) ** 2 * this.heads * this.headSize;
  }
}

/** Attention by several heads at once, `features` outputs. */
export const multiHeadAttention = (features: number, heads: number, options?: MultiHeadAttentionOptions): MultiHeadAttention =>
  new MultiHeadAttention(features, heads, options);
