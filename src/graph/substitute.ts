/** Rebuilds a graph with some of its nodes replaced: how loop bodies get other leaves. */
import { fail, showShape } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';
import { type Node, newNode } from './node.ts';
import { copyOverride, overrideOf } from './override.ts';

/**
 * `outputs` with every node of `replacements` replaced, inside and out. Nodes that do not depend on a replaced one are shared, not copied.
 * A replacement must have the shape and dtype of what it replaces. Loop bodies are closed graphs and are left as they are.
 */
export function substitute(outputs: readonly Node[], replacements: ReadonlyMap<Node, Node>): Node[] {
  const rebuilt = new Map<Node, Node>();
  for (const [from, to] of replacements) {
    if (from.dtype !== to.dtype || !sameShape(from.shape, to.shape)) {
      fail('internal', 'substitute', `${to.dtype} ${showShape(to.shape)} cannot stand for ${from.dtype} ${showShape(from.shape)}`);
    }
    rebuilt.set(from, to);
  }
  for (const node of dependencies(outputs, replacements)) {
    if (rebuilt.has(node)) continue;
    const replaced = (old: Node): Node => rebuilt.get(old) ?? old;
    const inputs = node.inputs.map(replaced);
    const changed = inputs.some((input, i) => input !== node.inputs[i]) || overrideOf(node)?.targets.some((target) => replaced(target) !== target);
    rebuilt.set(node, changed ? copyOverride(node, newNode(node.op, inputs, node.attributes, node), replaced) : node);
  }
  return outputs.map((node) => rebuilt.get(node) ?? node);
}

/** As topologicalOrder, but including what gradient overrides point to. */
function dependencies(outputs: readonly Node[], stop: ReadonlyMap<Node, Node>): Node[] {
  const seen = new Set<Node>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (!stop.has(node)) stack.push(...node.inputs, ...(overrideOf(node)?.targets ?? []));
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
