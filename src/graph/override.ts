/**
 * Gradient rules of single nodes, in place of their op's: what stopGradient, customGradient and checkpoint are made of.
 * Kept beside the nodes; copies of a graph carry them along (`copyOverride`).
 */
import { type Node, newNode } from './node.ts';

/**
 * From the gradient of the loss with respect to the node, the gradients with respect to `targets` (null: none flows).
 * `targets` are those of the node at hand: a copied node passes its own, so the rule must build on them alone to be free of the original.
 */
export type OverrideRule = (dOut: Node, targets: readonly Node[]) => readonly (Node | null)[];

export interface Override {
  /** The nodes that gradients go to instead of the inputs: any nodes older than the overridden one. */
  readonly targets: readonly Node[];
  readonly rule: OverrideRule;
}

const overrides = new WeakMap<Node, Override>();

/** Gradients that reach `node` go through `rule` to `targets`, and not to its inputs. Returns the node. */
export function overrideGradient(node: Node, targets: readonly Node[], rule: OverrideRule): Node {
  overrides.set(node, { targets, rule });
  return node;
}

export const overrideOf = (node: Node): Override | undefined => overrides.get(node);

/** Gives a copy the rule of its original, with targets replaced as the inputs were. */
export function copyOverride(original: Node, copy: Node, replace: (target: Node) => Node): Node {
  const override = overrides.get(original);
  return override ? overrideGradient(copy, override.targets.map(replace), override.rule) : copy;
}

/** A new node with the same value: something to give a rule of its own. The simplifier removes it, but not one that is kept apart. */
export const identity = (x: Node): Node => newNode('reshape', [x], { shape: x.shape }, x);

/** The same value, which the compiler must not see through: what is computed from it is not merged with what is computed from `x`. */
export const keepApart = (x: Node): Node => newNode('reshape', [x], { shape: x.shape, apart: true }, x);

/** The same value, through which no gradient flows. */
export const stopGradient = (x: Node): Node => overrideGradient(identity(x), [], () => []);

/** The value of `result` with `rule` for its gradient: from dLoss/dResult the gradients with respect to `targets` (older nodes, usually the inputs of what computed it). */
export const withGradient = (result: Node, targets: readonly Node[], rule: OverrideRule): Node => overrideGradient(identity(result), targets, rule);
