/**
 * Random graphs, compiled in every way that must agree (see differential/harness.ts). GRADIX_RUNS sets how many, GRADIX_SEED which;
 * without them a quick selection runs. A failing graph is made small and printed as the code that builds it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { environmentVariable } from '../src/core/debug.ts';
import { disagreement, type Ways } from './differential/harness.ts';
import { reduceProblem } from './differential/reduce.ts';
import { compiledDevices } from './support/compiled-devices.ts';
import { codeOf } from './support/graph-code.ts';
import { problemOf, recipes } from './support/random-graph.ts';

const runs = Number(environmentVariable('GRADIX_RUNS') ?? 10);
const seed = Number(environmentVariable('GRADIX_SEED') ?? 7);

describe.each(compiledDevices.filter(({ unavailable }) => unavailable === undefined))('random graphs on the $name device', ({ open }) => {
  const { device, others } = open();
  const ways: Ways = { fusionOff: true, planningOff: true, others };
  /** Where a problem fails, without the numbers: reducing keeps to the same way of failing. */
  const placeOf = (text: string | undefined): string | undefined => text?.split(/[,:]/)[0];

  test.each([
    ['small values', 0],
    ['some large values', 3],
  ])('%s', { timeout: 60_000 + 20_000 * runs }, (_, size) => {
    const graphs = fc.sample(recipes(size), { numRuns: runs, seed }).map(problemOf);
    for (const [i, problem] of graphs.entries()) {
      const found = disagreement(problem, device, ways);
      if (!found) continue;
      const small = reduceProblem(problem, (candidate) => placeOf(disagreement(candidate, device, ways)) === placeOf(found));
      expect.fail(`graph ${i} of seed ${seed}: ${found}\nas small as it gets: ${disagreement(small, device, ways)}\n${codeOf(small)}`);
    }
  });
});
