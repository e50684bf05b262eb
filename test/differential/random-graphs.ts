/** Random graphs on a compiled device, in every way that must agree. A failing graph is made small and told as the code that builds it. Knows no test runner: it also runs in browsers. */
import fc from 'fast-check';
import type { CompiledDevice } from '../../src/runtime/device.ts';
import { codeOf } from '../support/graph-code.ts';
import { problemOf, recipes } from '../support/random-graph.ts';
import { disagreement, type Ways } from './harness.ts';
import { reduceProblem } from './reduce.ts';

export interface RandomGraphs {
  readonly runs: number;
  readonly seed: number;
  /** How large values may be, 0 to 3. */
  readonly size: number;
}

/** Where a problem fails, without the numbers: reducing keeps to the same way of failing. */
const placeOf = (text: string | undefined): string | undefined => text?.split(/[,:]/)[0];

/** What disagreed first; undefined when nothing did. `others`: the device with other numbers of threads. */
export function randomDisagreement(device: CompiledDevice, others: readonly CompiledDevice[], { runs, seed, size }: RandomGraphs): string | undefined {
  const ways: Ways = { fusionOff: true, planningOff: true, others };
  const graphs = fc.sample(recipes(size), { numRuns: runs, seed }).map(problemOf);
  for (const [i, problem] of graphs.entries()) {
    const found = disagreement(problem, device, ways);
    if (!found) continue;
    const small = reduceProblem(problem, (candidate) => placeOf(disagreement(candidate, device, ways)) === placeOf(found));
    return `graph ${i} of seed ${seed}: ${found}\nas small as it gets: ${disagreement(small, device, ways)}\n${codeOf(small)}`;
  }
  return undefined;
}
