/** The graph of a model's layers, found by listening to one pass over a blank example: nothing is computed. */
import { listening, Module } from '../nn/index.ts';
import { Tensor, zeros } from '../tensor/index.ts';
import type { Run } from './callback.ts';
import type { GraphNode } from './events.ts';
import { inMode } from './objective.ts';

type Node = Tensor['node'];

/** One node per input and per call of a layer, named by the layer's path with / between (so that they fold), in the order of the calls. */
export function modelGraph({ model, dataset, inputs }: Pick<Run, 'model' | 'dataset' | 'inputs'>): GraphNode[] {
  const nodes: GraphNode[] = [];
  const makers = new Map<Node, string>();
  const add = (name: string, op: string, output: Tensor, from: readonly string[]) => {
    const used = nodes.filter((node) => node.name === name || node.name.startsWith(`${name}_`)).length;
    const unique = used === 0 ? name : `${name}_${used}`;
    nodes.push({ name: unique, op, inputs: from, shape: output.shape });
    makers.set(output.node, unique);
  };
  const paths = new Map<object, string>(model instanceof Module ? model.modules().map(({ name, module }) => [module, name.replaceAll('.', '/')]) : []);
  const blanks = inputs.map((i) => {
    const { name, shape, dtype } = dataset.fields[i];
    const blank = zeros([1, ...shape], { dtype });
    add(`inputs/${name}`, 'input', blank, []);
    return blank;
  });
  const heard = (module: object, given: readonly unknown[], output: unknown) => {
    if (!(output instanceof Tensor) || makers.has(output.node)) return; // a container whose last layer has been heard
    const path = paths.get(module) ?? '';
    const leaf = module instanceof Module && module.modules().length === 1;
    const name = leaf ? path || 'model' : `${path === '' ? '' : `${path}/`}output`;
    const sources = leaf ? given.flatMap((value) => (value instanceof Tensor ? sourcesOf(value.node, makers) : [])) : sourcesOf(output.node, makers);
    add(name, module instanceof Module ? module.kind : module.constructor.name, output, [...new Set(sources)]);
  };
  inMode(model, false, () => listening(heard, () => model.apply(...blanks)));
  return nodes;
}

/** The nearest known makers before a node. */
function sourcesOf(from: Node, makers: ReadonlyMap<Node, string>): string[] {
  const found: string[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const maker = makers.get(node);
    if (maker !== undefined) found.push(maker);
    else for (const input of node.inputs) visit(input);
  };
  visit(from);
  return found;
}
