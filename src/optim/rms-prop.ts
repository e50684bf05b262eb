/**
 * RMSprop (Tieleman & Hinton 2012, lecture 6.5), centred form by Graves 2013.
 *   g ← g + weightDecay · p
 *   s ← α s + (1 − α) g²;     centred: a ← α a + (1 − α) g, s′ = s − a²; else s′ = s
 *   d = g / (√s′ + ε);        with momentum: b ← momentum · b + d, d = b
 *   p ← p − learningRate · d
 */
import { checkNumber, checkOptions } from '../nn/options.ts';
import { type CommonOptions, commonOptions, type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

export interface RmsPropOptions extends CommonOptions {
  /** How much of the mean square is kept (α), 0 … 1; default 0.99. */
  readonly decay?: number;
  /** Added to the root; default 1e-8. */
  readonly epsilon?: number;
  /** Divides by the standard deviation instead of the root mean square; default false. */
  readonly centered?: boolean;
  /** Default 0. */
  readonly momentum?: number;
  /** L2 penalty; default 0. */
  readonly weightDecay?: number;
}

type Slot = 'meanSquare' | 'meanGradient' | 'momentum';

/** The rule alone. */
export function rmsPropRule({ decay = 0.99, epsilon = 1e-8, centered = false, momentum = 0, weightDecay = 0 }: RmsPropOptions = {}): Rule {
  checkNumber('rmsProp', 'decay', decay, { low: 0, high: 1, open: true });
  checkNumber('rmsProp', 'epsilon', epsilon, { low: 0 });
  checkNumber('rmsProp', 'momentum', momentum, { low: 0, high: 1, open: true });
  checkNumber('rmsProp', 'weightDecay', weightDecay, { low: 0 });
  const slots: readonly Slot[] = ['meanSquare', ...(centered ? (['meanGradient'] as const) : []), ...(momentum > 0 ? (['momentum'] as const) : [])];
  return perParameter('rmsProp', slots, ({ learningRate }) => ({ parameter, gradient, slots: old }) => {
    const g = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
    const meanSquare = old.meanSquare.mul(decay).add(g.square().mul(1 - decay));
    const meanGradient = centered ? old.meanGradient.mul(decay).add(g.mul(1 - decay)) : g;
    const spread = centered ? meanSquare.sub(meanGradient.square()) : meanSquare;
    const scaled = g.div(spread.sqrt().add(epsilon));
    const direction = momentum > 0 ? old.momentum.mul(momentum).add(scaled) : scaled;
    return { parameter: parameter.sub(direction.mul(learningRate)), meanSquare, meanGradient, momentum: direction };
  });
}

/** RMSprop, by default with learning rate 0.01. */
export function rmsProp(options: RmsPropOptions = {}): Optimizer {
  checkOptions('rmsProp', options, [...commonOptions, 'decay', 'epsilon', 'centered', 'momentum', 'weightDecay']);
  return optimizerOf(rmsPropRule, options, 0.01);
}
