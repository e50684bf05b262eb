import { expect, test } from 'vitest';
import { gradientsOf } from '../autodiff/reverse.ts';
import type { TypedArray } from '../core/dtype.ts';
import { attributesOf, type Node, topologicalOrder } from '../graph/node.ts';
import { add, bodyParameter, constant, matmul, mul, part, scan, sum, tanh } from './build.ts';
import { evaluateGraph } from './evaluate.ts';
import './index.ts';
import { mergeScans } from './scan-merge.ts';

const leaf = (...shape: number[]): Node => bodyParameter({ shape, dtype: 'float64' });

/** s ← s · c + x, y = s before the step. */
function affine(length: number, reverse = false) {
  const [c, s, x] = [leaf(), leaf(), leaf()];
  const body = { parameters: [c, s, x], results: [add(mul(s, c), x), s], constants: 1, carries: 1 };
  const inputs = [leaf(), leaf(), leaf(length)];
  const node = scan(inputs, { body, length, reverse });
  const values = [Float64Array.of(2), Float64Array.of(1), Float64Array.from({ length }, (_, i) => i + 1)];
  const run = (outputs: readonly Node[]) => evaluateGraph(outputs, (n) => values[inputs.indexOf(n)]).map((v) => [...v]);
  return { node, inputs, run, final: part(node, 0), ys: part(node, 1) };
}

test('a recurrence, forwards, backwards, and not at all', () => {
  const forwards = affine(3);
  expect(forwards.run([forwards.final, forwards.ys])).toEqual([[19], [1, 3, 8]]); // 1·2+1 = 3, 3·2+2 = 8, 8·2+3 = 19
  const backwards = affine(3, true);
  expect(backwards.run([backwards.final, backwards.ys])).toEqual([[25], [12, 5, 1]]); // 1·2+3 = 5, 5·2+2 = 12, 12·2+1 = 25
  const none = affine(0);
  expect(none.run([none.final, none.ys])).toEqual([[1], []]);
});

test('its gradient, by hand', () => {
  const { inputs, run, final } = affine(3);
  const gradients = gradientsOf([final], [constant(1, 'float64')], inputs).map((g) => g ?? constant(0, 'float64'));
  expect(run(gradients)).toEqual([[18], [8], [4, 2, 1]]); // s₃ = c³ + c² + 2c + 3: d/dc = 3c² + 2c + 2 = 18
});

test('weights are contracted once over all steps, and the forward loop gains its saved values at the end', () => {
  const [w, u, h, x] = [leaf(3, 4), leaf(4, 4), leaf(2, 4), leaf(2, 3)];
  const next = tanh(add(matmul(x, w), matmul(h, u)));
  const body = { parameters: [w, u, h, x], results: [next, next], constants: 2, carries: 1 };
  const inputs = [leaf(3, 4), leaf(4, 4), leaf(2, 4), leaf(5, 2, 3)];
  const node = scan(inputs, { body, length: 5, reverse: false });
  const gradients = gradientsOf([sum(part(node, 1))], [constant(1, 'float64')], inputs.slice(0, 2)).filter((g) => g !== null);
  expect(gradients.map((g) => [g.op, g.op === 'contract' && attributesOf(g, 'contract').a.length])).toEqual([
    ['contract', 3],
    ['contract', 3],
  ]);
  const [augmented, backward] = topologicalOrder(gradients)
    .filter((n) => n.op === 'scan')
    .map((n) => attributesOf(n, 'scan'));
  expect(augmented.body.parameters).toBe(body.parameters);
  expect(augmented.body.results.slice(0, 2)).toEqual(body.results);
  expect(augmented.body.results.slice(2)).toEqual([h]); // tanh is a y already, the state before the step is saved
  expect(backward.reverse).toBe(true);
  expect(backward.body.carries).toBe(1); // no sums
  expect(topologicalOrder(backward.body.results).filter((n) => n.op === 'tanh')).toEqual([]);
});

test('after merging, a loop and its augmented copies run as one', () => {
  const [c, s, x] = [leaf(), leaf(), leaf()];
  const body = { parameters: [c, s, x], results: [tanh(add(mul(s, c), x))], constants: 1, carries: 1 };
  const inputs = [leaf(), leaf(), leaf(4)];
  const node = scan(inputs, { body, length: 4, reverse: false });
  const final = part(node, 0);
  const first = gradientsOf([final], [constant(1, 'float64')], inputs).filter((g) => g !== null);
  const second = gradientsOf([add(sum(first[2]), final)], [constant(1, 'float64')], inputs.slice(0, 2)).filter((g) => g !== null);
  const all = [final, ...first, ...second];
  const merged = mergeScans(all);
  const onInputs = (outputs: readonly Node[]): number =>
    topologicalOrder(outputs).filter((n) => n.op === 'scan' && n.inputs.every((input, i) => input === inputs[i])).length;
  expect([onInputs(all), onInputs(merged)]).toEqual([3, 1]);
  const values = [Float64Array.of(0.7), Float64Array.of(0.2), Float64Array.of(0.1, -0.4, 0.5, 0.3)];
  const run = (outputs: readonly Node[]) => evaluateGraph(outputs, (n) => values[inputs.indexOf(n)]);
  expect(run(merged)).toEqual(run(all));
});

test('bodies and inputs that do not fit are refused', () => {
  const [c, s, x] = [leaf(2), leaf(2), leaf(2)];
  const body = { parameters: [c, s, x], results: [add(s, x)], constants: 1, carries: 1 };
  const build =
    (inputs: Node[], b = body) =>
    () =>
      scan(inputs, { body: b, length: 3, reverse: false });
  expect(build([leaf(2), leaf(2), leaf(4, 2)])).toThrow('scan: xs 0 should be float64 [3, 2], got float64 [4, 2]. The leading axis');
  expect(build([leaf(2), leaf(3), leaf(3, 2)])).toThrow('initial carry 0 should be float64 [2], got float64 [3]');
  expect(build([leaf(2), leaf(2), leaf(3, 2)], { ...body, results: [sum(s)] })).toThrow('carry 0 began as float64 [2] but the step returns float64 []');
  expect(build([leaf(2), leaf(2), leaf(3, 2)], { ...body, results: [add(s, leaf(2))] })).toThrow('not one of its parameters');
  expect(() => part(scan([leaf(2), leaf(2), leaf(3, 2)], { body, length: 3, reverse: false }), 1)).toThrow('the op has 1 results');
});

test('a loop in a loop, and gradients through both', () => {
  // Inner: s ← s · x for each element of a row; outer: rows of x, carries the product on. So the result is the product of all.
  const [s, x] = [leaf(), leaf()];
  const innerBody = { parameters: [s, x], results: [mul(s, x)], constants: 0, carries: 1 };
  const [t, row] = [leaf(), leaf(2)];
  const inner = part(scan([t, row], { body: innerBody, length: 2, reverse: false }), 0);
  const inputs = [leaf(), leaf(3, 2)];
  const outer = part(scan(inputs, { body: { parameters: [t, row], results: [inner], constants: 0, carries: 1 }, length: 3, reverse: false }), 0);
  const values = [Float64Array.of(2), Float64Array.of(1, 2, 3, 4, 5, 6)];
  const run = (nodes: readonly Node[]): TypedArray[] => evaluateGraph(nodes, (n) => values[inputs.indexOf(n)]);
  expect([...run([outer])[0]]).toEqual([1440]);
  const gradients = gradientsOf([outer], [constant(1, 'float64')], inputs).filter((g) => g !== null);
  expect(run(gradients).map((g) => [...g])).toEqual([[720], [1440, 720, 480, 360, 288, 240]]);
});
