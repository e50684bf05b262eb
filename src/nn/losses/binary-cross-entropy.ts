/** binaryCrossEntropy: independent yes/no predictions. */
import type { Tensor } from '../../tensor/index.ts';
import { checkOptions } from '../options.ts';
import { checkSameShape, type Reduction, reduced } from './reduction.ts';

export interface BinaryCrossEntropyOptions {
  /** The predictions are logits, not probabilities; stable for any size. Default false. */
  readonly withLogits?: boolean;
  readonly reduction?: Reduction;
}

/** −(t log p + (1 − t) log(1 − p)), targets t in 0 … 1 of the predictions' shape. Logarithms of probabilities are held above −100. */
export function binaryCrossEntropy(predictions: Tensor, targets: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  checkOptions('binaryCrossEntropy', options, ['withLogits', 'reduction']);
  checkSameShape('binaryCrossEntropy', predictions, targets);
  const t = targets.cast(predictions.dtype);
  const losses = options.withLogits ? ofLogits(predictions, t) : ofProbabilities(predictions, t);
  return reduced('binaryCrossEntropy', losses, options.reduction);
}

/** softplus(z) − t z, softplus(z) = max(z, 0) + log(1 + e^−|z|). */
const ofLogits = (z: Tensor, t: Tensor): Tensor => z.softplus().sub(t.mul(z));

const ofProbabilities = (p: Tensor, t: Tensor): Tensor => {
  const yes = p.log().maximum(-100).mul(t);
  const no = p.neg().log1p().maximum(-100).mul(t.neg().add(1));
  return yes.add(no).neg();
};
