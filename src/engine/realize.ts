/** Realisation: computes what is asked for, and all pending variable versions with it, as one program. */
import type { TypedArray } from '../core/dtype.ts';
import { storedNumber } from '../core/half.ts';
import { attributesOf, type Node } from '../graph/node.ts';
import { evaluateGraph } from '../ops/evaluate.ts';
import type { Storage } from '../runtime/device.ts';
import { type Capture, capture, closeGraph, groundGraph, isVersion, liftedConstants, resolve } from './capture.ts';
import { elementOperations, interpreterLimit, worthWaiting } from './cost.ts';
import { allocate, currentDevice } from './devices.ts';
import { fingerprint } from './fingerprint.ts';
import { loadProgram, loadProgramAsync } from './programs.ts';
import { type Job, settled, settleSync } from './queue.ts';
import { byteLengthOf, keepValue, storageFrom, storageOf, viewOf } from './values.ts';
import { pendingLeaves, settleVariables } from './variables.ts';

/** Values read while a gradient is being taken keep their graph, so that the gradient can go through them. */
let historyKeepers = 0;

export const keepsHistory = (): boolean => historyKeepers > 0;

export function keepingHistory<T>(body: () => T): T {
  historyKeepers++;
  try {
    return body();
  } finally {
    historyKeepers--;
  }
}

/** Computes the nodes now. */
export function realizeSync(operation: string, nodes: readonly Node[]): void {
  settleSync(operation);
  planFor(operation, nodes)?.run();
}

/** Computes the nodes; large programs leave the event loop free while they run. */
export async function realize(operation: string, nodes: readonly Node[]): Promise<void> {
  await settled(async () => planFor(operation, nodes)?.runAsync());
}

function planFor(operation: string, nodes: readonly Node[]): Job | undefined {
  const asked = nodes.filter((node) => storageOf(node) === undefined);
  if (asked.length === 0) return undefined;
  const leaves = [...asked, ...pendingLeaves()];
  const roots = [...new Set(leaves.map(resolve))].filter((node) => storageOf(node) === undefined);
  const captured = capture(operation, roots);
  const keep = (storages: readonly Storage[]): void => {
    for (const [i, root] of roots.entries()) if (storageOf(root) === undefined) keepValue(root, storages[i]);
    for (const leaf of leaves) if (storageOf(leaf) === undefined) keepValue(leaf, storageOf(resolve(leaf)) as Storage);
    settleVariables();
  };
  const interpreted = currentDevice() === 'reference' || elementOperations(captured.nodes) <= interpreterLimit;
  return interpreted ? interpretedPlan(captured, keep) : compiledPlan(captured, keep);
}

function interpretedPlan(captured: Capture, keep: (storages: readonly Storage[]) => void): Job {
  const run = (): void => {
    const values = evaluateGraph(groundGraph(captured), (leaf) => viewOf(storageOf(leaf) as Storage, leaf.dtype));
    keep(values.map((array) => storageFrom(compact(array))));
  };
  return { run, runAsync: async () => run() };
}

/** A result that is a view of larger memory gets its own: it must not keep that memory alive, nor outlive a place in a device's memory. */
const compact = (values: TypedArray): TypedArray => (values.byteLength < values.buffer.byteLength ? values.slice() : values);

function compiledPlan(captured: Capture, keep: (storages: readonly Storage[]) => void): Job {
  const lifted = liftedConstants(captured);
  const replaced = [...captured.bound, ...lifted];
  const slots = new Map(replaced.map((node, i) => [node, isVersion(node) ? `v${i}` : `$${i}`]));
  const text = fingerprint(captured.nodes, captured.roots, slots, resolve);
  const aliases = captured.roots.map(() => undefined);
  const request = { text, graph: () => ({ ...closeGraph(captured, replaced), aliases }), why: 'lazy program' };
  const bind = (): { readonly inputs: Storage[]; readonly outputs: Storage[] } => ({
    inputs: [...captured.bound.map((node) => storageOf(node) as Storage), ...lifted.map(scalarStorage)],
    outputs: captured.roots.map((root) => allocate(byteLengthOf(root))),
  });
  return {
    run() {
      const { executable } = loadProgram(request);
      const { inputs, outputs } = bind();
      executable.run(inputs, outputs);
      keep(outputs);
    },
    async runAsync() {
      const { executable, program } = await loadProgramAsync(request);
      const { inputs, outputs } = bind();
      if (program !== undefined && worthWaiting(program)) await executable.runAsync(inputs, outputs);
      else executable.run(inputs, outputs);
      keep(outputs);
    },
  };
}

function scalarStorage(constant: Node): Storage {
  const storage = allocate(byteLengthOf(constant));
  viewOf(storage, constant.dtype)[0] = storedNumber(constant.dtype, attributesOf(constant, 'constant').value);
  return storage;
}
