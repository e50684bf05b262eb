/**
 * Every op, every sample, in float64: its gradient and the gradient of its gradient against central differences,
 * and ⟨u, J v⟩ = ⟨Jᵀ u, v⟩. A new op is covered as soon as it is in the table. Knows no test runner: it also runs in browsers.
 */
import { gradientsOf } from '../../src/autodiff/reverse.ts';
import { compileGraph } from '../../src/compiler/pipeline.ts';
import { bytesOf, isFloating, type TypedArray, viewArray } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { type Node, topologicalOrder } from '../../src/graph/node.ts';
import { zerosLike } from '../../src/ops/build.ts';
import { evaluateGraph } from '../../src/ops/evaluate.ts';
import { ops } from '../../src/ops/index.ts';
import type { Op } from '../../src/ops/op.ts';
import type { CompiledDevice } from '../../src/runtime/device.ts';
import { inputLeaf, materialize, type Random, resultsOf, seeded } from '../support/samples.ts';
import { samplesOf } from './samples/index.ts';
import type { Sample } from './samples/sample.ts';

const step = 1e-5;
const tolerance = 1e-6;
/** Single entries that are checked per tensor, besides random directions through all of them. */
const entries = 8;
const directions = 2;

type Values = Map<Node, TypedArray>;
/** Computes nodes from the values of their leaves. */
export type Evaluate = (nodes: readonly Node[], values: Values) => TypedArray[];

export const interpreted: Evaluate = (nodes, values) => evaluateGraph(nodes, (leaf) => values.get(leaf) as TypedArray);

