/** Tensors within arrays and plain records: taking them out and putting others in. */
import { flattenTree, mapTree } from '../core/tree.ts';
import type { Node } from '../graph/node.ts';
import { Tensor, wrap } from './tensor.ts';

/** The tensors of a tree, in order. */
export const tensorsOf = (tree: unknown): Tensor[] => flattenTree(tree).filter((leaf): leaf is Tensor => leaf instanceof Tensor);

export const nodesOf = (tree: unknown): Node[] => tensorsOf(tree).map((t) => t.node);

/** The tree with its tensors replaced, in order. */
export function withNodes(tree: unknown, nodes: readonly Node[]): unknown {
  let next = 0;
  return mapTree(tree, (leaf) => (leaf instanceof Tensor ? wrap(nodes[next++]) : leaf));
}
