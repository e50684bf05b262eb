/**
 * Runs one request (outputs, inputs, assignments) in every way that must agree: the interpreter, the compiled device, without fusion, without sharing of
 * memory, with one, two and three threads, and again on the same executable. Reports the first disagreement as text; knows no test runner.
 */

import { type CompileOptions, compileGraph } from '../../src/compiler/pipeline.ts';
import { environmentVariable } from '../../src/core/debug.ts';
import { bytesOf, isFloating, type TypedArray, viewArray } from '../../src/core/dtype.ts';
import { decodeArray, encodeArray } from '../../src/core/half.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { type Node, newNode, topologicalOrder } from '../../src/graph/node.ts';
import { abs, add, mul } from '../../src/ops/build.ts';
import { evaluateGraph } from '../../src/ops/evaluate.ts';
import { opOf } from '../../src/ops/registry.ts';
import '../../src/ops/index.ts';
import type { CompiledDevice, Executable, Storage } from '../../src/runtime/device.ts';
import { seeded } from '../support/samples.ts';

export interface Problem {
  readonly outputs: readonly Node[];
  readonly inputs: readonly Node[];
  readonly arrays: readonly TypedArray[];
  /** aliases[i]: the input that output i overwrites. */
  readonly aliases: readonly (number | undefined)[];
}

export interface Ways {
  readonly fusionOff?: boolean;
  readonly planningOff?: boolean;
  /** Devices with other numbers of threads: their bits must be those of the first device. */
  readonly others?: readonly CompiledDevice[];
}

const guardBytes = 128;
const garbage = Number(environmentVariable('GRADIX_GARBAGE') ?? 0xdb);

interface Guarded {
  readonly storage: Storage;
  readonly bytes: number;
}

const bytesIn = (storage: Storage, from: number, to: number): Uint8Array => new Uint8Array(storage.buffer, storage.byteOffset + from, to - from);

/** Memory followed by bytes that nobody may change. */
function guarded(device: CompiledDevice, bytes: number, content?: TypedArray): Guarded {
  const storage = device.allocate(bytes + guardBytes);
  bytesIn(storage, 0, bytes + guardBytes).fill(garbage);
  if (content) bytesIn(storage, 0, bytes).set(new Uint8Array(content.buffer, content.byteOffset, content.byteLength));
  return { storage, bytes };
}

const overrun = ({ storage, bytes }: Guarded): boolean => bytesIn(storage, bytes, bytes + guardBytes).some((b) => b !== garbage);

interface Loaded {
  readonly device: CompiledDevice;
  readonly executable: Executable;
}

function load(problem: Problem, device: CompiledDevice, options: CompileOptions = {}): Loaded {
  return { device, executable: device.loadSync(compileGraph(problem, device.target, options)) };
}

/** One run in fresh memory: the outputs' bytes. Throws when memory was written that should not have been. */
function runOnce({ device, executable }: Loaded, problem: Problem, arrays: readonly TypedArray[]): TypedArray[] {
  const inputs = arrays.map((array) => guarded(device, array.byteLength, array));
  const outputs = problem.outputs.map((node, i) => {
    const alias = problem.aliases[i];
    return alias === undefined ? guarded(device, sizeOf(node.shape) * bytesOf(node.dtype)) : inputs[alias];
  });
  executable.run(
    inputs.map((g) => g.storage),
    outputs.map((g) => g.storage),
  );
  inputs.forEach((input, i) => {
    if (overrun(input)) throw new Error(`input ${i}: written beyond its end`);
    if (problem.aliases.includes(i)) return;
    const { buffer, byteOffset, byteLength } = arrays[i];
    const before = new Uint8Array(buffer, byteOffset, byteLength);
    const after = bytesIn(input.storage, 0, input.bytes);
    if (before.some((byte, k) => byte !== after[k])) throw new Error(`input ${i} was changed`);
  });
  outputs.forEach((output, i) => {
    if (overrun(output)) throw new Error(`output ${i}: written beyond its end`);
  });
  return outputs.map(({ storage }, i) => {
    const { dtype, shape } = problem.outputs[i];
    return viewArray(dtype, storage.buffer, storage.byteOffset, sizeOf(shape));
  });
}

const show = (node: Node): string => `${node.op} ${node.dtype} [${node.shape.join(', ')}]`;
const baseTolerance: Partial<Record<Node['dtype'], number>> = { float64: 1e-10, float16: 1.5e-3, bfloat16: 1e-2 };

/** The first element that differs by more than `tolerance` of the largest magnitude (whole numbers: at all), with how much. */
function firstDifference(actual: TypedArray, expected: TypedArray, node: Node, tolerance: number): string | undefined {
  const got = decodeArray(node.dtype, actual);
  const want = decodeArray(node.dtype, expected);
  let scale = 1e-6;
  for (const x of want) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  // Where everything cancels, rounding is all there is.
  const allowed = scale === 1e-6 ? 1e-5 : tolerance * scale;
  let count = 0;
  let first = '';
  for (let i = 0; i < want.length; i++) {
    const [x, y] = [want[i], got[i]];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if (isFloating(node.dtype) && Number.isFinite(y) && Math.abs(x - y) <= allowed) continue;
    if (count++ === 0) first = `element ${i} is ${y}, expected ${x} (tolerance ${tolerance} of ${scale})`;
  }
  return count === 0 ? undefined : `${first}, ${count} of ${want.length} elements, ${show(node)}`;
}

