/** Makes one loop of several that walk together: a loop and the copies of it that its gradients ask more results of. Run before bodies are rewritten. */
import { attributesOf, isOp, type Node, topologicalOrder } from '../graph/node.ts';
import { substitute } from '../graph/substitute.ts';
import { part, scan } from './build.ts';

const same = (a: readonly Node[], b: readonly Node[]): boolean => a.length === b.length && a.every((node, i) => node === b[i]);

/** Same inputs, parameters, steps and new carries: only what the two put out may differ. */
function walkTogether(a: Node, b: Node): boolean {
  const [x, y] = [attributesOf(a, 'scan'), attributesOf(b, 'scan')];
  const carries = x.body.carries;
  return (
    x.length === y.length &&
    x.reverse === y.reverse &&
    carries === y.body.carries &&
    same(a.inputs, b.inputs) &&
    same(x.body.parameters, y.body.parameters) &&
    same(x.body.results.slice(0, carries), y.body.results.slice(0, carries))
  );
}

/** The graph of `outputs` with scans that walk together made one, which puts out the ys of all. */
export function mergeScans(outputs: readonly Node[]): Node[] {
  let merged = [...outputs];
  for (;;) {
    const order = topologicalOrder(merged);
    const loops = order.filter((node) => isOp(node, 'scan'));
    const first = loops.find((loop) => loops.some((other) => other !== loop && walkTogether(loop, other)));
    if (!first) return merged;
    const group: Node[] = loops.filter((loop) => walkTogether(first, loop));
    const attributes = attributesOf(first, 'scan');
    const { carries } = attributes.body;
    const ys = [...new Set(group.flatMap((loop) => attributesOf(loop, 'scan').body.results.slice(carries)))];
    const results = [...attributes.body.results.slice(0, carries), ...ys];
    const loop = scan(first.inputs, { ...attributes, body: { ...attributes.body, results } });
    const parts = new Map<Node, Node>();
    for (const node of order) {
      if (!isOp(node, 'part') || !group.includes(node.inputs[0])) continue;
      const { index } = attributesOf(node, 'part');
      const y = attributesOf(node.inputs[0], 'scan').body.results[index];
      parts.set(node, part(loop, index < carries ? index : carries + ys.indexOf(y)));
    }
    merged = substitute(merged, parts);
  }
}
