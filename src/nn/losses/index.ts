/** The losses, and the same by name for training loops. */
import type { Tensor } from '../../tensor/index.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { bivariateMixtureLoss } from './bivariate-mixture.ts';
import { crossEntropy } from './cross-entropy.ts';
import { klDivergence } from './divergence.ts';
import { hinge, multiclassHinge } from './hinge.ts';
import { huber, meanAbsoluteError, meanSquaredError } from './regression.ts';

/** A loss: predictions and targets to a scalar. */
export type Loss = (predictions: Tensor, targets: Tensor) => Tensor;

/** The losses that can be named: fit(…, { loss: 'crossEntropy' }). */
export const losses = {
  crossEntropy,
  binaryCrossEntropy,
  meanSquaredError,
  meanAbsoluteError,
  huber,
  hinge,
  multiclassHinge,
  klDivergence,
  bivariateMixtureLoss,
} satisfies Record<string, Loss>;
export type LossName = keyof typeof losses;

export { type BinaryCrossEntropyOptions, binaryCrossEntropy, binaryCrossEntropy as logLoss } from './binary-cross-entropy.ts';
export { type BivariateMixture, bivariateMixture, bivariateMixtureLoss, sampleBivariateMixture } from './bivariate-mixture.ts';
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.ts';
export { type CtcOptions, ctc } from './ctc.ts';
export { type KlDivergenceOptions, klDivergence } from './divergence.ts';
export { contrastive, type MarginOptions, type TripletOptions, triplet } from './embedding-distance.ts';
export { type HingeOptions, hinge, type MulticlassHingeOptions, multiclassHinge } from './hinge.ts';
export { checkLabels } from './labels.ts';
export { type HeadLoss, multitask } from './multitask.ts';
export type { ClassWeights, LossOptions, Reduction } from './reduction.ts';
export { type HuberOptions, huber, meanAbsoluteError, meanSquaredError, type RegressionOptions } from './regression.ts';
