/** Recomputation instead of storage (Chen et al. 2016, "Training deep nets with sublinear memory cost"): the backward pass rebuilds what it needs from the inputs. */
import { type Node, newNode, topologicalOrder } from '../graph/node.ts';
import { copyOverride, keepApart, withGradient } from '../graph/override.ts';
import { constant } from '../ops/build.ts';
import { opOf } from '../ops/registry.ts';
import { gradientsOf } from './reverse.ts';

/**
 * Runs `build` and returns its results such that their gradients recompute everything that `build` made from what was there before
 * (arguments, variables, random keys: so the same random numbers come again). The recomputed nodes start from inputs that are kept apart.
 */
export function checkpointed(build: () => readonly Node[]): Node[] {
  const newest = constant(0).id;
  return build().map((result) => {
    const isOutside = (node: Node): boolean => node.id <= newest || node.op === 'leaf';
    if (isOutside(result)) return result;
    const order = topologicalOrder([result], isOutside);
    const inside = order.filter((node) => !isOutside(node) && opOf(node).kind !== 'leaf');
    // Constants are shared: rebuilding them would only hide them from the simplifier.
    const outside = order.filter((node) => isOutside(node) && !(opOf(node).kind === 'leaf' && node.op !== 'leaf'));
    return withGradient(result, outside, (dOut, targets) => {
      const fresh = targets.map(keepApart);
      const copies = new Map(outside.map((node, i) => [node, fresh[i]]));
      const replace = (node: Node): Node => copies.get(node) ?? node;
      for (const node of inside) copies.set(node, copyOverride(node, newNode(node.op, node.inputs.map(replace), node.attributes, node), replace));
      return gradientsOf([replace(result)], [dOut], fresh);
    });
  });
}
