/** Prints graphs for people: one node per line, inputs by number. */
import { isOp, type Node, topologicalOrder } from './node.ts';

/** "%12 add float32 [32, 10]" */
export const printNode = (node: Node): string => `%${node.id} ${node.op} ${node.dtype} [${node.shape.join(', ')}]`;

/** Attributes worth a line: not what the shape says already; the bodies of loops follow on lines of their own. */
function printAttributes(node: Node): string {
  if (isOp(node, 'leaf')) return ` {${node.attributes.source.kind}}`;
  if (node.op === 'reshape' || node.op === 'broadcast') return '';
  const shown = Object.entries(node.attributes).filter(([key]) => key !== 'body' && !key.endsWith('Shape'));
  return shown.length === 0 ? '' : ` {${shown.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`;
}

export function printGraph(outputs: readonly Node[]): string {
  const names = (nodes: readonly Node[]): string => nodes.map((x) => `%${x.id}`).join(', ');
  const lines = topologicalOrder(outputs).flatMap((node) => {
    const line = `  ${printNode(node)}${node.inputs.length > 0 ? ` = (${names(node.inputs)})` : ''}${printAttributes(node)}`;
    if (!isOp(node, 'scan')) return [line];
    const { body } = node.attributes;
    const head = `    body (${names(body.parameters)}): ${body.constants} constants, ${body.carries} carries`;
    return [line, head, printGraph(body.results).replaceAll(/^/gm, '    ')];
  });
  return [...lines, `  return ${names(outputs)}`].join('\n');
}
