/** The work in a graph, estimated from shapes alone: decides whether a program is worth compiling. */
import { sizeOf } from '../core/shape.ts';
import type { OpName } from '../graph/attributes.ts';
import { type Node, topologicalOrder } from '../graph/node.ts';

/** Up to this many element operations a lazy program is interpreted, above it is compiled. By size alone, so that the same program always gives the same bits. */
export const interpreterLimit = 2e6;

/** The interpreter's time for one multiply-add of a contraction, in element operations (measured: 1 ns against 2 … 10). */
const multiplyAdd = 0.25;

/** Element operations of the ops that do not simply go over their elements. */
const costs: { readonly [K in OpName]?: (node: Node<K>) => number } = {
  leaf: () => 0,
  constant: () => 0,
  part: () => 0,
  contract: ({ inputs: [x, y], attributes: { a, b } }) => sizeOf(x.shape) * sizeOf(y.shape.filter((_, i) => !a.includes(b[i]))) * multiplyAdd,
  conv: ({ attributes: { outputShape, kernelShape } }) => sizeOf(outputShape) * sizeOf(kernelShape.slice(0, -1)),
  windowSum: (node) => largest(node) * sizeOf(node.attributes.size),
  windowMax: (node) => largest(node) * sizeOf(node.attributes.size),
  windowArgMax: (node) => largest(node) * sizeOf(node.attributes.size),
  windowSpread: (node) => largest(node) * sizeOf(node.attributes.size),
  argSort: ({ inputs: [x] }) => sizeOf(x.shape) * 16,
  randomBits: ({ shape }) => sizeOf(shape) * 8,
  scan: ({ attributes: { body, length } }) => length * elementOperations(topologicalOrder(body.results)),
};

/** The elements of the result or of the largest operand. */
const largest = (node: Node): number => node.inputs.reduce((most, input) => Math.max(most, sizeOf(input.shape)), sizeOf(node.shape));

export function elementOperations(nodes: readonly Node[]): number {
  let total = 0;
  for (const node of nodes) total += ((costs[node.op] as ((node: Node) => number) | undefined) ?? largest)(node);
  return total;
}

/** True when running takes long enough (about 3 ms) that it should not block the event loop. */
export const worthWaiting = (work: { readonly flops: number; readonly bytes: number }): boolean => work.flops > 3e8 || work.bytes > 3e7;
