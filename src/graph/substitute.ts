/** Rebuilds a graph with some of its nodes replaced: how loop bodies get other leaves. */
import { fail } from '../core/errors.ts';
import { sameType, showType } from '../core/shape.ts';
import { type Node, newNode, topologicalOrder } from './node.ts';
import { copyOverride, overrideOf } from './override.ts';

/**
 * `outputs` with every node of `replacements` replaced, inside and out. Nodes that do not depend on a replaced one are shared, not copied.
 * A replacement must have the shape and dtype of what it replaces. Loop bodies are closed graphs and are left as they are.
 */
export function substitute(outputs: readonly Node[], replacements: ReadonlyMap<Node, Node>): Node[] {
  const rebuilt = new Map<Node, Node>();
  for (const [from, to] of replacements) {
    if (!sameType(from, to)) fail('internal', 'substitute', `${showType(to)} cannot stand for ${showType(from)}`);
    rebuilt.set(from, to);
  }
  const sourcesOf = (node: Node): readonly Node[] => [...node.inputs, ...(overrideOf(node)?.targets ?? [])];
  for (const node of topologicalOrder(outputs, (node) => replacements.has(node), sourcesOf)) {
    if (rebuilt.has(node)) continue;
    const replaced = (old: Node): Node => rebuilt.get(old) ?? old;
    const inputs = node.inputs.map(replaced);
    const changed = inputs.some((input, i) => input !== node.inputs[i]) || overrideOf(node)?.targets.some((target) => replaced(target) !== target);
    rebuilt.set(node, changed ? copyOverride(node, newNode(node.op, inputs, node.attributes, node), replaced) : node);
  }
  return outputs.map((node) => rebuilt.get(node) ?? node);
}
