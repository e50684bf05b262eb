/**
 * AdamW: Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019, algorithm 2).
 *   p ← p − learningRate · weightDecay · p, then Adam's step without decay in g
 */
import { checkOptions } from '../nn/options.ts';
import { type AdamOptions, adamOptions, adamRule } from './adam.ts';
import { Optimizer } from './optimizer.ts';
import type { Rule } from './rule.ts';

/** The rule alone. */
export const adamWRule = (options: AdamOptions = {}): Rule => adamRule({ weightDecay: 0.01, ...options }, { decoupled: true });

/** AdamW, by default with learning rate 0.001 and weight decay 0.01. */
export function adamW(options: AdamOptions = {}): Optimizer {
  checkOptions('adamW', options, adamOptions);
  return new Optimizer(adamWRule(options), { learningRate: 0.001, ...options });
}
