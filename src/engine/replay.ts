/** Runs a recorded program again and again: binds storages, starts it, wraps the results. No graph is touched. */
import type { TensorType } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import type { KernelTime, Storage } from '../runtime/device.ts';
import { worthWaiting } from './cost.ts';
import { allocate } from './devices.ts';
import type { Loaded } from './programs.ts';
import { settleSync, submit } from './queue.ts';
import { nextHostKey } from './random.ts';
import { realizeSync } from './realize.ts';
import { byteLengthOf, copyBytes, storageFrom, storageLeaf, storageOf, type VariableState } from './values.ts';
import { leafOf, replaceStorage, setVersion, storageOfVariable, takeForWriting } from './variables.ts';

export interface Recording {
  /** Runs the program on nodes of the recorded types; large programs run when a result is needed. */
  readonly replay: (args: readonly Node[]) => Node[];
  /** As replay, at once, with a time for every kernel. */
  readonly profile: (args: readonly Node[]) => readonly KernelTime[];
  readonly loaded: Loaded | undefined;
}

/** A value that is there before a run: an argument, a variable's value, or a leaf from outside. */
export type Given =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'variable'; readonly state: VariableState }
  | { readonly kind: 'captured'; readonly node: Node };

/** What an input of the program is bound to. */
export type Binding = Given | { readonly kind: 'keys' };

/** Where something that the function returns or assigns comes from. */
export type Origin = Given | { readonly kind: 'output'; readonly index: number };

export interface Assignment {
  readonly state: VariableState;
  readonly origin: Origin;
}

export interface RecordedProgram {
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly assignments: readonly Assignment[];
  readonly results: readonly Origin[];
  readonly outputs: readonly TensorType[];
  /** Random draws per run. */
  readonly draws: number;
  readonly loaded: Loaded | undefined;
}

/** The input through which a program reads a variable, or −1. */
export const inputOf = (bindings: readonly Binding[], state: VariableState | undefined): number =>
  bindings.findIndex((binding) => binding.kind === 'variable' && binding.state === state);

/** An output that is the next value of a variable; `input` is where the program reads the present one (−1: it does not), and writes in place. */
interface Write {
  readonly state: VariableState;
  readonly index: number;
  readonly input: number;
}

interface Run {
  readonly inputs: readonly Storage[];
  readonly outputs: readonly Storage[];
  readonly copies: readonly { readonly from: Storage; readonly to: Storage }[];
  /** Values that pass through unchanged. */
  readonly results: readonly (Node | undefined)[];
  readonly values: readonly (Node | undefined)[];
}

function copyAll({ copies }: Run): void {
  for (const { from, to } of copies) copyBytes(from, to);
}

/** Longer runs leave the event loop free. */
const longMilliseconds = 3;

export function replayOf(recorded: RecordedProgram): Recording {
  const { name, bindings, assignments, results, outputs, draws, loaded } = recorded;
  const writes: Write[] = [];
  for (const { state, origin } of assignments) {
    const first = origin.kind === 'output' && !writes.some((write) => write.index === origin.index);
    if (first) writes.push({ state, index: origin.index, input: inputOf(bindings, state) });
  }
  const writers = new Map(writes.map((write) => [write.index, write.state]));
  const sources = [...bindings, ...results, ...assignments.map(({ origin }) => origin)];
  const states = [...new Set(sources.flatMap((source) => (source.kind === 'variable' ? [source.state] : [])))];
  let fastest = Number.POSITIVE_INFINITY;

  function realizeAll(args: readonly Node[]): void {
    const missing = args.filter((node) => storageOf(node) === undefined);
    const pending = states.filter((state) => storageOfVariable(state) === undefined);
    if (missing.length > 0 || pending.length > 0) realizeSync(name, [...missing, ...pending.map(leafOf)]);
  }

  function prepare(args: readonly Node[]): Run {
    realizeAll(args);
    // What passes through is looked at before anything is overwritten.
    const passing = (origin: Origin): Node | undefined => {
      if (origin.kind === 'argument') return args[origin.index];
      if (origin.kind === 'variable') return leafOf(origin.state);
      return origin.kind === 'captured' ? origin.node : undefined;
    };
    const passed = { results: results.map(passing), values: assignments.map(({ origin }) => passing(origin)) };
    const keys = new Int32Array(2 * draws);
    for (let i = 0; i < draws; i++) keys.set(nextHostKey(), 2 * i);
    const inputs = bindings.map((binding) => {
      if (binding.kind === 'keys') return storageFrom(keys);
      if (binding.kind === 'variable') return storageOfVariable(binding.state) as Storage;
      return storageOf(binding.kind === 'argument' ? args[binding.index] : binding.node) as Storage;
    });
    const inPlace = new Map<number, Storage>();
    const copies: { readonly from: Storage; readonly to: Storage }[] = [];
    for (const { state, index, input } of writes) {
      if (input < 0) continue;
      const { storage, from } = takeForWriting(state);
      if (from) copies.push({ from, to: storage });
      inputs[input] = storage;
      inPlace.set(index, storage);
    }
    return { inputs, outputs: outputs.map((type, i) => inPlace.get(i) ?? allocate(byteLengthOf(type))), copies, ...passed };
  }

  /** New versions for the variables, and the nodes of the results. */
  function finish(run: Run): Node[] {
    for (const { state, index } of writes) replaceStorage(state, run.outputs[index]);
    assignments.forEach(({ state, origin }, i) => {
      const value = run.values[i];
      const writer = origin.kind === 'output' ? writers.get(origin.index) : undefined;
      if (value) setVersion(state, value);
      else if (writer && writer !== state) setVersion(state, leafOf(writer));
    });
    return results.map((origin, i) => {
      if (origin.kind !== 'output') return run.results[i] as Node;
      const writer = writers.get(origin.index);
      return writer ? leafOf(writer) : storageLeaf(run.outputs[origin.index], outputs[origin.index]);
    });
  }

  function start(run: Run, { executable, program }: Loaded): void {
    const begin = (): number => {
      copyAll(run);
      return performance.now();
    };
    const end = (from: number): void => {
      fastest = Math.min(fastest, performance.now() - from);
    };
    const job = {
      run() {
        const from = begin();
        executable.run(run.inputs, run.outputs);
        end(from);
      },
      async runAsync() {
        const from = begin();
        await executable.runAsync(run.inputs, run.outputs);
        end(from);
      },
    };
    submit(job, program !== undefined && (Number.isFinite(fastest) ? fastest > longMilliseconds : worthWaiting(program)));
  }

  return {
    loaded,
    replay(args) {
      const run = prepare(args);
      if (loaded) start(run, loaded);
      return finish(run);
    },
    profile(args) {
      if (!loaded) return [];
      settleSync(name);
      const run = prepare(args);
      copyAll(run);
      const times = loaded.executable.profile(run.inputs, run.outputs);
      finish(run);
      return times;
    },
  };
}
