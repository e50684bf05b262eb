/** binaryCrossEntropy, the log loss: independent yes/no predictions. */
import type { Tensor } from '../../tensor/index.ts';
import { checkNumber, checkOptions } from '../options.ts';
import { type ClassWeights, checkSameShape, classWeightsOf, type LossOptions, lossOptions, reduced } from './reduction.ts';

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** The predictions are logits, not probabilities; stable for any size. Default false. */
  readonly withLogits?: boolean;
  /** Weight of the positive targets; default 1. Above 1 it trades precision for recall. */
  readonly positiveWeight?: number;
  /** One weight per output (the last dimension). */
  readonly classWeights?: ClassWeights;
}

/** −(t log p + (1 − t) log(1 − p)), targets t in 0 … 1 of the predictions' shape. Logarithms of probabilities are held above −100. */
export function binaryCrossEntropy(predictions: Tensor, targets: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  const name = 'binaryCrossEntropy';
  checkOptions(name, options, [...lossOptions, 'withLogits', 'positiveWeight', 'classWeights']);
  checkSameShape(name, predictions, targets);
  const positive = checkNumber(name, 'positiveWeight', options.positiveWeight ?? 1, { low: 0 });
  const t = targets.cast(predictions.dtype);
  const losses = options.withLogits ? ofLogits(predictions, t, positive) : ofProbabilities(predictions, t, positive);
  const { classWeights } = options;
  const weights = classWeights && classWeightsOf(name, classWeights, predictions.shape[predictions.rank - 1], predictions);
  return reduced(name, losses, options, weights);
}

/** softplus(z) − t z, softplus(z) = max(z, 0) + log(1 + e^−|z|); with a weight w of positives: (1 − t) z + (1 + (w − 1) t) softplus(−z). */
const ofLogits = (z: Tensor, t: Tensor, positive: number): Tensor =>
  positive === 1
    ? z.softplus().sub(t.mul(z))
    : z.sub(t.mul(z)).add(
        t
          .mul(positive - 1)
          .add(1)
          .mul(z.neg().softplus()),
      );

const ofProbabilities = (p: Tensor, t: Tensor, positive: number): Tensor => {
  const yes = p.log().maximum(-100).mul(t).mul(positive);
  const no = p.neg().log1p().maximum(-100).mul(t.neg().add(1));
  return yes.add(no).neg();
};
