/** Saving and loading models, optimizers and plain records of tensors as safetensors. */
import { encodeArray, isHalf } from '../core/half.ts';
import { type Tensor, tensor } from '../tensor/index.ts';
import type { FetchOptions } from './fetch.ts';
import { readSafetensors, writeSafetensors } from './files.ts';
import type { ArrayValue } from './safetensors.ts';

/** Anything with a state by name: modules, optimizers. */
export interface Stateful {
  stateDict(): Readonly<Record<string, Tensor>>;
  loadStateDict(state: Readonly<Record<string, Tensor>>, options?: { readonly strict?: boolean }): unknown;
}

const isStateful = (value: object): value is Stateful => 'stateDict' in value && typeof value.stateDict === 'function';

/** Copies of the values of tensors, by name. */
export async function toArrays(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, ArrayValue>> {
  const arrays: Record<string, ArrayValue> = {};
  for (const [name, value] of Object.entries(tensors)) {
    const data = await value.data();
    arrays[name] = { dtype: value.dtype, shape: value.shape, data: isHalf(value.dtype) ? encodeArray(value.dtype, data) : data };
  }
  return arrays;
}

/** Tensors of stored values, by name. */
export const fromArrayValues = (arrays: Iterable<readonly [string, ArrayValue]>): Record<string, Tensor> =>
  Object.fromEntries([...arrays].map(([name, { data, shape, dtype }]) => [name, tensor(data, { shape, dtype })]));

export interface SaveOptions {
  /** Texts to keep in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Writes a model, an optimizer or a record of tensors to one file. The path holds the old or the new file at every moment, never half of one. */
export async function save(target: Stateful | Readonly<Record<string, Tensor>>, path: string, { metadata = {} }: SaveOptions = {}): Promise<void> {
  const tensors = isStateful(target) ? target.stateDict() : (target as Readonly<Record<string, Tensor>>);
  await writeSafetensors(path, await toArrays(tensors), metadata);
}

export interface LoadOptions extends FetchOptions {
  /** False takes what fits (default true: everything must). */
  readonly strict?: boolean;
}

/**
 * Reads a file, or what a URL answers, into a model or an optimizer; nothing is changed when something does not fit. A text is a path unless it begins with
 * http:// or https://. `await load(model, new URL('./digits.safetensors', import.meta.url), { onProgress: ({ done, total }) => … })`
 */
export async function load<T extends Stateful>(target: T, source: string | URL, { strict = true, ...options }: LoadOptions = {}): Promise<T> {
  target.loadStateDict(await loadTensors(source, options), { strict });
  return target;
}

/** The tensors of a file, or of what a URL answers, by name. */
export async function loadTensors(source: string | URL, options: FetchOptions = {}): Promise<Record<string, Tensor>> {
  return fromArrayValues((await readSafetensors(source, options)).tensors);
}
