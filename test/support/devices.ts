/** Runs graphs on a compiled device and compares them with the interpreter. */
import { type CompileOptions, compileGraph } from '../../src/compiler/pipeline.ts';
import { bytesOf, type TypedArray, viewArray } from '../../src/core/dtype.ts';
import { storedNumber } from '../../src/core/half.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Node } from '../../src/graph/node.ts';
import { evaluateGraph } from '../../src/ops/evaluate.ts';
import type { CompiledDevice } from '../../src/runtime/device.ts';

export interface Given {
  readonly nodes: readonly Node[];
  readonly arrays: readonly TypedArray[];
}

export function runOn(device: CompiledDevice, outputs: readonly Node[], given: Given, options: CompileOptions = {}): TypedArray[] {
  const program = compileGraph({ outputs, inputs: given.nodes, aliases: outputs.map(() => undefined) }, device.target, options);
  const executable = device.loadSync(program);
  const inputs = given.arrays.map((array) => {
    const storage = device.allocate(array.byteLength);
    new Uint8Array(storage.buffer, storage.byteOffset, storage.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return storage;
  });
  const results = outputs.map((o) => device.allocate(sizeOf(o.shape) * bytesOf(o.dtype)));
  executable.run(inputs, results);
  return results.map((storage, i) => viewArray(outputs[i].dtype, storage.buffer, storage.byteOffset, sizeOf(outputs[i].shape)));
}

export const reference = (outputs: readonly Node[], given: Given): TypedArray[] => evaluateGraph(outputs, (leaf) => given.arrays[given.nodes.indexOf(leaf)]);

/** Floating results agree to `tolerance` of the largest magnitude; the rest exactly. NaN and infinities must be in the same places. */
export function expectClose(actual: TypedArray, expected: TypedArray, node: Node, tolerance = node.dtype === 'float64' ? 1e-10 : 2e-5): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} elements, expected ${expected.length}`);
  let scale = 1e-6;
  const want = Array.from(expected, (x) => storedNumber(node.dtype, x));
  const got = Array.from(actual, (x) => storedNumber(node.dtype, x));
  for (const x of want) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  const exact = node.dtype === 'int32' || node.dtype === 'uint8' || node.dtype === 'bool';
  for (let i = 0; i < want.length; i++) {
    const ok = Object.is(want[i], got[i]) || want[i] === got[i] || (!exact && Number.isFinite(got[i]) && Math.abs(want[i] - got[i]) <= tolerance * scale);
    if (!ok)
      throw new Error(
        `element ${i} is ${got[i]}, expected ${want[i]} (tolerance ${tolerance} of ${scale}; ${node.op} ${node.dtype} [${node.shape.join(', ')}])`,
      );
  }
}
