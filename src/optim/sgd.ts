/**
 * Stochastic gradient descent with momentum (Polyak 1964) and Nesterov's form (Nesterov 1983; Sutskever et al. 2013).
 *   g ← g + weightDecay · p
 *   v ← momentum · v + g
 *   p ← p − learningRate · v            Nesterov:  p ← p − learningRate · (g + momentum · v)
 */
import { fail } from '../core/errors.ts';
import { checkNumber, checkOptions } from '../nn/options.ts';
import { type CommonOptions, commonOptions, type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

export interface SgdOptions extends CommonOptions {
  /** Share of the last step that is kept, 0 … 1; default 0. */
  readonly momentum?: number;
  /** Looks ahead along the momentum; default false. */
  readonly nesterov?: boolean;
  /** L2 penalty: adds weightDecay · p to the gradient; default 0. */
  readonly weightDecay?: number;
}

/** The rule alone. */
export function sgdRule({ momentum = 0, nesterov = false, weightDecay = 0 }: Pick<SgdOptions, 'momentum' | 'nesterov' | 'weightDecay'> = {}): Rule {
  checkNumber('sgd', 'momentum', momentum, { low: 0, high: 1, open: true });
  checkNumber('sgd', 'weightDecay', weightDecay, { low: 0 });
  if (nesterov && momentum === 0) fail('argument', 'sgd', 'nesterov needs a momentum', 'Pass momentum: 0.9, say.');
  if (momentum === 0) {
    return perParameter('sgd', [], ({ learningRate }) => ({ parameter, gradient }) => {
      const g = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
      return { parameter: parameter.sub(g.mul(learningRate)) };
    });
  }
  return perParameter('sgd', ['momentum'], ({ learningRate }) => ({ parameter, gradient, slots }) => {
    const g = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
    const velocity = slots.momentum.mul(momentum).add(g);
    const direction = nesterov ? g.add(velocity.mul(momentum)) : velocity;
    return { parameter: parameter.sub(direction.mul(learningRate)), momentum: velocity };
  });
}

/** Gradient descent, by default with learning rate 0.01 and no momentum. */
export function sgd(options: SgdOptions = {}): Optimizer {
  checkOptions('sgd', options, [...commonOptions, 'momentum', 'nesterov', 'weightDecay']);
  return optimizerOf(sgdRule, options, 0.01);
}
