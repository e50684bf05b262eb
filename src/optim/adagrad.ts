/**
 * AdaGrad: every coordinate's rate falls with its own past gradients (Duchi, Hazan & Singer 2011).
 *   g ← g + weightDecay · p
 *   s ← s + g²
 *   p ← p − learningRate · g / (√s + ε)
 */
import { checkNumber, checkOptions } from '../nn/options.ts';
import { type CommonOptions, commonOptions, type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

export interface AdagradOptions extends CommonOptions {
  /** Added to the root; default 1e-10. */
  readonly epsilon?: number;
  /** L2 penalty; default 0. */
  readonly weightDecay?: number;
}

/** The rule alone. */
export function adagradRule({ epsilon = 1e-10, weightDecay = 0 }: AdagradOptions = {}): Rule {
  checkNumber('adagrad', 'epsilon', epsilon, { low: 0 });
  checkNumber('adagrad', 'weightDecay', weightDecay, { low: 0 });
  return perParameter('adagrad', ['sumOfSquares'], ({ learningRate }) => ({ parameter, gradient, slots }) => {
    const g = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
    const sumOfSquares = slots.sumOfSquares.add(g.square());
    return { parameter: parameter.sub(g.div(sumOfSquares.sqrt().add(epsilon)).mul(learningRate)), sumOfSquares };
  });
}

/** AdaGrad, by default with learning rate 0.01. */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  checkOptions('adagrad', options, [...commonOptions, 'epsilon', 'weightDecay']);
  return optimizerOf(adagradRule, options, 0.01);
}
