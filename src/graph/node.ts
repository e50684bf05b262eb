/** A node of the tensor graph: immutable, checked when it is made, computing nothing. */
import type { AttributesOf, Node, OpName, TensorType } from './attributes.ts';

export type { Node, TensorType };

let nextId = 1;

/** Makes a node without checking it; ops/registry.ts `make` is the checked way. */
export function newNode(op: OpName, inputs: readonly Node[], attributes: AttributesOf[OpName], type: TensorType): Node {
  return { id: nextId++, op, inputs, attributes, shape: type.shape, dtype: type.dtype };
}

/** The attributes of a node whose op is known; undefined when the node is of another op. */
export function attributesOf<K extends OpName>(node: Node, op: K): AttributesOf[K] {
  if (node.op !== op) throw new Error(`attributesOf: node is ${node.op}, not ${op}`);
  return node.attributes as AttributesOf[K];
}

export const isOp = <K extends OpName>(node: Node, op: K): node is Node & { readonly op: K; readonly attributes: AttributesOf[K] } => node.op === op;

/** All nodes that `outputs` need, inputs before users. Does not enter loop bodies. */
export function topologicalOrder(outputs: readonly Node[], stop?: (node: Node) => boolean): Node[] {
  const seen = new Set<Node>();
  const stack = [...outputs];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (seen.has(node)) continue;
    seen.add(node);
    if (stop?.(node)) continue;
    for (const input of node.inputs) stack.push(input);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** How often each node is used as an input within the graph of `outputs` (an output counts once more). */
export function useCounts(order: readonly Node[], outputs: readonly Node[]): Map<Node, number> {
  const counts = new Map<Node, number>();
  for (const node of order) for (const input of node.inputs) counts.set(input, (counts.get(input) ?? 0) + 1);
  for (const node of outputs) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}
