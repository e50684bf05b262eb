/** Nodes with gradient rules of their own, and the identities they hang on. The simplifier removes an identity, but for one that is kept apart. */
import { type Node, newNode } from '../graph/node.ts';
import { type OverrideRule, overrideGradient } from '../graph/override.ts';

export { type OverrideRule, overrideGradient, overrideOf } from '../graph/override.ts';

/** A new node with the same value: something to give a rule of its own. */
export const identity = (x: Node): Node => newNode('reshape', [x], { shape: x.shape }, x);

/** The same value, which the compiler must not see through: what is computed from it is not merged with what is computed from `x`. */
export const keepApart = (x: Node): Node => newNode('reshape', [x], { shape: x.shape, apart: true }, x);

/** The same value, through which no gradient flows. */
export const stopGradient = (x: Node): Node => overrideGradient(identity(x), [], () => []);

/** The value of `result` with `rule` for its gradient: from dLoss/dResult the gradients with respect to `targets` (older nodes, usually the inputs of what computed it). */
export const withGradient = (result: Node, targets: readonly Node[], rule: OverrideRule): Node => overrideGradient(identity(result), targets, rule);
