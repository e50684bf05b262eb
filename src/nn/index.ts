/** gradix/nn: layers, losses, initialisers. */
export * from './activations.ts';
export { AdditiveAttention, additiveAttention } from './additive-attention.ts';
export { BatchNorm, type BatchNormOptions, batchNorm } from './batch-norm.ts';
export { Bilinear, bilinear } from './bilinear.ts';
export { Conv, type ConvOptions, conv1d, conv2d, conv3d } from './conv.ts';
export { ConvTranspose, type ConvTransposeOptions, convTranspose1d, convTranspose2d, convTranspose3d } from './conv-transpose.ts';
export { DepthwiseConv, type DepthwiseConvOptions, depthwiseConv1d, depthwiseConv2d, depthwiseConv3d } from './depthwise-conv.ts';
export { type Attended, type AttentionMask, type DotProductAttentionOptions, dotProductAttention } from './dot-product-attention.ts';
export { Dropout, dropout, spatialDropout } from './dropout.ts';
export { Embedding, type EmbeddingOptions, embedding } from './embedding.ts';
export { Flatten, flatten } from './flatten.ts';
export {
  AdaptivePool,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  GlobalPool,
  globalAvgPool,
  globalMaxPool,
} from './global-pool.ts';
export { Graph, type GraphLayer, type GraphOptions, graph } from './graph.ts';
export { GroupNorm, type GroupNormOptions, groupNorm, instanceNorm } from './group-norm.ts';
export { type Gru, type GruOptions, type GruState, gru } from './gru.ts';
export type { Fans, Initializer } from './initializers.ts';
export * as initializers from './initializers.ts';
export { LayerNorm, type LayerNormOptions, layerNorm } from './layer-norm.ts';
export { Linear, type LinearOptions, linear } from './linear.ts';
export { LocalResponseNorm, type LocalResponseNormOptions, localResponseNorm } from './local-response-norm.ts';
export * from './losses/index.ts';
export { type Lstm, type LstmOptions, type LstmState, lstm } from './lstm.ts';
export { Maxout, maxout } from './maxout.ts';
export { add, average, Concatenate, Copy, concatenate, copy, Merge, type MergeMethod, maximum, merge, multiply, Split, split } from './merge.ts';
export { Module, type NamedVariables, type StateDict } from './module.ts';
export { MultiHeadAttention, type MultiHeadAttentionOptions, multiHeadAttention } from './multi-head-attention.ts';
export { GaussianNoise, gaussianNoise } from './noise.ts';
export { buffer, type ParameterDType, parameter } from './parameter.ts';
export { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d, Pool, type PoolOptions } from './pool.ts';
export { PositionalEncoding, positionalEncoding } from './positional-encoding.ts';
export { Prelu, type PreluOptions, prelu } from './prelu.ts';
export { RandomShift, randomShift } from './random-shift.ts';
export { type CallListener, listening } from './record.ts';
export { lengthMask, Recurrent, type RecurrentOptions, type RunOptions, type RunResult } from './recurrent.ts';
export { Permute, permute, Reshape, reshape, type SidePadding, ZeroPadding, zeroPadding } from './reshape.ts';
export { type Rnn, type RnnOptions, type RnnState, rnn } from './rnn.ts';
export { SeparableConv, separableConv1d, separableConv2d, separableConv3d } from './separable-conv.ts';
export { type Layer, Sequential, sequential } from './sequential.ts';
export { SizedLayer } from './sized-layer.ts';
export { Standardize, type StandardizeOptions, standardize } from './standardize.ts';
export { type SummaryRow, summaryRows } from './summary.ts';
export { TiedLinear, tiedLinear } from './tied-linear.ts';
export { TransformerBlock, type TransformerBlockOptions, transformerBlock } from './transformer-block.ts';
export { Upsample, type UpsampleOptions, upsample } from './upsample.ts';
