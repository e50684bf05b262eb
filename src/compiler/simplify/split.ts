/**
 * Splits reductions over a batch into partial sums: a fixed number of chunks, decided by the shape alone, so that threads can share the work and the
 * result has the same bits for any number of threads.
 */
import { sizeOf } from '../../core/shape.ts';
import { type Node, newNode } from '../../graph/node.ts';
import { opOf } from '../../ops/registry.ts';
import { rewriteGraph } from './simplify.ts';

const mostChunks = 16;
const smallest = 16384;

/** The largest divisor of a batch that is at most 16: its number of chunks. */
export function chunksOf(batch: number): number {
  for (let c = Math.min(mostChunks, batch); c > 1; c--) if (batch % c === 0) return c;
  return 1;
}

export function splitReductions(outputs: readonly Node[]): Node[] {
  return rewriteGraph(outputs, (node) => {
    if (opOf(node).kind !== 'reduction' || node.op === 'argMax' || node.op === 'argMin') return node;
    const { axes } = node.attributes as { axes: readonly number[] };
    const [x] = node.inputs;
    if (sizeOf(x.shape) < smallest || !axes.includes(0)) return node;
    // Leading axes that are all folded count as one.
    let lead = 1;
    while (axes.includes(lead)) lead++;
    let batch = x.shape[0];
    let joined = 1;
    while (chunksOf(batch) < 2 && joined < lead) batch *= x.shape[joined++];
    const chunks = chunksOf(batch);
    if (chunks < 2 || chunks === sizeOf(x.shape) / sizeOf(node.shape)) return node;
    const shape = [chunks, batch / chunks, ...x.shape.slice(joined)];
    const inner = axes.filter((a) => a >= joined).map((a) => a - joined + 2);
    const split = newNode('reshape', [x], { shape }, { shape, dtype: x.dtype });
    const kept = shape.filter((_, i) => i !== 1 && !inner.includes(i));
    const partial = newNode(node.op, [split], { axes: [1, ...inner] }, { shape: kept, dtype: node.dtype });
    return newNode(node.op, [partial], { axes: [0] }, node);
  });
}
