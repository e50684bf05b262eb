/**
 * transformerBlock: self-attention and a two-layer net, each with a residual path and layer normalisation (Vaswani et al. 2017;
 * normalised first: Xiong et al. 2020).
 */
import { fail, showShape } from '../core/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { Dropout } from './dropout.ts';
import type { Initializer } from './initializers.ts';
import { type LayerNorm, layerNorm } from './layer-norm.ts';
import { type Linear, linear } from './linear.ts';
import { Module } from './module.ts';
import { type MultiHeadAttention, multiHeadAttention } from './multi-head-attention.ts';
import { checkChoice, checkOptions } from './options.ts';
import type { ParameterDType } from './parameter.ts';

export interface TransformerBlockOptions {
  /** Hidden units of the two-layer net; default 4 · features. */
  readonly hidden?: number;
  /** 'before' (default) normalises what goes into each part, 'after' the sum that comes out, as in the paper. */
  readonly norm?: 'before' | 'after';
  /** Default 'gelu'; the paper has 'relu'. */
  readonly activation?: 'gelu' | 'relu' | 'silu';
  /** Share dropped of the attention weights and of what each part adds; default 0. */
  readonly dropout?: number;
  /** Each step sees only itself and earlier ones; default false. */
  readonly causal?: boolean;
  readonly weightInitializer?: Initializer;
  readonly dtype?: ParameterDType;
}

export class TransformerBlock extends Module {
  readonly features: number;
  readonly norm: 'before' | 'after';
  readonly activation: 'gelu' | 'relu' | 'silu';
  readonly attentionNorm: LayerNorm;
  readonly attention: MultiHeadAttention;
  readonly hiddenNorm: LayerNorm;
  readonly hidden: Linear; // weight [features, hidden]
  readonly output: Linear; // weight [hidden, features]
  readonly dropout: Dropout;

  constructor(features: number, heads: number, options: TransformerBlockOptions = {}) {
    super();
    const name = 'transformerBlock';
    checkOptions(name, options, ['hidden', 'norm', 'activation', 'dropout', 'causal', 'weightInitializer', 'dtype']);
    const { hidden = 4 * features, norm = 'before', activation = 'gelu', dropout = 0, causal = false, ...shared } = options;
    this.features = features;
    this.norm = checkChoice(name, 'norm', norm, ['before', 'after']);
    this.activation = checkChoice(name, 'activation', activation, ['gelu', 'relu', 'silu']);
    const dtype = shared.dtype ? { dtype: shared.dtype } : {};
    this.attentionNorm = layerNorm(dtype);
    this.attention = multiHeadAttention(features, heads, { causal, dropout, ...shared });
    this.hiddenNorm = layerNorm(dtype);
    this.hidden = linear(hidden, shared);
    this.output = linear(features, shared);
    this.dropout = new Dropout(dropout);
  }

  override get kind(): string {
    return 'transformerBlock';
  }

  /** [N, T, features] → the same shape. mask [N, T]: true where a step counts. */
  forward(x: Tensor, mask?: Tensor): Tensor {
    if (x.rank !== 3 || x.shape[2] !== this.features) fail('shape', this.kind, `expected [batch, steps, ${this.features}], got ${showShape(x.shape)}`);
    const attend = (value: Tensor): Tensor => this.dropout.forward(this.attention.apply(value, value, value, mask));
    const compute = (value: Tensor): Tensor => this.dropout.forward(this.output.apply(this.hidden.apply(value)[this.activation]()));
    if (this.norm === 'before') {
      const attended = x.add(attend(this.attentionNorm.apply(x)));
      return attended.add(compute(this.hiddenNorm.apply(attended)));
    }
    const attended = this.attentionNorm.apply(x.add(attend(x)));
    return this.hiddenNorm.apply(attended.add(compute(attended)));
  }
}

/** A transformer layer for sequences [N, T, features]; `causal: true` makes it a decoder's. */
export const transformerBlock = (features: number, heads: number, options?: TransformerBlockOptions): TransformerBlock =>
  new TransformerBlock(features, heads, options);
