/**
 * Lion: the sign of an interpolated momentum (Chen et al. 2023, algorithm 2).
 *   c = β₁ m + (1 − β₁) g
 *   p ← p − learningRate · (sign(c) + weightDecay · p)
 *   m ← β₂ m + (1 − β₂) g
 */
import { checkNumber, checkOptions } from '../nn/options.ts';
import { type CommonOptions, commonOptions, type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

export interface LionOptions extends CommonOptions {
  /** Share of the momentum in the direction; default 0.9. */
  readonly beta1?: number;
  /** How much of the momentum is kept; default 0.99. */
  readonly beta2?: number;
  /** Apart from the gradient; default 0. */
  readonly weightDecay?: number;
}

/** The rule alone. */
export function lionRule({ beta1 = 0.9, beta2 = 0.99, weightDecay = 0 }: LionOptions = {}): Rule {
  checkNumber('lion', 'beta1', beta1, { low: 0, high: 1 });
  checkNumber('lion', 'beta2', beta2, { low: 0, high: 1, open: true });
  checkNumber('lion', 'weightDecay', weightDecay, { low: 0 });
  return perParameter('lion', ['momentum'], ({ learningRate }) => ({ parameter, gradient, slots }) => {
    const sign = slots.momentum
      .mul(beta1)
      .add(gradient.mul(1 - beta1))
      .sign();
    const direction = weightDecay === 0 ? sign : sign.add(parameter.mul(weightDecay));
    return { parameter: parameter.sub(direction.mul(learningRate)), momentum: slots.momentum.mul(beta2).add(gradient.mul(1 - beta2)) };
  });
}

/** Lion, by default with learning rate 1e-4. */
export function lion(options: LionOptions = {}): Optimizer {
  checkOptions('lion', options, [...commonOptions, 'beta1', 'beta2', 'weightDecay']);
  return optimizerOf(lionRule, options, 1e-4);
}
