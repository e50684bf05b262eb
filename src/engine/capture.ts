/**
 * What has to run for some nodes to have values: the graph behind them, cut at everything that is computed already, with pending
 * variable versions followed to the nodes that compute them.
 */
import { fail } from '../core/errors.ts';
import { showType } from '../core/shape.ts';
import { byAge, isOp, type Node, newNode } from '../graph/node.ts';
import type { Storage } from '../runtime/device.ts';
import { type InputSource, inputLeaf, pendingValue, sourceOf, storageLeaf, storageOf, versionLeaf } from './values.ts';

export interface Capture {
  readonly roots: readonly Node[];
  /** Everything to compute, and the values it starts from, inputs before users. */
  readonly nodes: readonly Node[];
  /** Nodes whose values are there, in the order they are bound. */
  readonly bound: readonly Node[];
}

/** The node that computes a value: follows pending versions of variables. */
export function resolve(node: Node): Node {
  let current = node;
  for (let next = pendingValue(current); next !== undefined; next = pendingValue(current)) current = next;
  return current;
}

/**
 * `isBound` says which nodes need no computing (default: those with a value). Those come in the order of a walk from the roots, the others in
 * the order of their making: so the same program gives the same order, however old the variables in it are.
 */
export function capture(operation: string, roots: readonly Node[], isBound: (node: Node) => boolean = (node) => storageOf(node) !== undefined): Capture {
  const seen = new Set<Node>();
  const bound: Node[] = [];
  const made: Node[] = [];
  const stack = roots.map(resolve).reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (isBound(node)) {
      bound.push(node);
      continue;
    }
    const source = sourceOf(node);
    if (source?.kind === 'input') refuseRecorded(operation, roots[0], source);
    made.push(node);
    for (let i = node.inputs.length - 1; i >= 0; i--) stack.push(resolve(node.inputs[i]));
  }
  return { roots, nodes: [...bound, ...made.sort(byAge)], bound };
}

function refuseRecorded(operation: string, node: Node, source: InputSource): never {
  const what = `a tensor ${showType(node)}${node.op === 'leaf' ? '' : ` (result of ${node.op})`} has no value yet`;
  const hint = `Return it from the function and read it outside; for control flow by value use where(), or do not use ${source.of} here.`;
  return fail('state', operation, `${what}: it belongs to a function that ${source.of} is recording`, hint);
}

/** Scalars that the compiler knows something about stay in the program. */
const plainNumbers: ReadonlySet<number> = new Set([0, 1, -1, 2, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
const isLifted = (node: Node): boolean =>
  isOp(node, 'constant') && ['float32', 'float64', 'int32'].includes(node.dtype) && !plainNumbers.has(node.attributes.value);

/** The constants of a capture that become inputs, so that a changing number does not recompile. */
export const liftedConstants = (captured: Capture): Node[] => captured.nodes.filter(isLifted);

/**
 * The captured graph as a graph of its own: leaves (`inputs`) in place of the given nodes, in their order, no tie to any value. `lasting` nodes
 * keep their value, or at least their place, from run to run (variables); the compiler may arrange them as it likes best.
 */
export function closeGraph(captured: Capture, replaced: readonly Node[], lasting: (node: Node) => boolean = isVersion) {
  const inputs = replaced.map((node) => (lasting(node) ? versionLeaf({}, node) : inputLeaf('compile', node)));
  return { inputs, outputs: rebuild(captured, new Map(replaced.map((node, i) => [node, inputs[i]]))) };
}

/** A version of a variable. */
export const isVersion = (node: Node): boolean => sourceOf(node)?.kind === 'variable';

/** The captured graph with its values as storage leaves, for interpretation. */
export function groundGraph(captured: Capture): readonly Node[] {
  const inner = captured.bound.filter((node) => node.op !== 'leaf');
  return rebuild(captured, new Map(inner.map((node) => [node, storageLeaf(storageOf(node) as Storage, node)])));
}

function rebuild(captured: Capture, replacements: ReadonlyMap<Node, Node>): Node[] {
  const rebuilt = new Map(replacements);
  const bound = new Set(captured.bound);
  const now = (node: Node): Node => {
    const target = resolve(node);
    return rebuilt.get(target) ?? target;
  };
  for (const node of captured.nodes) {
    if (rebuilt.has(node) || bound.has(node)) continue;
    const inputs = node.inputs.map(now);
    if (inputs.some((input, i) => input !== node.inputs[i])) rebuilt.set(node, newNode(node.op, inputs, node.attributes, node));
  }
  return captured.roots.map(now);
}
