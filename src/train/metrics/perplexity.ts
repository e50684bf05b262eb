/** perplexity: e to the mean negative log-likelihood (in nats) of the labels, over all positions; for models of language. */

import { crossEntropy } from '../../nn/index.ts';
import { checkOptions, checkWhole } from '../../nn/options.ts';
import { full, stack } from '../../tensor/index.ts';
import { labelsFor, type Metric } from './metric.ts';

export interface PerplexityOptions {
  /** Label that does not count, such as padding. */
  readonly ignoreIndex?: number;
}

/** Outputs: logits [batch, …, classes]; targets: integer labels [batch, …]. Not a number while every label is ignored. */
export function perplexity(options: PerplexityOptions = {}): Metric {
  checkOptions('perplexity', options, ['ignoreIndex']);
  const { ignoreIndex } = options;
  if (ignoreIndex !== undefined) checkWhole('perplexity', 'ignoreIndex', ignoreIndex, -(2 ** 31));
  return {
    name: 'perplexity',
    better: 'lower',
    measure(outputs, targets) {
      const labels = labelsFor('perplexity', outputs, targets);
      const nats = crossEntropy(outputs, labels, { ...options, reduction: 'sum' });
      const count = ignoreIndex === undefined ? full([], labels.size, { dtype: nats.dtype }) : labels.notEqual(ignoreIndex).cast(nats.dtype).sum();
      return stack([nats, count]);
    },
    result: ([nats, count]: ArrayLike<number> & Iterable<number>) => Math.exp(nats / count),
  };
}
