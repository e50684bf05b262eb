/** Sums of very many terms in float32: partial sums keep them exact to a few digits more than a running total would. */
import { describe, expect, test } from 'vitest';
import { sum } from '../src/ops/build.ts';
import '../src/ops/index.ts';
import { compiledDevices } from './support/compiled-devices.ts';
import { runOn } from './support/devices.ts';
import { inputLeaf } from './support/samples.ts';

const term = Math.fround(0.1);

describe.each(compiledDevices.filter(({ unavailable }) => unavailable === undefined))('long sums on the $name device', ({ open }) => {
  const { device } = open();
  test.each([
    ['of everything', [2 ** 22], [0]],
    ['over rows', [2 ** 18, 16], [0]],
    ['over a prime number of rows', [262139, 3], [0]],
    ['over pictures', [32, 256, 256, 2], [0, 1, 2]],
  ])('%s', (_, shape, axes) => {
    const leaf = inputLeaf({ shape, dtype: 'float32' });
    const size = shape.reduce((a, b) => a * b);
    const [result] = runOn(device, [sum(leaf, axes)], { nodes: [leaf], arrays: [new Float32Array(size).fill(term)] });
    const expected = (term * size) / result.length;
    for (const value of result) expect(Math.abs(Number(value) / expected - 1)).toBeLessThan(5e-5);
  });
});
