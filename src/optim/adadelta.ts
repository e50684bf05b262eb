/**
 * Adadelta: steps in the unit of the parameters (Zeiler 2012, algorithm 1).
 *   g ← g + weightDecay · p
 *   s ← ρ s + (1 − ρ) g²
 *   d = g · √(u + ε) / √(s + ε)
 *   u ← ρ u + (1 − ρ) d²
 *   p ← p − learningRate · d
 */
import { checkNumber, checkOptions } from '../nn/options.ts';
import { type CommonOptions, commonOptions, type Optimizer, optimizerOf } from './optimizer.ts';
import { perParameter, type Rule } from './rule.ts';

export interface AdadeltaOptions extends CommonOptions {
  /** How much of the mean squares is kept (ρ); default 0.9. */
  readonly decay?: number;
  /** Default 1e-6. */
  readonly epsilon?: number;
  /** L2 penalty; default 0. */
  readonly weightDecay?: number;
}

/** The rule alone. */
export function adadeltaRule({ decay = 0.9, epsilon = 1e-6, weightDecay = 0 }: AdadeltaOptions = {}): Rule {
  checkNumber('adadelta', 'decay', decay, { low: 0, high: 1, open: true });
  checkNumber('adadelta', 'epsilon', epsilon, { low: 0 });
  checkNumber('adadelta', 'weightDecay', weightDecay, { low: 0 });
  return perParameter('adadelta', ['meanSquare', 'meanSquareStep'], ({ learningRate }) => ({ parameter, gradient, slots }) => {
    const g = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
    const meanSquare = slots.meanSquare.mul(decay).add(g.square().mul(1 - decay));
    const direction = slots.meanSquareStep.add(epsilon).sqrt().div(meanSquare.add(epsilon).sqrt()).mul(g);
    const meanSquareStep = slots.meanSquareStep.mul(decay).add(direction.square().mul(1 - decay));
    return { parameter: parameter.sub(direction.mul(learningRate)), meanSquare, meanSquareStep };
  });
}

/** Adadelta, by default with learning rate 1. */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  checkOptions('adadelta', options, [...commonOptions, 'decay', 'epsilon', 'weightDecay']);
  return optimizerOf(adadeltaRule, options, 1);
}