/** Computes on a device. A list of nodes is compiled once, however often it is computed. */
export function computedOn(device: CompiledDevice): Evaluate {
  const programs = new WeakMap<readonly Node[], (values: Values) => TypedArray[]>();
  const programOf = (nodes: readonly Node[]): ((values: Values) => TypedArray[]) => {
    const inputs = topologicalOrder(nodes).filter(({ op }) => op === 'leaf');
    const executable = device.loadSync(compileGraph({ outputs: nodes, inputs, aliases: nodes.map(() => undefined) }, device.target));
    const places = inputs.map(({ shape, dtype }) => device.allocate(sizeOf(shape) * bytesOf(dtype)));
    return (values) => {
      const results = nodes.map(({ shape, dtype }) => device.allocate(sizeOf(shape) * bytesOf(dtype)));
      for (const [i, { buffer, byteOffset, byteLength }] of places.entries()) {
        const given = values.get(inputs[i]) as TypedArray;
        new Uint8Array(buffer, byteOffset, byteLength).set(new Uint8Array(given.buffer, given.byteOffset, given.byteLength));
      }
      executable.run(places, results);
      // Copies: memory that grows leaves views of it behind.
      return results.map(({ buffer, byteOffset }, i) => viewArray(nodes[i].dtype, buffer, byteOffset, sizeOf(nodes[i].shape)).slice());
    };
  };
  return (nodes, values) => {
    const program = programs.get(nodes) ?? programOf(nodes);
    programs.set(nodes, program);
    return program(values);
  };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((total, x, i) => total + x * b[i], 0);
const dots = (a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number => a.reduce((total, x, i) => total + dot(x, b[i]), 0);
const noise = (node: Node, random: Random): Float64Array => Float64Array.from({ length: sizeOf(node.shape) }, () => random() * 2 - 1);

/** A new leaf like each node, with random values. */
function randomLike(nodes: readonly Node[], values: Values, random: Random): Node[] {
  return nodes.map((node) => {
    const leaf = inputLeaf(node);
    values.set(leaf, noise(node, random));
    return leaf;
  });
}

const gradientNodes = (outputs: readonly Node[], dOutputs: readonly Node[], wrt: readonly Node[]): Node[] =>
  gradientsOf(outputs, dOutputs, wrt).map((gradient, i) => gradient ?? zerosLike(wrt[i]));

function requireNear(got: number, expected: number, what: string): void {
  const error = Math.abs(got - expected) / Math.max(1, Math.abs(expected));
  if (!(error < tolerance)) throw new Error(`${what}: the rule gives ${got}, differences give ${expected}`);
}

/** One check: how it computes, at which values, and where its directions come from. */
interface Setting {
  readonly evaluate: Evaluate;
  readonly values: Values;
  readonly random: Random;
}

/** (f(x + h·v) − f(x − h·v)) / 2h */
function differences({ evaluate, values }: Setting, outputs: readonly Node[], wrt: readonly Node[], v: readonly ArrayLike<number>[]): Float64Array[] {
  const at = (h: number): TypedArray[] => {
    const moved = new Map(values);
    for (const [k, leaf] of wrt.entries())
      moved.set(
        leaf,
        (values.get(leaf) as TypedArray).map((x, i) => x + h * v[k][i]),
      );
    return evaluate(outputs, moved);
  };
  const up = at(step);
  const down = at(-step);
  return up.map((y, k) => Float64Array.from(y, (x, i) => (x - down[k][i]) / (2 * step)));
}

/** Gradients of Σ ⟨u, outputs⟩ against differences: in random directions and entry by entry. Returns them as nodes. */
function checkFirstOrder(setting: Setting, outputs: readonly Node[], u: readonly Node[], wrt: readonly Node[], order: string): Node[] {
  const { evaluate, values, random } = setting;
  const gradients = gradientNodes(outputs, u, wrt);
  const got = evaluate(gradients, values);
  const weights = u.map((leaf) => values.get(leaf) as TypedArray);
  for (let d = 0; d < directions; d++) {
    const v = wrt.map((leaf) => noise(leaf, random));
    requireNear(dots(got, v), dots(weights, differences(setting, outputs, wrt, v)), `${order}, direction ${d}`);
  }
  for (const [k, leaf] of wrt.entries()) {
    const size = sizeOf(leaf.shape);
    for (let i = 0; i < size; i += Math.max(1, Math.floor(size / entries))) {
      const v = wrt.map((other) => new Float64Array(sizeOf(other.shape)));
      v[k][i] = 1;
      requireNear(got[k][i], dots(weights, differences(setting, outputs, wrt, v)), `${order}, operand ${k}, entry ${i}`);
    }
  }
  return gradients;
}

/** Gradients to second order, and J v in full. `outputs` and `wrt` are float64. */
function checkGradients(setting: Setting, outputs: readonly Node[], wrt: readonly Node[]): void {
  const { evaluate, values, random } = setting;
  const valuesAt = (leaves: readonly Node[]): TypedArray[] => leaves.map((leaf) => values.get(leaf) as TypedArray);
  const u = randomLike(outputs, values, random);
  const gradients = checkFirstOrder(setting, outputs, u, wrt, 'first order');
  const w = randomLike(gradients, values, random);
  checkFirstOrder(setting, gradients, w, [...wrt, ...u], 'second order');

  // The gradient is linear in u, so that differentiating ⟨Jᵀ u, v⟩ by u gives J v: compared in full with differences, and as a bilinear form.
  const v = randomLike(wrt, values, random);
  const jv = evaluate(gradientNodes(gradients, v, u), values);
  const numeric = differences(setting, outputs, wrt, valuesAt(v));
  for (const [k, y] of jv.entries()) for (const [i, x] of y.entries()) requireNear(x, numeric[k][i], `J v, result ${k}, entry ${i}`);
  const left = dots(valuesAt(u), jv);
  const right = dots(evaluate(gradients, values), valuesAt(v));
  if (!(Math.abs(left - right) / Math.max(1, Math.abs(left)) < 1e-12)) throw new Error(`⟨u, J v⟩ is ${left}, ⟨Jᵀ u, v⟩ is ${right}`);
}

function caseOf(op: Op, sample: Sample): GradientCase | undefined {
  const { nodes, arrays } = materialize(sample, 7, 'float64');
  const outputs = resultsOf(op, sample, nodes).filter((node) => isFloating(node.dtype));
  const wrt = nodes.filter((node) => isFloating(node.dtype));
  const double = [...outputs, ...wrt].every((node) => node.dtype === 'float64');
  if (sample.differentiable === false || !double || outputs.length === 0 || wrt.length === 0) return undefined;
  return {
    name: `${op.name}: ${sample.name}`,
    run: (evaluate) => checkGradients({ evaluate, values: new Map(nodes.map((node, i) => [node, arrays[i]])), random: seeded(11) }, outputs, wrt),
  };
}

export interface GradientCase {
  readonly name: string;
  /** Throws when a gradient is wrong. */
  readonly run: (evaluate: Evaluate) => void;
}

/** One case for each sample that has gradients in float64. */
export const gradientCases = (): GradientCase[] =>
  (Object.values(ops) as readonly unknown[] as readonly Op[]).flatMap((op) => samplesOf(op.name).flatMap((sample) => caseOf(op, sample) ?? []));
