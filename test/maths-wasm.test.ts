/** Accuracy of the WebAssembly device's float32 maths: bit patterns over the whole range, and the edges, against JavaScript's float64. */
import { expect, test } from 'vitest';
import { erf } from '../src/core/special.ts';
import * as b from '../src/ops/build.ts';
import '../src/ops/index.ts';
import { make } from '../src/ops/registry.ts';
import { runOn } from './support/devices.ts';
import { inputLeaf, seeded } from './support/samples.ts';
import { openWasm } from './support/wasm.ts';

const device = openWasm({ shared: false });
const edges = [0, 1, 0.5, 2, 3, 1.5, 0.99999994, 1.0000001, 88.7, 127, 149, 16777215, 16777216, 3e9, 1e-3, 2 ** -149, 2 ** -126, 3.4028234e38, 1e20, 1e-20];
const points = Float32Array.from([...edges, ...edges.map((x) => -x), Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0]);

/** Every 20,011th bit pattern, and the edges; a whole number of vectors and three more. */
function samples(): Float32Array {
  const bits = new Uint32Array(Math.floor(2 ** 32 / 20_011));
  for (let i = 0; i < bits.length; i++) bits[i] = i * 20_011;
  const all = Float32Array.from([...points, ...new Float32Array(bits.buffer)]);
  return all.slice(0, all.length - (all.length % 4) - 1);
}

/** In units of the last place of float32. */
function ulps(wanted: number, got: number): number {
  if (Number.isNaN(wanted) || Number.isNaN(got)) return Number.isNaN(wanted) && Number.isNaN(got) ? 0 : Number.POSITIVE_INFINITY;
  const nearest = Math.fround(wanted);
  if (nearest === got) return 0;
  if (!Number.isFinite(nearest) || !Number.isFinite(got)) return Math.abs(Number.isFinite(got) ? got : nearest) >= 3.4028e38 ? 1 : Number.POSITIVE_INFINITY;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.max(Math.abs(wanted), 2 ** -149))));
  return Math.abs(got - wanted) / 2 ** (exponent - 23);
}

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const { exp, expm1, log, log1p, tanh, sin, cos, tan } = Math;

test.each(Object.entries({ exp, expm1, log, log1p, sigmoid, tanh, erf, sin, cos, tan }))('%s: within 2 ulp', (name, wanted) => {
  const x = samples();
  const leaf = inputLeaf({ shape: [x.length], dtype: 'float32' });
  const [got] = runOn(device, [make(name as 'exp', [leaf], {})], { nodes: [leaf], arrays: [x] });
  let worst = { error: 0, at: 0 };
  for (let i = 0; i < x.length; i++) {
    const error = ulps(wanted(x[i]), got[i]);
    if (error > worst.error) worst = { error, at: x[i] };
  }
  expect(worst.error, `at ${worst.at}`).toBeLessThanOrEqual(2);
});

test('powers within 1 ulp', () => {
  const random = seeded(5);
  const list = [...points].flatMap((x) => [...points].map((y) => [x, y]));
  for (let i = 0; i < 100_000; i++) list.push([random() * 3, random() * 160 - 80], [random() * 40 - 20, Math.round(random() * 18 - 9)]);
  const [x, y] = [0, 1].map((side) => Float32Array.from(list, (pair) => pair[side]));
  const nodes = [x, y].map(({ length }) => inputLeaf({ shape: [length], dtype: 'float32' }));
  const [got] = runOn(device, [b.pow(nodes[0], nodes[1])], { nodes, arrays: [x, y] });
  for (let i = 0; i < x.length; i++) {
    // JavaScript has NaN where IEEE 754 has 1.
    const wanted = x[i] === 1 || (x[i] === -1 && !Number.isFinite(y[i]) && !Number.isNaN(y[i])) ? 1 : x[i] ** y[i];
    if (ulps(wanted, got[i]) > 1) expect.fail(`${x[i]} to the power ${y[i]} is ${got[i]}, expected ${wanted}`);
  }
});
