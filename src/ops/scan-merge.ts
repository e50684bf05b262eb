/** Makes one loop of several that walk together: a loop and the copies of it that its gradients ask more results of. Run before bodies are rewritten. */
import { isOp, type Node, topologicalOrder } from '../graph/node.ts';
import { substitute } from '../graph/substitute.ts';
import { part, scan } from './build.ts';

const same = (a: readonly Node[], b: readonly Node[]): boolean => a.length === b.length && a.every((node, i) => node === b[i]);

/** Same inputs, parameters, steps and new carries: only what the two put out may differ. */
function walkTogether(a: Node<'scan'>, b: Node<'scan'>): boolean {
  const [x, y] = [a.attributes, b.attributes];
  const { carries } = x.body;
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
  const order = topologicalOrder(outputs);
  const loops = order.filter((node) => isOp(node, 'scan'));
  const first = loops.find((loop) => loops.some((other) => other !== loop && walkTogether(loop, other)));
  if (!first) return [...outputs];
  const group = loops.filter((loop) => walkTogether(first, loop));
  const { body } = first.attributes;
  const ysOf = (loop: Node<'scan'>): readonly Node[] => loop.attributes.body.results.slice(body.carries);
  const ys = [...new Set(group.flatMap(ysOf))];
  const loop = scan(first.inputs, { ...first.attributes, body: { ...body, results: [...body.results.slice(0, body.carries), ...ys] } });
  const parts = new Map<Node, Node>();
  for (const node of order) {
    const old = isOp(node, 'part') && group.find((one) => one === node.inputs[0]);
    if (!old) continue;
    const { index } = node.attributes;
    parts.set(node, part(loop, index < body.carries ? index : body.carries + ys.indexOf(ysOf(old)[index - body.carries])));
  }
  return mergeScans(substitute(outputs, parts));
}
