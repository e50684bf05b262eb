/**
 * Adam: adaptive moments (Kingma & Ba 2015, algorithm 1).
 *   g ← g + weightDecay · p                  (decoupled, see adam-w.ts: p ← p − learningRate · weightDecay · p)
 *   m ← β₁ m + (1 − β₁) g
 *   v ← β₂ v + (1 − β₂) g²
 *   p ← p − learningRate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 * AMSGrad (Reddi, Kale & Kumar 2018): the largest v so far in place of v.
 */
import { checkNumber, checkOptions } from '../nn/options.ts';
import type { Tensor } from '../tensor/index.ts';
import { type CommonOptions, commonOptions, type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

export interface AdamOptions extends CommonOptions {
  /** How much of the mean gradient is kept, 0 … 1; default 0.9. */
  readonly beta1?: number;
  /** How much of the mean squared gradient is kept, 0 … 1; default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the mean square; default 1e-8. */
  readonly epsilon?: number;
  /** Default 0 for adam (an L2 penalty, through the gradient), 0.01 for adamW (decoupled from it). */
  readonly weightDecay?: number;
}

export interface AmsgradOptions extends AdamOptions {
  /** Divides by the largest mean square so far (AMSGrad); default false. */
  readonly amsgrad?: boolean;
}

/** The options with their defaults, checked. */
export function checkAdam(name: string, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamOptions) {
  checkNumber(name, 'beta1', beta1, { low: 0, high: 1, open: true });
  checkNumber(name, 'beta2', beta2, { low: 0, high: 1, open: true });
  checkNumber(name, 'epsilon', epsilon, { low: 0 });
  checkNumber(name, 'weightDecay', weightDecay, { low: 0 });
  return { beta1, beta2, epsilon, weightDecay };
}

type Slot = 'firstMoment' | 'secondMoment' | 'largestSecondMoment';

/** The rule alone. */
export function adamRule(options: AmsgradOptions = {}, { decoupled = false }: { readonly decoupled?: boolean } = {}): Rule {
  const name = decoupled ? 'adamW' : 'adam';
  const { amsgrad = false } = options;
  const { beta1, beta2, epsilon, weightDecay } = checkAdam(name, options);
  const slots: readonly Slot[] = ['firstMoment', 'secondMoment', ...(amsgrad ? (['largestSecondMoment'] as const) : [])];
  return perParameter(name, slots, ({ learningRate, step }) => {
    const stepSize = learningRate.div(biasCorrection(beta1, step));
    const rootScale = biasCorrection(beta2, step).rsqrt();
    const keep = decoupled && weightDecay > 0 ? learningRate.mul(-weightDecay).add(1) : undefined;
    return ({ parameter, gradient, slots: old }) => {
      const g = decoupled || weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
      const firstMoment = old.firstMoment.mul(beta1).add(g.mul(1 - beta1));
      const secondMoment = old.secondMoment.mul(beta2).add(g.square().mul(1 - beta2));
      const largestSecondMoment = amsgrad ? old.largestSecondMoment.maximum(secondMoment) : secondMoment;
      const direction = firstMoment.div(largestSecondMoment.sqrt().mul(rootScale).add(epsilon));
      const decayed = keep ? parameter.mul(keep) : parameter;
      return { parameter: decayed.sub(direction.mul(stepSize)), firstMoment, secondMoment, largestSecondMoment };
    };
  });
}

/** 1 − βᵗ, exact also where βᵗ is near 1. */
export const biasCorrection = (beta: number, step: Tensor): Tensor => (beta === 0 ? step.mul(0).add(1) : step.mul(Math.log(beta)).expm1().neg());

export const adamOptions = [...commonOptions, 'beta1', 'beta2', 'epsilon', 'weightDecay'];

/** Adam, by default with learning rate 0.001. */
export function adam(options: AmsgradOptions = {}): Optimizer {
  checkOptions('adam', options, [...adamOptions, 'amsgrad']);
  return optimizerOf(adamRule, options, 0.001);
}

/** AMSGrad, by default with learning rate 0.001. */
export function amsgrad(options: AdamOptions = {}): Optimizer {
  checkOptions('amsgrad', options, adamOptions);
  return adam({ ...options, amsgrad: true });
}
