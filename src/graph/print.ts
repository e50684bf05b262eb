/** Prints graphs for people: one node per line, inputs by number. */
import { type Node, topologicalOrder } from './node.ts';

/** "%12 add float32 [32, 10]" */
export const printNode = (node: Node): string => `%${node.id} ${node.op} ${node.dtype} [${node.shape.join(', ')}]`;

/** Attributes worth a line: not the sources of leaves, not the bodies of loops. */
function printAttributes(node: Node): string {
  if (node.op === 'leaf' || node.op === 'reshape' || node.op === 'broadcast') return '';
  const shown = Object.entries(node.attributes).filter(([key]) => key !== 'body' && !key.endsWith('Shape'));
  return shown.length === 0 ? '' : ` {${shown.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`;
}

export function printGraph(outputs: readonly Node[]): string {
  const lines = topologicalOrder(outputs).map((node) => `  ${printNode(node)} = (${node.inputs.map((x) => `%${x.id}`).join(', ')})${printAttributes(node)}`);
  return [...lines, `  return ${outputs.map((x) => `%${x.id}`).join(', ')}`].join('\n');
}
