/** multitask: one loss for a model of several outputs, a weighted sum of its heads' losses. */
import { fail } from '../../core/errors.ts';
import type { Tensor } from '../../tensor/index.ts';
import { checkNumber } from '../options.ts';

/** A head's loss, with its weight in the sum (default 1). */
export interface HeadLoss {
  readonly loss: (outputs: Tensor, targets: Tensor) => Tensor;
  readonly weight?: number;
}

/** Σ weight · loss(outputs[i], targets[i]): `nn.multitask([{ loss: nn.crossEntropy }, { loss: nn.meanSquaredError, weight: 0.1 }])(outputs, targets)`. */
export function multitask(heads: readonly HeadLoss[]): (outputs: readonly Tensor[], targets: readonly Tensor[]) => Tensor {
  if (heads.length === 0) fail('argument', 'multitask', 'there are no heads');
  for (const { weight = 1 } of heads) checkNumber('multitask', 'weight', weight, { low: 0 });
  return (outputs, targets) => {
    if (outputs.length !== heads.length || targets.length !== heads.length)
      fail('argument', 'multitask', `expected ${heads.length} outputs and targets, got ${outputs.length} and ${targets.length}`);
    return heads.map(({ loss, weight = 1 }, i) => loss(outputs[i], targets[i]).mul(weight)).reduce((a, b) => a.add(b));
  };
}
