/** The work in a graph, estimated from shapes alone: decides whether a program is worth compiling. */
import { sizeOf } from '../core/shape.ts';
import { attributesOf, type Node, topologicalOrder } from '../graph/node.ts';

/** Up to this many element operations a lazy program is interpreted, above it is compiled. By size alone, so that the same program always gives the same bits. */
export const interpreterLimit = 2e6;

/** The interpreter's time for one multiply-add of a contraction, in element operations (measured: 1 ns against 2 … 10). */
const multiplyAdd = 0.25;

/** Element operations of one node. */
function costOf(node: Node): number {
  const size = sizeOf(node.shape);
  switch (node.op) {
    case 'leaf':
    case 'constant':
    case 'part':
      return 0;
    case 'contract': {
      const { a, b } = attributesOf(node, 'contract');
      let product = sizeOf(node.inputs[0].shape);
      node.inputs[1].shape.forEach((d, i) => {
        if (!a.includes(b[i])) product *= d;
      });
      return product * multiplyAdd;
    }
    case 'conv': {
      const { outputShape, kernelShape } = attributesOf(node, 'conv');
      return sizeOf(outputShape) * sizeOf(kernelShape.slice(0, -1));
    }
    case 'windowSum':
    case 'windowMax':
    case 'windowArgMax':
    case 'windowSpread':
      return Math.max(size, sizeOf(node.inputs[0].shape)) * sizeOf(attributesOf(node, node.op).size);
    case 'argSort':
      return sizeOf(node.inputs[0].shape) * 16;
    case 'randomBits':
      return size * 8;
    case 'scan': {
      const { body, length } = attributesOf(node, 'scan');
      return length * elementOperations(topologicalOrder(body.results));
    }
    default:
      return node.inputs.reduce((most, input) => Math.max(most, sizeOf(input.shape)), size);
  }
}

export function elementOperations(nodes: readonly Node[]): number {
  let total = 0;
  for (const node of nodes) total += costOf(node);
  return total;
}

/** True when running takes long enough (about 3 ms) that it should not block the event loop. */
export const worthWaiting = (work: { readonly flops: number; readonly bytes: number }): boolean => work.flops > 3e8 || work.bytes > 3e7;
