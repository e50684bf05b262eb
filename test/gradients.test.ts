/**
 * Every op, every sample, in float64: its gradient and the gradient of its gradient against central differences of the reference evaluation,
 * and ⟨u, J v⟩ = ⟨Jᵀ u, v⟩. A new op is covered as soon as it is in the table.
 */
import { describe, expect, test } from 'vitest';
import { gradientsOf } from '../src/autodiff/reverse.ts';
import { isFloating, type TypedArray } from '../src/core/dtype.ts';
import { sizeOf } from '../src/core/shape.ts';
import type { Node } from '../src/graph/node.ts';
import { zerosLike } from '../src/ops/build.ts';
import { evaluateGraph } from '../src/ops/evaluate.ts';
import { ops } from '../src/ops/index.ts';
import type { Op } from '../src/ops/op.ts';
import { samplesOf } from './conformance/samples/index.ts';
import type { Sample } from './conformance/samples/sample.ts';
import { inputLeaf, materialize, type Random, resultsOf, seeded } from './support/samples.ts';

const step = 1e-5;
const tolerance = 1e-6;
/** Single entries that are checked per tensor, besides random directions through all of them. */
const entries = 8;
const directions = 2;

type Values = Map<Node, TypedArray>;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((total, x, i) => total + x * b[i], 0);
const dots = (a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number => a.reduce((total, x, i) => total + dot(x, b[i]), 0);
const evaluate = (nodes: readonly Node[], values: Values): TypedArray[] => evaluateGraph(nodes, (leaf) => values.get(leaf) as TypedArray);
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

/** (f(x + h·v) − f(x − h·v)) / 2h */
function differences(outputs: readonly Node[], wrt: readonly Node[], v: readonly ArrayLike<number>[], values: Values): Float64Array[] {
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

function expectNear(got: number, expected: number, what: string): void {
  const error = Math.abs(got - expected) / Math.max(1, Math.abs(expected));
  expect(error, `${what}: the rule gives ${got}, differences give ${expected}`).toBeLessThan(tolerance);
}

/** Gradients of Σ ⟨u, outputs⟩ against differences: in random directions and entry by entry. Returns them as nodes. */
function checkFirstOrder(outputs: readonly Node[], u: readonly Node[], wrt: readonly Node[], values: Values, random: Random, order: string): Node[] {
  const gradients = gradientNodes(outputs, u, wrt);
  const got = evaluate(gradients, values);
  const weights = evaluate(u, values);
  for (let d = 0; d < directions; d++) {
    const v = wrt.map((leaf) => noise(leaf, random));
    expectNear(dots(got, v), dots(weights, differences(outputs, wrt, v, values)), `${order}, direction ${d}`);
  }
  for (const [k, leaf] of wrt.entries()) {
    const size = sizeOf(leaf.shape);
    for (let i = 0; i < size; i += Math.max(1, Math.floor(size / entries))) {
      const v = wrt.map((other) => new Float64Array(sizeOf(other.shape)));
      v[k][i] = 1;
      expectNear(got[k][i], dots(weights, differences(outputs, wrt, v, values)), `${order}, operand ${k}, entry ${i}`);
    }
  }
  return gradients;
}

function check(op: Op, sample: Sample): void {
  const { nodes, arrays } = materialize(sample, 7, 'float64');
  const outputs = resultsOf(op, sample, nodes).filter((node) => isFloating(node.dtype));
  const wrt = nodes.filter((node) => isFloating(node.dtype));
  const double = [...outputs, ...wrt].every((node) => node.dtype === 'float64');
  if (sample.differentiable === false || !double || outputs.length === 0 || wrt.length === 0) return;
  const random = seeded(11);
  const values: Values = new Map(nodes.map((node, i) => [node, arrays[i]]));

  const u = randomLike(outputs, values, random);
  const gradients = checkFirstOrder(outputs, u, wrt, values, random, 'first order');
  const w = randomLike(gradients, values, random);
  checkFirstOrder(gradients, w, [...wrt, ...u], values, random, 'second order');

  // The gradient is linear in u, so that differentiating ⟨Jᵀ u, v⟩ by u gives J v: compared in full with differences, and as a bilinear form.
  const v = randomLike(wrt, values, random);
  const jv = evaluate(gradientNodes(gradients, v, u), values);
  const numeric = differences(outputs, wrt, evaluate(v, values), values);
  for (const [k, y] of jv.entries()) for (const [i, x] of y.entries()) expectNear(x, numeric[k][i], `J v, result ${k}, entry ${i}`);
  const left = dots(evaluate(u, values), jv);
  expect(Math.abs(left - dots(evaluate(gradients, values), evaluate(v, values))) / Math.max(1, Math.abs(left))).toBeLessThan(1e-12);
}

for (const op of Object.values(ops) as readonly unknown[] as readonly Op[]) {
  const samples = samplesOf(op.name);
  if (samples.length === 0) continue;
  describe(op.name, () => {
    for (const sample of samples) test(sample.name, () => check(op, sample));
  });
}
