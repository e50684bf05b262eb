/** scan: a loop with carried state as one operation of the graph. */
import { fail, showShape } from '../core/errors.ts';
import { nextKey } from '../engine/random.ts';
import { currentRecorder, type Recorder, withRecorder } from '../engine/recorder.ts';
import { inputLeaf } from '../engine/values.ts';
import { leafOf } from '../engine/variables.ts';
import type { Body } from '../graph/attributes.ts';
import { byAge, isNumber, type Node, topologicalOrder } from '../graph/node.ts';
import { overrideOf } from '../graph/override.ts';
import { substitute } from '../graph/substitute.ts';
import { scan as loopOf, make, part } from '../ops/build.ts';
import type { Tensor } from './tensor.ts';
import { nodesOf, tensorsOf, withNodes } from './trees.ts';

export interface ScanOptions {
  /** The number of steps; needed when xs is undefined. */
  readonly length?: number;
  /** From the last slice to the first; ys stay aligned with xs (default false). */
  readonly reverse?: boolean;
}

/**
 * Runs `step(carry, x) → [carry, y]` over the slices of `xs` along their first axis and returns the last carry and all y's stacked.
 * Carry, x and y are tensors or arrays or records of them; the carry keeps its shapes and dtypes. The step is recorded once; values cannot be read in it.
 */
export function scan<Carry, X, Y>(
  step: (carry: Carry, x: X) => readonly [Carry, Y],
  init: Carry,
  xs: X,
  { length, reverse = false }: ScanOptions = {},
): [Carry, Y] {
  const initial = nodesOf(init);
  const stacked = nodesOf(xs);
  const steps = lengthOf(tensorsOf(xs), length);
  const carries = initial.map((node) => inputLeaf('scan', node));
  const slices = stacked.map(({ shape, dtype }) => inputLeaf('scan', { shape: shape.slice(1), dtype }));
  // Random draws: one key per step, made of one outer draw.
  const keys: { readonly leaf: Node; readonly all: Node }[] = [];
  const outer = currentRecorder();
  const recorder: Recorder = {
    of: 'scan',
    readVariable: (state) => outer?.readVariable(state) ?? leafOf(state),
    assignVariable: (state) =>
      fail('state', 'assign', `variable ${state.name} is assigned inside a scan step`, 'Carry the value through the loop and assign it afterwards.'),
    nextKey: () => {
      const all = make('randomBits', [nextKey(outer)], { shape: [steps, 2] });
      const leaf = inputLeaf('scan', { shape: [2], dtype: 'int32' });
      keys.push({ leaf, all });
      return leaf;
    },
  };
  const result = withRecorder(recorder, () => step(withNodes(init, carries) as Carry, withNodes(xs, slices) as X));
  if (!Array.isArray(result) || result.length !== 2)
    fail('argument', 'scan', 'the step must return [carry, y]', 'Return [carry, undefined] when there is nothing to collect.');
  const [carry, y] = result as readonly [Carry, Y];
  const after = nodesOf(carry);
  if (after.length !== carries.length) fail('argument', 'scan', `the carry began with ${carries.length} tensors but the step returns ${after.length}`);

  const parameters = [...carries, ...slices, ...keys.map((k) => k.leaf)];
  const { constants, body } = closed([...after, ...nodesOf(y)], parameters, carries.length);
  const loop = loopOf([...constants, ...initial, ...stacked, ...keys.map((k) => k.all)], { body, length: steps, reverse });
  const parts = body.results.map((_, i) => part(loop, i));
  return [withNodes(carry, parts.slice(0, carries.length)) as Carry, withNodes(y, parts.slice(carries.length)) as Y];
}

function lengthOf(xs: readonly Tensor[], length: number | undefined): number {
  const lengths = xs.map((x) => (x.rank === 0 ? fail('shape', 'scan', 'xs need a first axis to go along, got a scalar') : x.shape[0]));
  const found = length ?? lengths[0] ?? fail('argument', 'scan', 'the number of steps is not known', 'Pass xs, or { length }.');
  const odd = xs.find((x) => x.shape[0] !== found);
  if (odd) fail('shape', 'scan', `expected ${found} slices, got ${odd.shape[0]} in ${showShape(odd.shape)}`, 'All xs need the same first dimension.');
  return found;
}

/** A closed body: what the results take from outside becomes `constants` of the loop, computed once. Numbers are made inside. */
function closed(results: readonly Node[], parameters: readonly Node[], carries: number): { readonly constants: readonly Node[]; readonly body: Body } {
  const within = new Set(parameters);
  for (const node of topologicalOrder(results)) if (node.inputs.some((input) => within.has(input))) within.add(node);
  const used = [...within].flatMap((node) => [...node.inputs, ...(overrideOf(node)?.targets ?? [])]);
  const constants = [...new Set([...used, ...results])].filter((node) => !within.has(node) && !isNumber(node)).sort(byAge);
  const leaves = constants.map((node) => inputLeaf('scan', node));
  const inside = substitute(results, new Map(constants.map((node, i) => [node, leaves[i]])));
  return { constants, body: { parameters: [...leaves, ...parameters], results: inside, constants: leaves.length, carries } };
}
