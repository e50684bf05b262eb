/** Random graphs, compiled in every way that must agree. GRADIX_RUNS sets how many, GRADIX_SEED which; without them a quick selection runs. */
import { describe, expect, test } from 'vitest';
import { environmentVariable } from '../src/core/debug.ts';
import { randomDisagreement } from './differential/random-graphs.ts';
import { compiledDevices } from './support/compiled-devices.ts';

const runs = Number(environmentVariable('GRADIX_RUNS') ?? 10);
const seed = Number(environmentVariable('GRADIX_SEED') ?? 7);

describe.each(compiledDevices.filter(({ unavailable }) => unavailable === undefined))('random graphs on the $name device', ({ open }) => {
  const { device, others } = open();
  test.each([
    ['small values', 0],
    ['some large values', 3],
  ])('%s', { timeout: 60_000 + 20_000 * runs }, (_, size) => {
    expect(randomDisagreement(device, others, { runs, seed, size })).toBeUndefined();
  });
});
