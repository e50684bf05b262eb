/**
 * The state behind Variables. Every assignment makes a new version; readers hold the version they saw, so lazy readers of an older
 * version stay right. Only a compiled step writes in place, and only into storages that no leaf has seen.
 */
import type { Node } from '../graph/node.ts';
import type { Storage } from '../runtime/device.ts';
import { allocate, isReached } from './devices.ts';
import { currentRecorder } from './recorder.ts';
import { byteLengthOf, pendingValue, storageOf, type VariableState, versionLeaf } from './values.ts';

/** Variables whose current version is not computed yet: the next program that runs computes them along. */
const pending = new Set<VariableState>();

let unnamed = 0;

export function newVariable(initial: Node, name: string | undefined, trainable: boolean): VariableState {
  const state: VariableState = {
    name: name ?? `variable${unnamed++}`,
    shape: initial.shape,
    dtype: initial.dtype,
    trainable,
    storage: undefined,
    owned: false,
    leaf: undefined,
  };
  setVersion(state, initial);
  return state;
}

/** Gives the variable a new version, whatever is being recorded. */
export function setVersion(state: VariableState, value: Node): void {
  state.owned = false;
  state.storage = storageOf(value);
  if (state.storage !== undefined) {
    state.leaf = undefined;
    pending.delete(state);
    return;
  }
  state.leaf = versionLeaf({ value }, state);
  pending.add(state);
}

/** The node that stands for the variable's value now. */
export function readVariable(state: VariableState): Node {
  const recorder = currentRecorder();
  if (recorder) return recorder.readVariable(state);
  return leafOf(state);
}

/** The leaf of the current version, whatever is being recorded. */
export function leafOf(state: VariableState): Node {
  if (state.leaf === undefined) {
    state.leaf = versionLeaf({ storage: state.storage as Storage }, state);
    state.owned = false;
  }
  return state.leaf;
}

export function assignVariable(state: VariableState, value: Node): void {
  const recorder = currentRecorder();
  if (recorder) recorder.assignVariable(state, value);
  else setVersion(state, value);
}

/** Leaves of all pending versions. */
export function pendingLeaves(): Node[] {
  return [...pending].map((state) => state.leaf as Node);
}

/** Called after a program ran: forgets what is no longer pending. */
export function settleVariables(): void {
  for (const state of pending) if (state.leaf === undefined || pendingValue(state.leaf) === undefined) pending.delete(state);
}

/** The storage of the current version; undefined while it is pending. */
export function storageOfVariable(state: VariableState): Storage | undefined {
  if (state.storage === undefined && state.leaf !== undefined) {
    state.storage = storageOf(state.leaf);
    state.owned = false;
  }
  return state.storage;
}

/**
 * A storage that a compiled step overwrites with the next value; the current value must have been computed. When a leaf has seen the storage,
 * or the device cannot reach it, a fresh one is used, and `from` has to be copied into it before the step runs.
 */
export function takeForWriting(state: VariableState): { readonly storage: Storage; readonly from: Storage | undefined } {
  const current = storageOfVariable(state) as Storage;
  const inPlace = state.owned && isReached(current);
  const storage = inPlace ? current : allocate(byteLengthOf(state));
  const from = inPlace ? undefined : current;
  replaceStorage(state, storage);
  return { storage, from };
}

/** Replaces the value by a storage that nobody else holds. */
export function replaceStorage(state: VariableState, storage: Storage): void {
  pending.delete(state);
  state.storage = storage;
  state.owned = true;
  state.leaf = undefined;
}
