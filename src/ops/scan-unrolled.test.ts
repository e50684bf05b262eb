/** Random loop bodies against the same steps written out one after the other: values, gradients, gradients of gradients. */
import { expect, test } from 'vitest';
import { gradientsOf } from '../autodiff/reverse.ts';
import type { TypedArray } from '../core/dtype.ts';
import { sizeOf } from '../core/shape.ts';
import type { Body } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import { substitute } from '../graph/substitute.ts';
import {
  add,
  bodyParameter,
  broadcast,
  concat,
  constant,
  contract,
  exp,
  iota,
  maximum,
  mul,
  neg,
  part,
  permute,
  reshape,
  scan,
  sigmoid,
  slice,
  sum,
  take,
  tanh,
  zerosLike,
} from './build.ts';
import { evaluateGraph } from './evaluate.ts';
import './index.ts';
import { mergeScans } from './scan-merge.ts';

const n = 3;
const square = [n, n];
const type = { shape: square, dtype: 'float64' as const };

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Ways to make one n × n matrix of others: sums, products, functions, movements, look-ups, an inner loop. */
const makers: readonly ((a: Node, b: Node) => Node)[] = [
  add,
  (a, b) => add(a, neg(b)),
  mul,
  maximum,
  (a) => tanh(a),
  (a) => sigmoid(a),
  (a) => exp(mul(a, -0.5)),
  (a, b) => contract(a, b, { a: 'mk', b: 'kn', out: 'mn' }),
  (a, b) => contract(a, b, { a: 'mk', b: 'nk', out: 'nm' }),
  (a, b) => contract(a, b, { a: 'mk', b: 'mk', out: 'km' }),
  (a) => permute(a, [1, 0]),
  (a) => reshape(permute(reshape(a, [n, n, 1]), [1, 0, 2]), square),
  (a) => broadcast(reshape(sum(a, [1]), [n, 1]), square),
  (a) => broadcast(slice(a, [1, 0], [1, n]), square),
  (a, b) => concat([slice(a, [0, 0], [1, n]), slice(b, [0, 0], [n - 1, n])], 0),
  (a) => take(a, iota([n], 0), 0),
  (a, b) => {
    const [s, x] = [bodyParameter(type), bodyParameter({ shape: [n], dtype: 'float64' })];
    const body: Body = { parameters: [s, x], results: [tanh(add(s, broadcast(x, square)))], constants: 0, carries: 1 };
    return part(scan([a, b], { body, length: n, reverse: false }), 0);
  },
];

function randomBody(draw: () => number): Body {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(draw() * list.length)];
  const count = (most: number): number => Math.floor(draw() * (most + 1));
  const [constants, carries] = [count(3), 1 + count(2)];
  const parameters = Array.from({ length: constants + carries + count(2) }, () => bodyParameter(type));
  const pool: Node[] = [...parameters];
  for (let i = 0; i < 3 + count(6); i++) pool.push(pick(makers)(pick(pool), pick(pool)));
  // Tame what a loop would let grow.
  const results = Array.from({ length: carries + count(2) }, () => pick(pool.slice(-5))).map((result) => (draw() < 0.3 ? result : tanh(result)));
  return { parameters, results, constants, carries };
}

/** The results of the loop without a loop. */
function unrolled({ parameters, results, constants, carries }: Body, inputs: readonly Node[], length: number, reverse: boolean): Node[] {
  const firstX = constants + carries;
  let state = inputs.slice(constants, firstX);
  const ys: Node[][] = results.slice(carries).map(() => new Array<Node>(length));
  for (let step = 0; step < length; step++) {
    const t = reverse ? length - 1 - step : step;
    const now = parameters.map((_, i) =>
      i < constants ? inputs[i] : i < firstX ? state[i - constants] : reshape(slice(inputs[i], [t, 0, 0], [1, n, n]), square),
    );
    const out = substitute(results, new Map(parameters.map((parameter, i) => [parameter, now[i]])));
    state = out.slice(0, carries);
    for (const [i, y] of ys.entries()) y[t] = reshape(out[carries + i], [1, n, n]);
  }
  return [...state, ...ys.map((y) => concat(y, 0))];
}

const weighted = (nodes: readonly Node[]): Node =>
  nodes.map((node, k) => sum(mul(node, broadcast(constant(0.3 + 0.4 * k, 'float64'), node.shape)))).reduce(add, constant(0, 'float64'));
const gradient = (loss: Node, wrt: readonly Node[]): Node[] => gradientsOf([loss], [constant(1, 'float64')], wrt).map((g, i) => g ?? zerosLike(wrt[i]));

test.each(Array.from({ length: 60 }, (_, seed) => seed))('body %i', (seed) => {
  const draw = random(seed + 1);
  for (let warm = 0; warm < 5; warm++) draw();
  const body = randomBody(draw);
  const length = 1 + Math.floor(draw() * 3);
  const reverse = draw() < 0.5;
  const firstX = body.constants + body.carries;
  const inputs = body.parameters.map((_, i) => bodyParameter({ shape: i < firstX ? square : [length, n, n], dtype: 'float64' }));
  const values = new Map<Node, TypedArray>(inputs.map((input) => [input, Float64Array.from({ length: sizeOf(input.shape) }, () => draw() * 2 - 1)]));

  const loop = scan(inputs, { body, length, reverse });
  const looped = body.results.map((_, i) => part(loop, i));
  const written = unrolled(body, inputs, length, reverse);
  const asked = inputs.filter(() => draw() < 0.8);
  const [first, expectedFirst] = [looped, written].map((results) => gradient(weighted(results.filter((_, i) => (seed + i) % 3 !== 0)), asked));
  const [second, expectedSecond] = [first, expectedFirst].map((gradients) => gradient(weighted(gradients.map((g) => mul(g, g))), inputs));
  const got = evaluateGraph([...looped, ...first, ...second], (leaf) => values.get(leaf) as TypedArray);
  const expected = evaluateGraph([...written, ...expectedFirst, ...expectedSecond], (leaf) => values.get(leaf) as TypedArray);
  const merged = evaluateGraph(mergeScans([...looped, ...first, ...second]), (leaf) => values.get(leaf) as TypedArray);
  expect(merged).toEqual(got);
  for (const [k, value] of got.entries()) {
    const scale = Math.max(1, ...Array.from(expected[k], Math.abs));
    for (const [i, x] of value.entries())
      expect(Math.abs(x - expected[k][i]) / scale, `result ${k}, entry ${i}: ${x}, not ${expected[k][i]}`).toBeLessThan(1e-9);
  }
});
