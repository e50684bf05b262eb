/**
 * A function of tensors recorded once as a program and replayed without its graph: arguments, variables and random keys are bound at each
 * run, variables that it assigns are written in place.
 */

import { isNumber, type Node } from '../graph/node.ts';
import { stopGradient } from '../graph/override.ts';
import { substitute } from '../graph/substitute.ts';
import { reshape, slice } from '../ops/build.ts';
import type { Storage } from '../runtime/device.ts';
import { type Capture, capture, closeGraph, resolve } from './capture.ts';
import { fingerprint } from './fingerprint.ts';
import { type Loaded, loadProgram } from './programs.ts';
import { realizeSync } from './realize.ts';
import { type Recorder, withRecorder } from './recorder.ts';
import { type Assignment, type Binding, inputOf, type Origin, type Recording, replayOf, type TypeOf } from './replay.ts';
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

/** Records `body`, which gets leaves of the given types and returns nodes. `name` is for errors and debug output. */
export function record(name: string, types: readonly TypeOf[], body: (leaves: readonly Node[]) => readonly Node[]): Recording {
  const first = inputLeaf('compile', [], 'float32').id;
  const leaves = types.map(({ shape, dtype }) => inputLeaf('compile', shape, dtype));
  const uses = new Map<VariableState, Use>();
  const draws: Node[] = [];
  const useOf = (state: VariableState): Use => {
    const known = uses.get(state);
    if (known) return known;
    const leaf = inputLeaf('compile', state.shape, state.dtype);
    const use: Use = { state, leaf, assigned: undefined, now: leaf };
    uses.set(state, use);
    return use;
  };
  const recorder: Recorder = {
    of: 'compile',
    readVariable: (state) => useOf(state).now,
    assignVariable(state, value) {
      const use = useOf(state);
      use.assigned = value;
      // As outside of recordings: a new version is a constant to later gradients.
      use.now = stopGradient(value);
    },
    nextKey() {
      const key = inputLeaf('compile', [2], 'int32');
      draws.push(key);
      return key;
    },
  };
  const read = withRecorder(recorder, () => body(leaves));
  const returned = read.map((node) => [...uses.values()].find((use) => use.now === node)?.assigned ?? node);
  const assigned = [...uses.values()].filter((use) => use.assigned !== undefined && use.assigned !== use.leaf);
  return assemble({ name, first, leaves, uses: [...uses.values()], draws, returned, assigned });
}

interface Recorded {
  readonly name: string;
  /** Nodes with smaller ids were there before. */
  readonly first: number;
  readonly leaves: readonly Node[];
  readonly uses: readonly Use[];
  readonly draws: readonly Node[];
  readonly returned: readonly Node[];
  readonly assigned: readonly Use[];
}

/** The keys of all draws of one run, as rows of one input. */
function keyRows(draws: readonly Node[]): { readonly keys: Node; readonly rows: ReadonlyMap<Node, Node> } {
  const keys = inputLeaf('compile', [draws.length, 2], 'int32');
  return { keys, rows: new Map(draws.map((draw, i) => [draw, reshape(slice(keys, [i, 0], [1, 2]), [2])])) };
}

function assemble({ name, first, leaves, uses, draws, returned, assigned }: Recorded): Recording {
  const { keys, rows } = keyRows(draws);
  const wanted = substitute([...returned, ...assigned.map((use) => use.assigned as Node)], rows).map(resolve);
  const ownInputs = new Set<Node>([...leaves, ...uses.map((use) => use.leaf), keys]);
  const isFree = (node: Node): boolean => ownInputs.has(node);
  // What was built before the recording and is not a mere number is a value of its own, computed once now.
  const isOuter = (node: Node): boolean => (node.op === 'leaf' ? storageOf(node) !== undefined : node.id < first && !isNumber(node));
  const isBound = (node: Node): boolean => isFree(node) || isOuter(node);
  const all = capture(name, wanted, isBound);
  realizeSync(
    name,
    all.bound.filter((node) => !isFree(node)),
  );

  const computed = [...new Set(wanted.filter((node) => !isBound(node)))];
  const originOf = (node: Node): Origin => {
    if (!isBound(node)) return { kind: 'output', index: computed.indexOf(node) };
    const index = leaves.indexOf(node);
    if (index >= 0) return { kind: 'argument', index };
    const use = uses.find((u) => u.leaf === node);
    return use ? { kind: 'variable', state: use.state } : { kind: 'captured', node: kept(node) };
  };
  const captured: Capture = { ...all, roots: computed };
  const bindings = captured.bound.map((node): Binding => {
    if (node === keys) return { kind: 'keys' };
    const origin = originOf(node);
    return origin.kind === 'captured' ? { kind: 'captured', storage: storageOf(origin.node) as Storage } : (origin as Binding);
  });
  const assignments = assigned.map((use, i) => ({ state: use.state, origin: originOf(wanted[returned.length + i]) }));
  const results = returned.map((_, i) => originOf(wanted[i]));
  const outputs = computed.map(({ shape, dtype }) => ({ shape, dtype }));
  return replayOf({ name, bindings, assignments, results, outputs, draws: draws.length, loaded: load(name, captured, bindings, assignments) });
}

/** A leaf for a value that does not keep its history. */
const kept = (node: Node): Node => (sourceOf(node) ? node : storageLeaf(storageOf(node) as Storage, node.shape, node.dtype));

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
