/** Loop bodies: they go through the same passes as any graph, and what depends on the loop's constants alone is computed once, outside. */
import type { AttributesOf } from '../../graph/attributes.ts';
import { type Node, newNode, topologicalOrder } from '../../graph/node.ts';
import { substitute } from '../../graph/substitute.ts';
import { bodyParameter } from '../../ops/build.ts';
import { opOf } from '../../ops/registry.ts';
import { mergeScans } from '../../ops/scan-merge.ts';
import { simplify } from './simplify.ts';
import { splitReductions } from './split.ts';

/** The scan with a body that has been through the passes (`layout` is the last of them), its invariant values as further constants. */
export function prepareLoop(scan: Node, layout: (outputs: readonly Node[]) => Node[], forced: Set<Node>): Node {
  const attributes = scan.attributes as AttributesOf['scan'];
  const { body } = attributes;
  const results = layout(splitReductions(simplify(mergeScans(body.results))));
  const constants = new Map(body.parameters.slice(0, body.constants).map((leaf, i) => [leaf, scan.inputs[i]]));
  const invariant = invariantValues(results, new Set(constants.keys()), forced);
  const outer = substitute(invariant, constants);
  const leaves = invariant.map((node) => bodyParameter({ shape: node.shape, dtype: node.dtype }));
  const inner = substitute(results, new Map(invariant.map((node, i) => [node, leaves[i]])));
  carryOver(results, inner, forced);
  invariant.forEach((node, i) => {
    if (forced.has(node)) forced.add(outer[i]);
  });
  const parameters = [...body.parameters.slice(0, body.constants), ...leaves, ...body.parameters.slice(body.constants)];
  const inputs = [...scan.inputs.slice(0, body.constants), ...outer, ...scan.inputs.slice(body.constants)];
  const next: AttributesOf['scan'] = { ...attributes, body: { ...body, parameters, results: inner, constants: body.constants + leaves.length } };
  return newNode('scan', inputs, next, scan);
}

/** The largest values that depend on nothing but constants of the loop and are worth keeping: what is forced into memory, or computed with some effort. */
function invariantValues(results: readonly Node[], constants: ReadonlySet<Node>, forced: ReadonlySet<Node>): Node[] {
  const order = topologicalOrder(results);
  const fixed = new Set<Node>();
  const effort = new Set<Node>();
  for (const node of order) {
    const isFixed =
      node.op === 'leaf' ? constants.has(node) : node.inputs.length > 0 && node.inputs.every((i) => fixed.has(i) || i.op === 'constant' || i.op === 'iota');
    if (!isFixed) continue;
    fixed.add(node);
    const { kind } = opOf(node);
    if (node.op !== 'leaf' && ((kind !== 'movement' && kind !== 'leaf') || forced.has(node) || node.inputs.some((i) => effort.has(i)))) effort.add(node);
  }
  const wanted = new Set<Node>(results.filter((r) => effort.has(r)));
  for (const node of order) if (!fixed.has(node)) for (const input of node.inputs) if (effort.has(input)) wanted.add(input);
  // A broadcast is undone where it is used: hoist what is under it.
  return [...new Set([...wanted].map((node) => (node.op === 'broadcast' && !forced.has(node) && effort.has(node.inputs[0]) ? node.inputs[0] : node)))].filter(
    (n) => n.op !== 'scan' && n.op !== 'part',
  );
}

/** Copies made by the substitution are forced where their originals were. */
function carryOver(before: readonly Node[], after: readonly Node[], forced: Set<Node>): void {
  const seen = new Set<Node>();
  const walk = (a: Node, b: Node): void => {
    if (a === b || seen.has(b)) return;
    seen.add(b);
    if (forced.has(a)) forced.add(b);
    if (a.op !== b.op || a.inputs.length !== b.inputs.length) return;
    a.inputs.forEach((input, i) => walk(input, b.inputs[i]));
  };
  before.forEach((node, i) => walk(node, after[i]));
}
