/** A node of the tensor graph: immutable, checked when it is made, computing nothing. */
import type { TensorType } from '../core/shape.ts';
import type { AttributesOf, Node, OpName } from './attributes.ts';

export type { Node, TensorType };

let nextId = 1;

/** Makes a node without checking it; ops/registry.ts `make` is the checked way. */
export function newNode(op: OpName, inputs: readonly Node[], attributes: AttributesOf[OpName], type: TensorType): Node {
  return { id: nextId++, op, inputs, attributes, shape: type.shape, dtype: type.dtype };
}

/** The attributes of a node whose op is known; throws when it is another. */
export function attributesOf<K extends OpName>(node: Node, op: K): AttributesOf[K] {
  if (node.op !== op) throw new Error(`attributesOf: node is ${node.op}, not ${op}`);
  return node.attributes as AttributesOf[K];
}

export const isOp = <K extends OpName>(node: Node, op: K): node is Node<K> => node.op === op;

/** Numbers and counts, perhaps stretched or converted: cheap enough to be made wherever they are used. */
export const isNumber = (node: Node): boolean =>
  node.op === 'constant' || node.op === 'iota' || (['broadcast', 'reshape', 'cast'].includes(node.op) && isNumber(node.inputs[0]));

export const byAge = (a: Node, b: Node): number => a.id - b.id;

/** All nodes that `outputs` need, inputs before users. Does not enter loop bodies. */
export function topologicalOrder(outputs: readonly Node[], stop?: (node: Node) => boolean, sourcesOf = (node: Node): readonly Node[] => node.inputs): Node[] {
  const seen = new Set<Node>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (!stop?.(node)) for (const source of sourcesOf(node)) stack.push(source);
  }
  return [...seen].sort(byAge);
}
