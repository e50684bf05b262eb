/** Powers as roots against the power in float64: any number, and many whose mantissas matter; and what must stay as it is. */
import { describe, expect, test } from 'vitest';
import { type Node, topologicalOrder } from '../../graph/node.ts';
import * as build from '../../ops/build.ts';
import { evaluateGraph } from '../../ops/evaluate.ts';
import '../../ops/index.ts';
import { scalarValue, simplify } from './simplify.ts';

const edges = [0, -0, 1, -1, Infinity, -Infinity, NaN, 2 ** -149, 2 ** -126, 3.4e38, -2.5, -(2 ** -149), 1e-38, 1e38];

/** Every 149,993rd bit pattern, and a fine grid over the exponents that roots tell apart. */
const numbers = ((): Float32Array => {
  const patterns = Array.from({ length: 28634 }, (_, i) => i * 149993);
  const fine = Array.from({ length: 60000 }, (_, i) => 0x3f000000 + i * 839);
  return Float32Array.from([...edges, ...new Float32Array(Uint32Array.from([...patterns, ...fine]).buffer)]);
})();

/** Distance in units of the last place of float32; a wrong sign, or a NaN on one side only, is infinitely far. */
function ulps(wanted: number, got: number): number {
  if (Number.isNaN(wanted) || Number.isNaN(got)) return Number.isNaN(wanted) && Number.isNaN(got) ? 0 : Infinity;
  if (Object.is(Math.fround(wanted), got)) return 0;
  if (wanted === 0 || wanted < 0 !== got < 0 || Object.is(got, -0)) return got === 0 || Math.abs(got) > 2 ** -148 ? Infinity : 1;
  const finite = (x: number): number => Math.min(Math.abs(x), 2 ** 128);
  const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(finite(wanted)))) - 23);
  return Math.abs(finite(wanted) - finite(got)) / unit;
}

const simplified = (of: (x: Node) => Node, dtype: 'float32' | 'float64' = 'float32') => {
  const x = build.bodyParameter({ shape: [numbers.length], dtype });
  const outputs = simplify([of(x)]);
  const ops = topologicalOrder(outputs).map((node) => node.op);
  return { ops, values: () => evaluateGraph(outputs, () => numbers)[0] };
};

const worst = (values: ArrayLike<number | bigint>, wanted: (x: number) => number): { error: number; at: number | undefined } => {
  let error = 0;
  let at: number | undefined;
  for (const [i, x] of numbers.entries()) {
    const here = ulps(wanted(x), Number(values[i]));
    if (here > error) [error, at] = [here, x];
  }
  return { error, at };
};

const quarters = [-1.5, -1.25, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.25, 1.5];

test.each([-3, -2, -1, 3, 4, ...quarters])('x to the power %f within 2 ulp', (exponent) => {
  const { ops, values } = simplified((x) => build.pow(x, exponent));
  expect(ops).not.toContain('pow');
  const { error, at } = worst(values(), (x) => x ** exponent);
  expect(error, `at ${at}`).toBeLessThanOrEqual(2);
});

test.each(quarters)('e^(%f log x) is the power where the logarithm is a number', (exponent) => {
  const { ops, values } = simplified((x) => build.exp(build.mul(exponent, build.log(x))));
  expect(ops).not.toContain('exp');
  const { error, at } = worst(values(), (x) => (x < 0 ? NaN : x ** exponent));
  expect(error, `at ${at}`).toBeLessThanOrEqual(2);
});

describe('left alone', () => {
  test.each([1.75, -1.75, 0.3, 5, NaN])('the exponent %f', (exponent) => {
    expect(simplified((x) => build.pow(x, exponent)).ops).toContain('pow');
  });
  test('whole multiples of a logarithm, exponents that are not known, float64', () => {
    expect(simplified((x) => build.exp(build.mul(3, build.log(x)))).ops).toContain('exp');
    expect(simplified((x) => build.pow(x, x)).ops).toContain('pow');
    expect(simplified((x) => build.pow(x, 0.5), 'float64').ops).toContain('pow');
  });
});

test('constants that JSON writes alike stay apart', () => {
  const values = simplify([Infinity, -Infinity, NaN, 0, -0].map((value) => build.constant(value))).map((node) => scalarValue(node));
  expect(values).toEqual([Infinity, -Infinity, NaN, 0, -0]);
});

test('powers of the same number share their roots', () => {
  const x = build.bodyParameter({ shape: [4], dtype: 'float32' });
  const roots = topologicalOrder(simplify([build.pow(x, 0.75), build.pow(x, -0.25)])).filter((node) => node.op === 'sqrt');
  expect(roots).toHaveLength(3);
});
