/**
 * Where the values of nodes live: the sources behind leaves, and the storages of nodes that have been computed.
 * A storage that a leaf points to is never written again (compiled steps copy a variable's storage first if a leaf has seen it).
 */
import { bytesOf, type DType, type TypedArray, viewArray } from '../core/dtype.ts';
import { sizeOf, type TensorType } from '../core/shape.ts';
import type { Source } from '../graph/attributes.ts';
import { isOp, type Node, newNode } from '../graph/node.ts';
import type { Storage } from '../runtime/device.ts';

/** A value that is there. */
export interface StorageSource extends Source {
  readonly kind: 'storage';
  readonly storage: Storage;
}

/** One version of a variable: its storage once computed, before that the node that computes it (dropped then, so no history piles up). */
export interface VersionSource extends Source {
  readonly kind: 'variable';
  value: Node | undefined;
  storage: Storage | undefined;
}

/** A value that comes with each run: an argument of a function that is being recorded. */
export interface InputSource extends Source {
  readonly kind: 'input';
  /** What it is, for error messages: "compile", "scan". */
  readonly of: string;
}

export interface VariableState extends TensorType {
  readonly name: string;
  trainable: boolean;
  /** Undefined while the current version is pending (then `leaf` is set). */
  storage: Storage | undefined;
  /** True when nothing but this variable knows the storage, so that it may be overwritten in place. */
  owned: boolean;
  /** The leaf of the current version, once somebody has asked for it. */
  leaf: Node | undefined;
}

type AnySource = StorageSource | VersionSource | InputSource;

const newLeaf = (source: AnySource, type: TensorType): Node => newNode('leaf', [], { source }, type);

export const storageLeaf = (storage: Storage, type: TensorType): Node => newLeaf({ kind: 'storage', storage } as StorageSource, type);
export const inputLeaf = (of: string, type: TensorType): Node => newLeaf({ kind: 'input', of } as InputSource, type);
export const versionLeaf = (version: { value?: Node; storage?: Storage }, type: TensorType): Node =>
  newLeaf({ kind: 'variable', value: version.value, storage: version.storage } as VersionSource, type);

export const sourceOf = (leaf: Node): AnySource | undefined => (isOp(leaf, 'leaf') ? (leaf.attributes.source as AnySource) : undefined);

/** Values of inner nodes that were read. They live as long as the node does. */
const realised = new WeakMap<Node, Storage>();

export function storageOf(node: Node): Storage | undefined {
  const source = sourceOf(node);
  if (source === undefined) return realised.get(node);
  return source.kind === 'input' ? undefined : source.storage;
}

/** The computed node behind a pending variable version, or undefined. */
export function pendingValue(node: Node): Node | undefined {
  const source = sourceOf(node);
  return source?.kind === 'variable' && source.storage === undefined ? source.value : undefined;
}

/** Records the value of a node. */
export function keepValue(node: Node, storage: Storage): void {
  const source = sourceOf(node);
  if (source?.kind === 'variable') {
    source.storage = storage;
    source.value = undefined;
  } else if (source === undefined) realised.set(node, storage);
}

export const storageFrom = (values: TypedArray): Storage => ({ buffer: values.buffer, byteOffset: values.byteOffset, byteLength: values.byteLength });

/** A view of a storage as raw elements (float16 and bfloat16 as their 16 bits). */
export function viewOf(storage: Storage, dtype: DType, length = storage.byteLength / bytesOf(dtype)): TypedArray {
  if (storage.byteOffset % bytesOf(dtype) === 0) return viewArray(dtype, storage.buffer, storage.byteOffset, length);
  return viewArray(dtype, storage.buffer.slice(storage.byteOffset, storage.byteOffset + storage.byteLength), 0, length);
}

export function copyBytes(from: Storage, to: Storage): void {
  new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(new Uint8Array(from.buffer, from.byteOffset, to.byteLength));
}

export const byteLengthOf = (node: TensorType): number => sizeOf(node.shape) * bytesOf(node.dtype);
