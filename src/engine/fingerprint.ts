/** The structure of a graph as text: two graphs with the same text are computed by the same program. */
import type { Body } from '../graph/attributes.ts';
import { isOp, type Node, topologicalOrder } from '../graph/node.ts';

/** `slots`: what stands for inputs of the program: a text each. Beside it only their shape and dtype count. */
export function fingerprint(nodes: readonly Node[], outputs: readonly Node[], slots: ReadonlyMap<Node, string>, resolve: (node: Node) => Node): string {
  const numbers = new Map<Node, number>();
  const pieces: string[] = [];
  for (const node of nodes) {
    numbers.set(node, numbers.size);
    const slot = slots.get(node);
    const type = `${node.dtype}[${node.shape}]`;
    if (slot !== undefined) pieces.push(`$${slot}:${type}`);
    else pieces.push(`${node.op}(${node.inputs.map((input) => numbers.get(resolve(input))).join()})${describeAttributes(node)}:${type}`);
  }
  pieces.push(outputs.map((node) => numbers.get(resolve(node))).join());
  return pieces.join(';');
}

function describeAttributes(node: Node): string {
  if (isOp(node, 'scan')) return `{${node.attributes.length},${node.attributes.reverse},${describeBody(node.attributes.body)}}`;
  // JSON writes −0, infinities and NaN as 0 or null.
  if (isOp(node, 'constant')) return Object.is(node.attributes.value, -0) ? '-0' : String(node.attributes.value);
  if (isOp(node, 'pad')) return `${JSON.stringify(node.attributes.padding)},${node.attributes.value}`;
  return JSON.stringify(node.attributes);
}

function describeBody(body: Body): string {
  const nodes = topologicalOrder([...body.parameters, ...body.results]);
  return `${body.constants},${body.carries},${fingerprint(nodes, body.results, new Map(body.parameters.map((node, i) => [node, String(i)])), (node) => node)}`;
}
