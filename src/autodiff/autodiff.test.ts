/** The reverse walk, overridden rules and recomputation, on graphs whose derivatives are known. */
import { describe, expect, test } from 'vitest';
import { given, numbersOf } from '../../test/support/evaluate.ts';
import { type Node, topologicalOrder } from '../graph/node.ts';
import { keepApart, stopGradient, withGradient } from '../graph/override.ts';
import { substitute } from '../graph/substitute.ts';
import * as build from '../ops/build.ts';
import { checkpointed } from './checkpoint.ts';
import { gradientsOf } from './reverse.ts';

const { add, mul, sin, cos, exp, sum } = build;
const scalar = (x: number): Node => given([x], { shape: [], dtype: 'float64' });
const nodes = (out: Node, ...wrt: Node[]): (Node | null)[] => [...gradientsOf([out], [build.constantLike(1, out)], wrt)];
const gradients = (out: Node, ...wrt: Node[]): (number[] | null)[] => nodes(out, ...wrt).map((g) => g && numbersOf(g));

describe('gradientsOf', () => {
  test('e = (a + b)(b + 1) at 2, 1: 6, 2, 5', () => {
    const [a, b] = [scalar(2), scalar(1)];
    const e = mul(add(a, b), add(b, 1));
    expect(numbersOf(e)).toEqual([6]);
    expect(gradients(e, a, b)).toEqual([[2], [5]]);
  });

  test('inner nodes, the output itself, and nodes that are not connected', () => {
    const x = scalar(3);
    const square = mul(x, x);
    const out = mul(square, x);
    expect(gradients(out, square, x, out, scalar(1))).toEqual([[3], [27], [1], null]);
  });

  test('several outputs; null leaves one out', () => {
    const x = scalar(2);
    const outputs = [mul(x, 3), mul(x, x)];
    const one = build.constant(1, 'float64');
    expect(gradientsOf(outputs, [one, one], [x]).map((g) => g && numbersOf(g))).toEqual([[7]]);
    expect(gradientsOf(outputs, [null, one], [x]).map((g) => g && numbersOf(g))).toEqual([[4]]);
    expect(gradientsOf(outputs, [null, null], [x])).toEqual([null]);
  });

  test('nothing flows through whole numbers or piecewise constant ops', () => {
    const x = scalar(2.5);
    expect(gradients(build.floor(x), x)).toEqual([null]);
    expect(gradients(build.cast(build.cast(x, 'int32'), 'float64'), x)).toEqual([null]);
    expect(gradients(mul(x, build.floor(x)), x)).toEqual([[2]]);
  });

  test('third derivative of x⁴ and of sine', () => {
    const x = scalar(2);
    let [f, g]: Node[] = [build.pow(x, 4), sin(x)];
    for (let i = 0; i < 3; i++) {
      f = nodes(f, x)[0] as Node;
      g = nodes(g, x)[0] as Node;
    }
    expect(numbersOf(f)).toEqual([48]);
    expect(numbersOf(g)[0]).toBeCloseTo(-Math.cos(2), 14);
  });

  test('Taylor series of sine at π: six terms, the derivative of the truncated series', () => {
    const x = scalar(Math.PI);
    let term = x;
    let series = x;
    let rounds = 0;
    for (; Math.abs(numbersOf(term)[0]) > 1e-3; rounds++) {
      term = build.div(build.neg(mul(mul(term, x), x)), (2 * rounds + 3) * (2 * rounds + 2));
      series = add(series, term);
    }
    expect(rounds).toBe(6);
    expect(numbersOf(series)[0]).toBeCloseTo(2.11426e-5, 9);
    expect(gradients(series, x)[0]?.[0]).toBeCloseTo(-0.9998995297, 10);
  });

  test('asks only for what is needed', () => {
    const [x, w] = [scalar(2), scalar(3)];
    const dx = nodes(mul(mul(x, w), w), x)[0] as Node;
    expect(topologicalOrder([dx]).filter((node) => node === x)).toEqual([]);
  });
});

describe('overridden rules', () => {
  test('stopGradient', () => {
    const x = scalar(3);
    expect(gradients(mul(x, stopGradient(x)), x)).toEqual([[3]]);
    expect(gradients(stopGradient(x), x)).toEqual([null]);
  });

  test('a rule with targets of its own, differentiated again', () => {
    const [x, y] = [scalar(2), scalar(5)];
    const clipped = withGradient(mul(x, y), [x, y], (dOut, [a]) => [mul(dOut, mul(a, 10)), null]);
    const out = mul(clipped, clipped);
    expect(numbersOf(out)).toEqual([100]);
    expect(gradients(out, x, y)).toEqual([[400], null]);
    const dx = nodes(clipped, x)[0] as Node;
    expect(gradients(dx, x)).toEqual([[10]]);
  });

  test('copies of a graph keep them', () => {
    const [x, z] = [scalar(3), scalar(4)];
    const [copy] = substitute([mul(x, stopGradient(mul(x, x)))], new Map([[x, z]]));
    expect(gradients(copy, z, x)).toEqual([[16], null]);
  });
});

describe('checkpointed', () => {
  const make = (x: Node, w: Node): Node => sum(exp(sin(mul(cos(x), w))));

  test('the same gradients, first and second order, captured nodes included', () => {
    const x = given([0.3, -1.2, 2], { dtype: 'float64' });
    const w = given([1.5, 0.5, -0.7], { dtype: 'float64' });
    const plain = make(x, w);
    const [saved] = checkpointed(() => [make(x, w)]);
    expect(numbersOf(saved)).toEqual(numbersOf(plain));
    expect(gradients(saved, x, w)).toEqual(gradients(plain, x, w));
    const second = (out: Node): unknown => gradients(sum(nodes(out, x)[0] as Node), x, w);
    expect(second(saved)).toEqual(second(plain));
  });

  test('the backward pass reads nothing that the forward pass made', () => {
    const x = given([0.3, -1.2, 2], { dtype: 'float64' });
    const w = given([1.5, 0.5, -0.7], { dtype: 'float64' });
    const [saved] = checkpointed(() => [make(x, w)]);
    const forward = topologicalOrder([saved]).filter((node) => node !== x && node !== w && node.inputs.length > 0);
    const backward = new Set(topologicalOrder([nodes(saved, x)[0] as Node]));
    expect(forward.filter((node) => backward.has(node))).toEqual([]);
    expect([...backward].filter((node) => (node.attributes as { apart?: true }).apart)).toHaveLength(2);
  });

  test('inside out: nested, with stopped gradients within, several results', () => {
    const x = scalar(1.3);
    const inner = (y: Node): Node => checkpointed(() => [mul(sin(y), stopGradient(y))])[0];
    const [a, b] = checkpointed(() => [exp(inner(mul(x, x))), mul(x, 3)]);
    const plain = exp(mul(sin(mul(x, x)), stopGradient(mul(x, x))));
    expect(gradients(add(a, b), x)[0]?.[0]).toBeCloseTo((gradients(plain, x)[0]?.[0] ?? 0) + 3, 12);
  });

  test('keepApart is the identity', () => {
    const x = scalar(2);
    expect(gradients(mul(keepApart(x), x), x)).toEqual([[4]]);
  });
});
