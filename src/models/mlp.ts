/** A multi-layer perceptron: flatten, then dense layers with ReLU between them. */
import * as nn from '../nn/index.ts';
import { checkOptions } from '../nn/options.ts';

export interface MlpOptions {
  /** Units of the hidden layers; default [256]. */
  readonly hidden?: readonly number[];
  readonly classes?: number;
  /** Dropout rate after each hidden layer; default 0. */
  readonly dropout?: number;
  /** Dropout rate of the inputs; default 0. */
  readonly inputDropout?: number;
}

/** [N, ...size] → logits [N, classes] */
export function mlp(options: MlpOptions = {}): nn.Sequential {
  checkOptions('mlp', options, ['hidden', 'classes', 'dropout', 'inputDropout']);
  const { hidden = [256], classes = 10, dropout = 0, inputDropout = 0 } = options;
  const dropped = (rate: number) => (rate > 0 ? [nn.dropout(rate)] : []);
  const layers = hidden.flatMap((units) => [nn.linear(units), nn.relu(), ...dropped(dropout)]);
  return nn.sequential(nn.flatten(), ...dropped(inputDropout), ...layers, nn.linear(classes));
}
