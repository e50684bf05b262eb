/** klDivergence: how far predicted probabilities are from given ones (Kullback & Leibler 1951). Letters: K classes. */
import { type Tensor, where } from '../../tensor/index.ts';
import { checkOptions } from '../options.ts';
import { type ClassWeights, checkSameShape, classWeightsOf, type LossOptions, lossOptions, reduced } from './reduction.ts';

export interface KlDivergenceOptions extends LossOptions {
  /** The predictions are logarithms of probabilities already, not logits; default false. */
  readonly logProbabilities?: boolean;
  /** One weight per class's term. */
  readonly classWeights?: ClassWeights;
}

/** Σ q (log q − log softmax(logits)) over the last dimension; logits and probabilities q [..., K]. Terms with q = 0 are 0. */
export function klDivergence(logits: Tensor, targets: Tensor, options: KlDivergenceOptions = {}): Tensor {
  const name = 'klDivergence';
  checkOptions(name, options, [...lossOptions, 'logProbabilities', 'classWeights']);
  checkSameShape(name, logits, targets);
  const predicted = options.logProbabilities ? logits : logits.logSoftmax();
  const some = targets.greater(0);
  const terms = where(some, targets.mul(where(some, targets, 1).log().sub(predicted)), 0);
  const { classWeights } = options;
  const weights = classWeights && classWeightsOf(name, classWeights, logits.shape[logits.rank - 1], logits);
  return reduced(name, (weights ? terms.mul(weights) : terms).sum({ axis: -1 }), options);
}
