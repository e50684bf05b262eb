/** Tensors within arrays and plain records: taking them out and putting others in. */
import { mapTree } from '../core/tree.ts';
import type { Node } from '../graph/node.ts';
import { Tensor, wrap } from './tensor.ts';

/** The tensors of a tree, in order. */
export function tensorsOf(tree: unknown): Tensor[] {
  const tensors: Tensor[] = [];
  mapTree(tree, (leaf) => leaf instanceof Tensor && tensors.push(leaf));
  return tensors;
}

export const nodesOf = (tree: unknown): Node[] => tensorsOf(tree).map((t) => t.node);

/** The tree with its tensors replaced, in order. */
export function withNodes(tree: unknown, nodes: readonly Node[]): unknown {
  let next = 0;
  return mapTree(tree, (leaf) => (leaf instanceof Tensor ? wrap(nodes[next++]) : leaf));
}
