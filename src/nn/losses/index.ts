/** The losses, and the same by name for training loops. */
import type { Tensor } from '../../tensor/index.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { crossEntropy } from './cross-entropy.ts';
import { hinge } from './hinge.ts';
import { huber, meanAbsoluteError, meanSquaredError } from './regression.ts';

/** A loss: predictions and targets to a scalar. */
export type Loss = (predictions: Tensor, targets: Tensor) => Tensor;

/** The losses that can be named: fit(…, { loss: 'crossEntropy' }). */
export const losses = { crossEntropy, binaryCrossEntropy, meanSquaredError, meanAbsoluteError, huber, hinge } satisfies Record<string, Loss>;
export type LossName = keyof typeof losses;

export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './binary-cross-entropy.ts';
export { type CrossEntropyOptions, checkLabels, crossEntropy } from './cross-entropy.ts';
export { type HingeOptions, hinge } from './hinge.ts';
export type { Reduction } from './reduction.ts';
export { type HuberOptions, huber, meanAbsoluteError, meanSquaredError, type RegressionOptions } from './regression.ts';
