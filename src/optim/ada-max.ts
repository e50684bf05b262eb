/**
 * AdaMax: Adam with the largest past gradient in place of the mean square (Kingma & Ba 2015, algorithm 2).
 *   g ← g + weightDecay · p
 *   m ← β₁ m + (1 − β₁) g
 *   u ← max(β₂ u, |g| + ε)
 *   p ← p − learningRate / (1 − β₁ᵗ) · m / u
 */
import { checkOptions } from '../nn/options.ts';
import { type AdamOptions, adamOptions, biasCorrection, checkAdam } from './adam.ts';
import { type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

/** The rule alone. */
export function adaMaxRule(options: AdamOptions = {}): Rule {
  const { beta1, beta2, epsilon, weightDecay } = checkAdam('adaMax', options);
  return perParameter('adaMax', ['firstMoment', 'largest'], ({ learningRate, step }) => {
    const stepSize = learningRate.div(biasCorrection(beta1, step));
    return ({ parameter, gradient, slots }) => {
      const g = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
      const firstMoment = slots.firstMoment.mul(beta1).add(g.mul(1 - beta1));
      const largest = slots.largest.mul(beta2).maximum(g.abs().add(epsilon));
      return { parameter: parameter.sub(firstMoment.div(largest).mul(stepSize)), firstMoment, largest };
    };
  });
}

/** AdaMax, by default with learning rate 0.002. */
export function adaMax(options: AdamOptions = {}): Optimizer {
  checkOptions('adaMax', options, adamOptions);
  return optimizerOf(adaMaxRule, options, 0.002);
}
