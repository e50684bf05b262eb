/** A multi-layer perceptron: flatten, then dense layers with ReLU between them. */
import * as nn from '../nn/index.ts';
import { checkOptions } from '../nn/options.ts';

export interface MlpOptions {
  /** Units of the hidden layers; default [256]. */
  readonly hidden?: readonly number[];
  readonly classes?: number;
  /** Dropout rate after each hidden layer; default 0. */
  readonly dropout?: number;
}

/** [N, ...size] → logits [N, classes] */
export function mlp(options: MlpOptions = {}): nn.Sequential {
  checkOptions('mlp', options, ['hidden', 'classes', 'dropout']);
  const { hidden = [256], classes = 10, dropout = 0 } = options;
  const layers = hidden.flatMap((units) => [nn.linear(units), nn.relu(), ...(dropout > 0 ? [nn.dropout(dropout)] : [])]);
  return nn.sequential(nn.flatten(), ...layers, nn.linear(classes));
}
