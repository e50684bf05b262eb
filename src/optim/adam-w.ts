/**
 * AdamW: Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019, algorithm 2).
 *   p ← p − learningRate · weightDecay · p, then Adam's step without decay in g
 */
import { checkOptions } from '../nn/options.ts';
import { type AmsgradOptions, adamOptions, adamRule } from './adam.ts';
import { type Optimizer, optimizerOf } from './optimizer.ts';
import type { Rule } from './rule.ts';

/** The rule alone. */
export const adamWRule = (options: AmsgradOptions = {}): Rule => adamRule({ weightDecay: 0.01, ...options }, { decoupled: true });

/** AdamW, by default with learning rate 0.001 and weight decay 0.01. */
export function adamW(options: AmsgradOptions = {}): Optimizer {
  checkOptions('adamW', options, [...adamOptions, 'amsgrad']);
  return optimizerOf(adamWRule, options, 0.001);
}
