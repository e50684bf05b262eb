/**
 * The compiler: from a graph to a program. Reads as the list of its passes.
 *   merge loops    an augmented copy of a loop (made by differentiation) replaces the original
 *   simplify       equal nodes become one, identities and empty work disappear, constants are folded
 *   split          reductions over a batch become partial sums in chunks that the shape decides
 *   layout         borders, panels: layouts as nodes; every convolution has padding 0 afterwards; what a loop need not do again moves out of it
 *   region         which values are kept in memory (homes), grouped into kernels (fuse), as loop IR (lower), in stages with barriers between (schedule)
 *   assemble       buffers get their places in one arena, kernels their launches
 */
import { debug } from '../core/debug.ts';
import type { Node } from '../graph/node.ts';
import { printGraph } from '../graph/print.ts';
import type { Target } from '../ir/ir.ts';
import { printKernel } from '../ir/print.ts';
import type { Program } from '../ir/program.ts';
import { mergeScans } from '../ops/scan-merge.ts';
import { assemble } from './assemble.ts';
import { lowerRegion, type RegionRequest } from './region.ts';
import { chooseLayouts } from './simplify/layout.ts';
import { simplify } from './simplify/simplify.ts';
import { splitReductions } from './simplify/split.ts';
import { verifyGraph } from './verify.ts';

/** Outputs to compute; the leaves in binding order; aliases[i]: the input whose memory output i overwrites. */
export type CompileRequest = RegionRequest;

export interface CompileOptions {
  /** false: every value in a kernel of its own. */
  readonly fusion?: boolean;
  /** false: no two values share memory. */
  readonly memoryPlanning?: boolean;
}

export function compileGraph(request: CompileRequest, target: Target, options: CompileOptions = {}): Program {
  const { fusion = true, memoryPlanning = true } = options;
  let outputs: readonly Node[] = mergeScans(request.outputs);
  const pass = (name: string, run: (outputs: readonly Node[]) => readonly Node[]): void => {
    outputs = run(outputs);
    verifyGraph(name, outputs);
    debug(3, () => `after ${name}:\n${printGraph(outputs)}`);
  };
  pass('simplify', simplify);
  pass('split', splitReductions);
  const forced = new Set<Node>();
  pass('layout', (graph) => chooseLayouts(graph, target, forced));
  const region = lowerRegion({ ...request, outputs }, { target, fusion, forced });
  const program = assemble(request, region, target, memoryPlanning);
  debug(4, () => program.kernels.map(printKernel).join('\n\n'));
  return program;
}
