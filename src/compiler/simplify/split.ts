/**
 * Splits reductions over a batch into partial sums: a fixed number of chunks, decided by the shape alone, so that threads can share the work and the
 * result has the same bits for any number of threads.
 */
import { sizeOf } from '../../core/shape.ts';
import type { Fold } from '../../graph/attributes.ts';
import type { Node } from '../../graph/node.ts';
import { add, fold, maximum, minimum, mul, reshape, sliceAlong } from '../../ops/build.ts';
import { opOf } from '../../ops/registry.ts';
import { rewriteGraph } from './simplify.ts';

const mostChunks = 16;
const smallest = 16384;
/** Terms of a partial sum; longer ones lose digits. */
const longest = 8192;

/** The largest divisor of a batch that is at most 16 (or `most`): its number of chunks. */
export function chunksOf(batch: number, most = mostChunks): number {
  for (let c = Math.min(most, batch); c > 1; c--) if (batch % c === 0) return c;
  return 1;
}

const combined = { sum: add, prod: mul, max: maximum, min: minimum };

export const splitReductions = (outputs: readonly Node[]): Node[] => rewriteGraph(outputs, split);

function split(node: Node): Node {
  if (opOf(node).kind !== 'reduction' || node.op === 'argMax' || node.op === 'argMin') return node;
  const { axes } = node.attributes as { axes: readonly number[] };
  const [x] = node.inputs;
  const terms = sizeOf(x.shape) / sizeOf(node.shape);
  const most = Math.max(mostChunks, Math.ceil(terms / longest));
  if ((sizeOf(x.shape) < smallest && terms <= longest) || !axes.includes(0)) return node;
  // Leading axes that are all folded may count as one.
  let batch = x.shape[0];
  let joined = 1;
  while (chunksOf(batch, most) < (most > mostChunks ? most / 2 : 2) && axes.includes(joined)) batch *= x.shape[joined++];
  const chunks = chunksOf(batch, most);
  const op = node.op as Fold;
  if (chunks > 1 && chunks < terms) {
    const shape = [chunks, batch / chunks, ...x.shape.slice(joined)];
    const inner = axes.filter((a) => a >= joined).map((a) => a - joined + 2);
    return fold(op, fold(op, reshape(x, shape), [1, ...inner]), [0]);
  }
  // A batch without divisors: as much of it as has some, and the rest.
  const [length] = x.shape;
  const rest = length % mostChunks;
  if (rest === length || chunks === terms) return node;
  return combined[op](split(fold(op, sliceAlong(x, 0, 0, length - rest), axes)), fold(op, sliceAlong(x, 0, length - rest, rest), axes));
}
