/** Prints a graph as the TypeScript that builds it: what a failing random test leaves behind. */
import type { Body } from '../../src/graph/attributes.ts';
import { type Node, topologicalOrder } from '../../src/graph/node.ts';
import type { Problem } from '../differential/harness.ts';

/** Code for `outputs`, `inputs` and `aliases`; values are to be filled with numbers of the same range. */
export function codeOf({ outputs, inputs, aliases }: Problem): string {
  const names = new Map<Node, string>();
  const lines: string[] = [];
  const nameOf = (node: Node): string => names.get(node) ?? '?';
  const list = (nodes: readonly Node[]): string => `[${nodes.map(nameOf).join(', ')}]`;
  const write = (nodes: readonly Node[], indent: string): void => {
    for (const node of nodes) {
      if (names.has(node)) continue;
      names.set(node, `n${names.size}`);
      const type = `{ shape: [${node.shape.join(', ')}], dtype: '${node.dtype}' }`;
      let made: string;
      if (node.op === 'leaf') made = `newNode('leaf', [], { source: { kind: '${(node.attributes as { source: { kind: string } }).source.kind}' } }, ${type})`;
      else if (node.op === 'constant' || node.op === 'iota') made = `newNode('${node.op}', [], ${JSON.stringify(node.attributes)}, ${type})`;
      else if (node.op === 'scan') {
        const { body, ...rest } = node.attributes as { body: Body; length: number; reverse: boolean };
        lines.push(`${indent}// the body of a loop`);
        write(body.parameters, `${indent}  `);
        write(topologicalOrder(body.results), `${indent}  `);
        const text = `{ parameters: ${list(body.parameters)}, results: ${list(body.results)}, constants: ${body.constants}, carries: ${body.carries} }`;
        made = `make('scan', ${list(node.inputs)}, { body: ${text}, length: ${rest.length}, reverse: ${rest.reverse} })`;
      } else made = `make('${node.op}', ${list(node.inputs)}, ${JSON.stringify(node.attributes)})`;
      lines.push(`${indent}const ${nameOf(node)} = ${made}; // ${node.dtype} [${node.shape.join(', ')}]`);
    }
  };
  const order = topologicalOrder(outputs);
  const used = inputs.filter((x, i) => order.includes(x) || aliases.includes(i));
  write(used, '');
  write(order, '');
  const position = (i: number | undefined): string => (i === undefined ? 'undefined' : String(used.indexOf(inputs[i])));
  lines.push(`const inputs = ${list(used)};`, `const outputs = ${list(outputs)};`, `const aliases = [${aliases.map(position).join(', ')}];`);
  return lines.join('\n');
}
