/** Parameter groups: settings of their own for some parameters, by name. Constraints and penalties that every optimizer understands. */
import { fail } from '../core/errors.ts';
import { checkNumber, checkOptions } from '../nn/options.ts';
import type { Tensor } from '../tensor/index.ts';

/** What each group, and the optimizer for all the rest, may ask of its parameters. */
export interface Constraints {
  /** Adds l1 · sign(p) to the gradient: the gradient of the penalty l1 · Σ |p|; default 0. */
  readonly l1?: number;
  /** After each step, the weights into each unit (a column: all axes but the last) are scaled down to at most this L2 norm (Srebro & Shraibman 2005). */
  readonly maxNorm?: number;
}

export interface ParameterGroup extends Constraints {
  /** The parameters' names: a prefix such as '0.' or 'head', a pattern such as /bias$/, or a test. The first group that matches counts. */
  readonly match: string | RegExp | ((name: string) => boolean);
  /** The learning rate is this times the optimizer's (after its schedule); 0 freezes; default 1. */
  readonly learningRateFactor?: number;
  /** In place of the optimizer's. */
  readonly weightDecay?: number;
}

export function checkGroup(operation: string, group: ParameterGroup): ParameterGroup {
  checkOptions(operation, group, ['match', 'learningRateFactor', 'weightDecay', 'l1', 'maxNorm']);
  const { match, learningRateFactor, weightDecay } = group;
  if (typeof match !== 'string' && typeof match !== 'function' && !(match instanceof RegExp))
    fail('argument', operation, 'a group needs a match', "A prefix of names ('0.'), a pattern (/bias$/) or a test.");
  for (const [name, value] of Object.entries({ learningRateFactor, weightDecay })) if (value !== undefined) checkNumber(operation, name, value, { low: 0 });
  checkConstraints(operation, group);
  return group;
}

export function checkConstraints(operation: string, { l1, maxNorm }: Constraints): void {
  for (const [name, value] of Object.entries({ l1, maxNorm })) if (value !== undefined) checkNumber(operation, name, value, { low: 0 });
}

export const matches = ({ match }: ParameterGroup, name: string): boolean =>
  typeof match === 'string' ? name.startsWith(match) : match instanceof RegExp ? match.test(name) : match(name);

/** The gradient with the L1 penalty's. */
export const penalized = (gradient: Tensor, parameter: Tensor, { l1 = 0 }: Constraints): Tensor =>
  l1 === 0 ? gradient : gradient.add(parameter.sign().mul(l1));

/** The parameter with its columns held below maxNorm; vectors (biases, scales) stay. */
export function constrained(parameter: Tensor, { maxNorm }: Constraints): Tensor {
  if (maxNorm === undefined || parameter.rank < 2) return parameter;
  const axis = parameter.shape.slice(0, -1).map((_, i) => i);
  const norm = parameter.square().sum({ axis, keepDims: true }).sqrt();
  return parameter.mul(norm.maximum(1e-12).reciprocal().mul(maxNorm).minimum(1));
}
