/** Makes a failing problem small: outputs are dropped and inner values become inputs (with the interpreter's numbers) as long as it still fails. */
import type { TypedArray } from '../../src/core/dtype.ts';
import { type Node, newNode, topologicalOrder } from '../../src/graph/node.ts';
import { substitute } from '../../src/graph/substitute.ts';
import { type Problem, referenceOf } from './harness.ts';

/** Without inputs that nobody reads or overwrites. */
function pruned({ outputs, inputs, arrays, aliases }: Problem): Problem {
  const needed = new Set(topologicalOrder(outputs));
  const kept = inputs.flatMap((x, i) => (needed.has(x) || aliases.includes(i) ? [i] : []));
  return {
    outputs,
    inputs: kept.map((i) => inputs[i]),
    arrays: kept.map((i) => arrays[i]),
    aliases: aliases.map((a) => (a === undefined ? undefined : kept.indexOf(a))),
  };
}

function withLeaf(problem: Problem, node: Node, value: TypedArray): Problem {
  const leaf = newNode('leaf', [], { source: { kind: 'input' } }, node);
  const outputs = substitute(problem.outputs, new Map([[node, leaf]]));
  return { ...problem, outputs, inputs: [...problem.inputs, leaf], arrays: [...problem.arrays, value] };
}

export function reduceProblem(start: Problem, fails: (problem: Problem) => boolean, seconds = 60): Problem {
  const end = Date.now() + seconds * 1000;
  let best = pruned(start);
  const attempt = (candidate: Problem): boolean => {
    if (Date.now() > end || !fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let changed = true; changed && Date.now() < end; ) {
    changed = false;
    for (let size = best.outputs.length >> 1; size >= 1; size >>= 1) {
      for (let from = 0; from < best.outputs.length && best.outputs.length > 1; ) {
        const keep = best.outputs.map((_, i) => i).filter((i) => i < from || i >= from + size);
        const candidate = pruned({ ...best, outputs: keep.map((i) => best.outputs[i]), aliases: keep.map((i) => best.aliases[i]) });
        if (keep.length > 0 && attempt(candidate)) changed = true;
        else from += size;
      }
    }
    best.aliases.forEach((alias, i) => {
      if (alias === undefined) return;
      if (attempt(pruned({ ...best, aliases: best.aliases.map((a, k) => (k === i ? undefined : a)) }))) changed = true;
    });
    const inner = topologicalOrder(best.outputs).filter((x) => x.inputs.length > 0 && x.op !== 'scan');
    const values = referenceOf({ ...best, outputs: inner }, best.arrays);
    // From the middle outwards: a cut near the outputs removes most.
    for (let i = inner.length - 1; i >= 0; i--) {
      if (best.outputs.includes(inner[i])) continue;
      const alive = topologicalOrder(best.outputs);
      if (!alive.includes(inner[i])) continue;
      const candidate = pruned(withLeaf(best, inner[i], values[i]));
      if (topologicalOrder(candidate.outputs).length < alive.length && attempt(candidate)) {
        changed = true;
        break;
      }
    }
    if (changed) continue;
    // An output that is computed from something wrong: look at its operands instead.
    for (const [i, output] of best.outputs.entries()) {
      if (best.aliases[i] !== undefined) continue;
      const inputs = output.inputs.filter((x) => x.op !== 'leaf' && x.op !== 'constant' && x.op !== 'scan');
      if (
        inputs.length > 0 &&
        attempt(
          pruned({
            ...best,
            outputs: [...best.outputs.filter((_, k) => k !== i), ...inputs],
            aliases: [...best.aliases.filter((_, k) => k !== i), ...inputs.map(() => undefined)],
          }),
        )
      ) {
        changed = true;
        break;
      }
    }
  }
  return best;
}
