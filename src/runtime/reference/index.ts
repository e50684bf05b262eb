/** The reference device: runs a graph by interpreting it node by node. Slow, and the meaning of every program. */
import { viewArray } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Node } from '../../graph/node.ts';
import { interpreterOf } from '../../ops/evaluate.ts';
import type { Executable, Storage } from '../device.ts';

/** An executable that interprets `outputs`, whose only leaves are `inputs`. Outputs may share storage with inputs: all reading comes before all writing. */
export function interpretedExecutable(graph: { readonly outputs: readonly Node[]; readonly inputs: readonly Node[] }): Executable {
  const interpret = interpreterOf(graph.outputs);
  const slots = new Map(graph.inputs.map((leaf, i) => [leaf, i]));
  const run = (inputs: readonly Storage[], outputs: readonly Storage[]): void => {
    const results = interpret((leaf) => {
      const { buffer, byteOffset } = inputs[slots.get(leaf) as number];
      return viewArray(leaf.dtype, buffer, byteOffset, sizeOf(leaf.shape));
    });
    const copies = results.map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    // A result may be a view of an input that another result overwrites.
    const written = new Set(outputs.map((storage) => storage.buffer));
    const safe = copies.map((bytes) => (written.has(bytes.buffer) ? bytes.slice() : bytes));
    for (const [i, { buffer, byteOffset, byteLength }] of outputs.entries()) new Uint8Array(buffer, byteOffset, byteLength).set(safe[i]);
  };
  return {
    run,
    runAsync: async (inputs, outputs) => run(inputs, outputs),
    profile: (inputs, outputs) => {
      run(inputs, outputs);
      return [];
    },
    source: '(interpreted)',
  };
}
