/** The conformance suite: every op on a compiled device, on its samples, against the interpreter: values, and the gradients that are compiled with them. */
import { gradientsOf } from '../../src/autodiff/reverse.ts';
import { isFloating } from '../../src/core/dtype.ts';
import { encodeArray } from '../../src/core/half.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { OpName } from '../../src/graph/attributes.ts';
import type { Node } from '../../src/graph/node.ts';
import { ops } from '../../src/ops/index.ts';
import type { Op } from '../../src/ops/op.ts';
import type { CompiledDevice } from '../../src/runtime/device.ts';
import { expectClose, reference, runOn } from '../support/devices.ts';
import { inputLeaf, materialize, resultsOf, seeded } from '../support/samples.ts';
import { samplesOf } from './samples/index.ts';

export interface Case {
  readonly name: string;
  /** Throws when the device disagrees with the interpreter. */
  readonly run: (device: CompiledDevice) => void;
}

/** One case for each sample of each op. Knows no test runner: it also runs in browsers. */
export function conformanceCases(): Case[] {
  const cases: Case[] = [];
  for (const name of Object.keys(ops) as OpName[]) {
    const op = ops[name] as unknown as Op;
    for (const sample of samplesOf(name)) {
      cases.push({
        name: `${name}: ${sample.name}`,
        run: (device) => {
          const given = materialize(sample, 3);
          const results = resultsOf(op, sample, given.nodes);
          const graph = [...results];
          const seeds = results.map((r) => inputLeaf(r));
          const random = seeded(11);
          const arrays = [
            ...given.arrays,
            ...results.map((r) =>
              encodeArray(
                r.dtype,
                Array.from({ length: sizeOf(r.shape) }, () => random() * 2 - 1),
              ),
            ),
          ];
          const wanted = given.nodes.filter((n) => isFloating(n.dtype));
          if (sample.differentiable !== false && (op.gradient || op.gradientOfParts) && results.every((r) => isFloating(r.dtype))) {
            for (const g of gradientsOf(results, seeds, wanted)) if (g) graph.push(g);
          }
          const all = { nodes: [...given.nodes, ...seeds], arrays };
          const expected = reference(graph, all);
          const actual = runOn(device, graph, all);
          graph.forEach((node: Node, i) => expectClose(actual[i], expected[i], node));
        },
      });
    }
  }
  return cases;
}
