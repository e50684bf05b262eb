/**
 * Nadam: Adam with Nesterov's momentum (Dozat 2016, algorithm 8, with its schedule of the momentum).
 *   g ← g + weightDecay · p
 *   μₜ = β₁ (1 − ½ · 0.96^(t ψ)),  M = μ₁ … μₜ
 *   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
 *   p ← p − learningRate · (μₜ₊₁ m / (1 − M μₜ₊₁) + (1 − μₜ) g / (1 − M)) / (√(v / (1 − β₂ᵗ)) + ε)
 */
import { checkNumber, checkOptions } from '../nn/options.ts';
import type { Tensor } from '../tensor/index.ts';
import { type AdamOptions, adamOptions, biasCorrection, checkAdam } from './adam.ts';
import { type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

export interface NadamOptions extends AdamOptions {
  /** ψ, how fast the momentum rises to β₁; default 0.004. */
  readonly momentumDecay?: number;
}

/** The rule alone. The product M is kept per parameter, of its shape, minus 1, so that its state can start at zeros. */
export function nadamRule(options: NadamOptions = {}): Rule {
  const { beta1, beta2, epsilon, weightDecay } = checkAdam('nadam', options);
  const decay = checkNumber('nadam', 'momentumDecay', options.momentumDecay ?? 0.004, { low: 0 });
  const momentumAt = (step: Tensor): Tensor =>
    step
      .mul(decay * Math.log(0.96))
      .exp()
      .mul(-0.5)
      .add(1)
      .mul(beta1);
  return perParameter('nadam', ['firstMoment', 'secondMoment', 'momentumProduct'], ({ learningRate, step }) => {
    const [now, next] = [momentumAt(step), momentumAt(step.add(1))];
    const correction = biasCorrection(beta2, step);
    return ({ parameter, gradient, slots }) => {
      const g = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
      const firstMoment = slots.firstMoment.mul(beta1).add(g.mul(1 - beta1));
      const secondMoment = slots.secondMoment.mul(beta2).add(g.square().mul(1 - beta2));
      const product = slots.momentumProduct.add(1).mul(now);
      const ahead = firstMoment.mul(next).div(product.mul(next).neg().add(1));
      const here = g.mul(now.neg().add(1)).div(product.neg().add(1));
      const direction = ahead.add(here).div(secondMoment.div(correction).sqrt().add(epsilon));
      return { parameter: parameter.sub(direction.mul(learningRate)), firstMoment, secondMoment, momentumProduct: product.sub(1) };
    };
  });
}

/** Nadam, by default with learning rate 0.002. */
export function nadam(options: NadamOptions = {}): Optimizer {
  checkOptions('nadam', options, [...adamOptions, 'momentumDecay']);
  return optimizerOf(nadamRule, options, 0.002);
}
