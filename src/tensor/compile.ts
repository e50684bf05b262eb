/** compile(fn): records a function once per signature and replays it as one program. */
import { debug } from '../core/debug.ts';
import { fail } from '../core/errors.ts';
import { showType } from '../core/shape.ts';
import { mapTree } from '../core/tree.ts';
import { keepsHistory } from '../engine/realize.ts';
import { currentRecorder } from '../engine/recorder.ts';
import { record } from '../engine/recording.ts';
import type { Recording } from '../engine/replay.ts';
import type { Node } from '../graph/node.ts';
import type { Program } from '../ir/program.ts';
import type { KernelTime } from '../runtime/device.ts';
import { Tensor, wrap } from './tensor.ts';
import { nodesOf, withNodes } from './trees.ts';
import { Variable } from './variable.ts';

/** What a compiled function is made of, as data. */
export interface Explanation extends Pick<Program, 'steps' | 'inputs' | 'outputs' | 'arenaBytes' | 'flops' | 'bytes'> {
  readonly kernels: readonly Pick<Program['kernels'][number], 'name' | 'comment' | 'flops' | 'bytes'>[];
  /** The generated code. */
  readonly source: string;
}

export interface CompiledFunction<A extends unknown[], R> {
  (...args: A): R;
  /** The program for these arguments (recorded if need be, not run). */
  readonly explain: (...args: A) => Explanation;
  /** Runs once and returns the time of every kernel. */
  readonly profile: (...args: A) => readonly KernelTime[];
}

const extras: (() => string)[] = [];

/** Something outside the arguments that recorded functions depend on, such as training modes: when its text changes, a function is recorded anew. */
export function registerSignatureExtra(text: () => string): void {
  extras.push(text);
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

function identityOf(value: object): number {
  const known = identities.get(value);
  if (known !== undefined) return known;
  identities.set(value, nextIdentity);
  return nextIdentity++;
}

/** Variables are passed as they are, so that the function can assign them; other tensors become inputs. */
const isInput = (leaf: unknown): leaf is Tensor => leaf instanceof Tensor && !(leaf instanceof Variable);

function signatureOf(args: readonly unknown[], inputs: Node[]): string {
  const pieces: string[] = [];
  mapTree(args, (leaf, path) => {
    if (isInput(leaf)) {
      inputs.push(leaf.node);
      pieces.push(`${path}:${leaf.dtype}[${leaf.shape}]`);
    } else if (ArrayBuffer.isView(leaf)) {
      fail('argument', 'compile', `argument ${path} is a ${leaf.constructor.name}`, 'Pass values as tensors: tensor(array, { shape }).');
    } else if ((typeof leaf === 'object' && leaf !== null) || typeof leaf === 'function') pieces.push(`${path}#${identityOf(leaf)}`);
    else pieces.push(`${path}=${typeof leaf}:${Object.is(leaf, -0) ? '-0' : String(leaf)}`);
    return leaf;
  });
  for (const extra of extras) pieces.push(extra());
  return pieces.join(';');
}

interface Variant {
  readonly recording: Recording;
  /** What the function returned while it was recorded. */
  readonly result: unknown;
}

const capacity = 64;

/**
 * A function that runs as one compiled program. `fn` is called once for each signature: the structure of the arguments, shapes and dtypes of
 * tensors, the values of everything else. Variables that it assigns are updated in place; random draws are new at every call. Values cannot
 * be read inside, and side effects (console.log, counters) happen only while it is recorded. Within another compiled function or a gradient it is inlined.
 */
export function compile<A extends unknown[], R>(fn: (...args: A) => R): CompiledFunction<A, R> {
  const name = fn.name || 'function';
  const variants = new Map<string, Variant>();

  const variantFor = (args: A, inputs: Node[]): Variant => {
    const signature = signatureOf(args, inputs);
    const known = variants.get(signature);
    if (known) return known;
    debug(1, () => `gradix: recording ${name} (signature ${variants.size + 1}: ${inputs.map(showType).join(', ')})`);
    let result: unknown;
    const recording = record(name, inputs, (leaves) => {
      let next = 0;
      const inner = mapTree(args, (leaf) => (isInput(leaf) ? wrap(leaves[next++]) : leaf)) as A;
      result = fn(...inner);
      if (result instanceof Promise) fail('argument', 'compile', `${name} is asynchronous`, 'A compiled function must be synchronous; read values outside.');
      return nodesOf(result);
    });
    const variant = { recording, result: skeleton(result) };
    variants.set(signature, variant);
    if (variants.size > capacity) {
      debug(1, () => `gradix: ${name} has been recorded for more than ${capacity} signatures; pass changing numbers as tensors`);
      variants.delete(variants.keys().next().value as string);
    }
    return variant;
  };

  const call = (...args: A): R => {
    if (currentRecorder() || keepsHistory()) return fn(...args);
    const inputs: Node[] = [];
    const { recording, result } = variantFor(args, inputs);
    return withNodes(result, recording.replay(inputs)) as R;
  };
  const explain = (...args: A): Explanation => {
    const { program, executable } = variantFor(args, []).recording.loaded ?? {};
    const kernels = (program?.kernels ?? []).map(({ name, comment, flops, bytes }) => ({ name, comment, flops, bytes }));
    const { steps = [], inputs = [], outputs = [], arenaBytes = 0, flops = 0, bytes = 0 } = program ?? {};
    return { kernels, steps, inputs, outputs, arenaBytes, flops, bytes, source: executable?.source ?? '' };
  };
  const profile = (...args: A): readonly KernelTime[] => {
    const inputs: Node[] = [];
    return variantFor(args, inputs).recording.profile(inputs);
  };
  return Object.assign(call, { explain, profile });
}

/** The structure of a result without the recorded graph. */
function skeleton(result: unknown): unknown {
  const empty = new Tensor();
  return mapTree(result, (leaf) => (leaf instanceof Tensor ? empty : leaf));
}