function sameBits(a: readonly TypedArray[], b: readonly TypedArray[], nodes: readonly Node[]): string | undefined {
  for (const [i, x] of a.entries()) {
    const y = b[i];
    const left = new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
    const right = new Uint8Array(y.buffer, y.byteOffset, y.byteLength);
    for (let k = 0; k < left.length; k++) {
      if (left[k] === right[k]) continue;
      const at = Math.floor(k / x.BYTES_PER_ELEMENT);
      if (Number.isNaN(x[at]) && Number.isNaN(y[at])) continue;
      return `output ${i} (${show(nodes[i])}), element ${at}: ${x[at]} against ${y[at]}`;
    }
  }
  return undefined;
}

export const referenceOf = ({ outputs, inputs }: Problem, arrays: readonly TypedArray[]): TypedArray[] =>
  evaluateGraph(outputs, (leaf) => arrays[inputs.indexOf(leaf)]);

/** The float inputs changed by about `amount` of themselves; whole numbers are kept. */
function perturbed(problem: Problem, seed: number, amount: number): TypedArray[] {
  const random = seeded(seed);
  return problem.arrays.map((array, i) => {
    const { dtype } = problem.inputs[i];
    return isFloating(dtype)
      ? encodeArray(
          dtype,
          Array.from(decodeArray(dtype, array), (x) => x * (1 + amount * (random() - 0.5))),
        )
      : array;
  });
}

/** The graph with every sum wrong by about the rounding of its terms in float32. */
function noisy(output: Node, seed: number): Node {
  const random = seeded(seed);
  const made = new Map<Node, Node>();
  for (const node of topologicalOrder([output])) {
    const inputs = node.inputs.map((x) => made.get(x) ?? x);
    const rebuilt = inputs.some((x, i) => x !== node.inputs[i]) ? newNode(node.op, inputs, node.attributes, node) : node;
    made.set(node, rebuilt);
    if (!isFloating(node.dtype) || !(node.op === 'sum' || node.op === 'cumsum' || opOf(node).kind === 'contraction')) continue;
    const magnitude = newNode(node.op, inputs.map(abs), node.attributes, node);
    made.set(node, add(rebuilt, mul(magnitude, 4e-7 * (random() - 0.5))));
  }
  return made.get(output) ?? output;
}

/** Whether rounding alone could explain a difference: the interpreter's own result moves as much when inputs and sums move by about a float32's rounding. */
function illConditioned(problem: Problem, index: number, expected: TypedArray): boolean {
  const output = problem.outputs[index];
  return [1, 2, 3, 4].some((seed) => {
    const [moved] = referenceOf({ ...problem, outputs: [noisy(output, seed)] }, perturbed(problem, seed, 1e-6));
    return firstDifference(moved, expected, output, (baseTolerance[output.dtype] ?? 2e-5) / 4) !== undefined;
  });
}

/** The first disagreement, or undefined. */
export function disagreement(problem: Problem, device: CompiledDevice, ways: Ways = {}): string | undefined {
  const { outputs, arrays } = problem;
  const expected = referenceOf(problem, arrays);
  const compare = (way: string, results: readonly TypedArray[]): string | undefined => {
    for (const [i, node] of outputs.entries()) {
      const difference = firstDifference(results[i], expected[i], node, baseTolerance[node.dtype] ?? 2e-5);
      if (difference && !illConditioned(problem, i, expected[i])) return `${way}, output ${i}: ${difference}`;
    }
    return undefined;
  };
  const attempt = (way: string, run: () => string | undefined): string | undefined => {
    try {
      return run();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return `${way}: threw ${text.slice(0, 1500)}`;
    }
  };
  return attempt('as it is', () => {
    const loaded = load(problem, device);
    const first = runOnce(loaded, problem, arrays);
    const wrong = compare('as it is', first);
    if (wrong) return wrong;
    // Other values in between: what they leave in the arena must not matter.
    runOnce(loaded, problem, perturbed(problem, 5, 0.7));
    const again = sameBits(first, runOnce(loaded, problem, arrays), outputs);
    if (again) return `second run on the same executable: ${again}`;
    for (const other of ways.others ?? []) {
      const failed = attempt(`${other.target.threads} threads`, () => {
        const there = load(problem, other);
        for (let turn = 0; turn < 2; turn++) {
          const bits = sameBits(first, runOnce(there, problem, arrays), outputs);
          if (bits) return `${other.target.threads} threads against ${device.target.threads}: ${bits}`;
        }
        return undefined;
      });
      if (failed) return failed;
    }
    return (
      (ways.planningOff &&
        attempt('memory planning off', () => {
          const bits = sameBits(first, runOnce(load(problem, device, { memoryPlanning: false }), problem, arrays), outputs);
          return bits && `memory planning off: ${bits}`;
        })) ||
      (ways.fusionOff && attempt('fusion off', () => compare('fusion off', runOnce(load(problem, device, { fusion: false }), problem, arrays)))) ||
      undefined
    );
  });
}
