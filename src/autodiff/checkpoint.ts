/** Recomputation instead of storage (Chen et al. 2016, "Training deep nets with sublinear memory cost"): the backward pass rebuilds what it needs from the inputs. */
import { type Node, topologicalOrder } from '../graph/node.ts';
import { keepApart, withGradient } from '../graph/override.ts';
import { substitute } from '../graph/substitute.ts';
import { constant } from '../ops/build.ts';
import { gradientsOf } from './reverse.ts';

/**
 * Runs `build` and returns its results such that their gradients recompute everything that `build` made from what was there before
 * (arguments, variables, random keys: so the same random numbers come again). The recomputed nodes start from inputs that are kept apart.
 */
export function checkpointed(build: () => readonly Node[]): Node[] {
  const newest = constant(0).id;
  const isOutside = (node: Node): boolean => node.id <= newest || node.op === 'leaf';
  return build().map((result) => {
    if (isOutside(result)) return result;
    // Constants are shared: rebuilding them would only hide them from the simplifier.
    const outside = topologicalOrder([result], isOutside).filter((node) => isOutside(node) && node.op !== 'constant' && node.op !== 'iota');
    return withGradient(result, outside, (dOut, targets) => {
      const fresh = targets.map(keepApart);
      return gradientsOf(substitute([result], new Map(outside.map((node, i) => [node, fresh[i]]))), [dOut], fresh);
    });
  });
}
