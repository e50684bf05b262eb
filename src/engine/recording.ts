/**
 * A function of tensors recorded once as a program and replayed without its graph: arguments, variables and random keys are bound at each
 * run, variables that it assigns are written in place.
 */
import type { TensorType } from '../core/shape.ts';
import { isNumber, type Node } from '../graph/node.ts';
import { stopGradient } from '../graph/override.ts';
import { substitute } from '../graph/substitute.ts';
import { reshape, sliceAlong } from '../ops/build.ts';
import type { Storage } from '../runtime/device.ts';
import { type Capture, capture, closeGraph, resolve } from './capture.ts';
import { fingerprint } from './fingerprint.ts';
import { type Loaded, loadProgram } from './programs.ts';
import { realizeSync } from './realize.ts';
import { type Recorder, withRecorder } from './recorder.ts';
import { type Assignment, type Binding, type Given, inputOf, type Origin, type Recording, replayOf } from './replay.ts';
import { inputLeaf, sourceOf, storageLeaf, storageOf, type VariableState } from './values.ts';

/** What a variable is to the recorded function. */
interface Use {
  readonly state: VariableState;
  readonly leaf: Node;
  /** The value assigned last. */
  assigned: Node | undefined;
  /** What reading it now gives. */
  now: Node;
}

/** Notes down what a recorded function does with variables, and its random draws. */
function recorderInto(uses: Map<VariableState, Use>, draws: Node[]): Recorder {
  const useOf = (state: VariableState): Use => {
    const known = uses.get(state);
    if (known) return known;
    const leaf = inputLeaf('compile', state);
    const use: Use = { state, leaf, assigned: undefined, now: leaf };
    uses.set(state, use);
    return use;
  };
  return {
    of: 'compile',
    readVariable: (state) => useOf(state).now,
    assignVariable(state, value) {
      const use = useOf(state);
      use.assigned = value;
      // As outside of recordings: a new version is a constant to later gradients.
      use.now = stopGradient(value);
    },
    nextKey() {
      const key = inputLeaf('compile', { shape: [2], dtype: 'int32' });
      draws.push(key);
      return key;
    },
  };
}

/** Records `body`, which gets leaves of the given types and returns nodes. `name` is for errors and debug output. */
export function record(name: string, types: readonly TensorType[], body: (leaves: readonly Node[]) => readonly Node[]): Recording {
  // Nodes with smaller ids were there before.
  const first = inputLeaf('compile', { shape: [], dtype: 'float32' }).id;
  const leaves = types.map((type) => inputLeaf('compile', type));
  const used = new Map<VariableState, Use>();
  const draws: Node[] = [];
  const read = withRecorder(recorderInto(used, draws), () => body(leaves));
  const uses = [...used.values()];
  const returned = read.map((node) => uses.find((use) => use.now === node)?.assigned ?? node);
  const assigned = uses.filter((use) => use.assigned !== undefined && use.assigned !== use.leaf);

  // The keys of all draws of one run are rows of one input.
  const keys = inputLeaf('compile', { shape: [draws.length, 2], dtype: 'int32' });
  const rows = new Map(draws.map((draw, i) => [draw, reshape(sliceAlong(keys, 0, i, 1), [2])]));
  const wanted = substitute([...returned, ...assigned.map((use) => use.assigned as Node)], rows).map(resolve);
  const ownInputs = new Set<Node>([...leaves, ...uses.map((use) => use.leaf), keys]);
  // What was built before the recording and is not a mere number is a value of its own, computed once now.
  const isOuter = (node: Node): boolean => (node.op === 'leaf' ? storageOf(node) !== undefined : node.id < first && !isNumber(node));
  const isBound = (node: Node): boolean => ownInputs.has(node) || isOuter(node);
  const all = capture(name, wanted, isBound);
  const outer = all.bound.filter((node) => !ownInputs.has(node));
  realizeSync(name, outer);

  const computed = [...new Set(wanted.filter((node) => !isBound(node)))];
  const given = (node: Node): Given => {
    const index = leaves.indexOf(node);
    if (index >= 0) return { kind: 'argument', index };
    const use = uses.find((u) => u.leaf === node);
    return use ? { kind: 'variable', state: use.state } : { kind: 'captured', node: kept(node) };
  };
  const captured: Capture = { ...all, roots: computed };
  const bindings = captured.bound.map((node): Binding => (node === keys ? { kind: 'keys' } : given(node)));
  const origins = wanted.map((node): Origin => (isBound(node) ? given(node) : { kind: 'output', index: computed.indexOf(node) }));
  const results = origins.slice(0, returned.length);
  const assignments = assigned.map(({ state }, i) => ({ state, origin: origins[returned.length + i] }));
  const loaded = load(name, captured, bindings, assignments);
  return replayOf({ name, bindings, assignments, results, outputs: computed.map(({ shape, dtype }) => ({ shape, dtype })), draws: draws.length, loaded });
}

/** A leaf for a value that does not keep its history. */
const kept = (node: Node): Node => (sourceOf(node) ? node : storageLeaf(storageOf(node) as Storage, node));

function load(name: string, captured: Capture, bindings: readonly Binding[], assignments: readonly Assignment[]): Loaded | undefined {
  if (captured.roots.length === 0) return undefined;
  const aliases = captured.roots.map((_, output) => {
    const writer = assignments.find(({ origin }) => origin.kind === 'output' && origin.index === output);
    const input = inputOf(bindings, writer?.state);
    return input < 0 ? undefined : input;
  });
  // Variables and captured tensors stay from run to run.
  const lasting = captured.bound.map((_, i) => bindings[i].kind === 'variable' || bindings[i].kind === 'captured');
  const slots = new Map(captured.bound.map((node, i) => [node, lasting[i] ? `v${i}` : `$${i}`]));
  const text = `${fingerprint(captured.nodes, captured.roots, slots, resolve)}|${aliases.map((a) => a ?? '').join()}`;
  const graph = () => ({ ...closeGraph(captured, captured.bound, (node) => lasting[captured.bound.indexOf(node)]), aliases });
  return loadProgram({ text, graph, why: `compile(${name})` });
}
