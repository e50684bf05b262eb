/**
 * Tensor: a light handle on a node of the graph. Making one computes nothing; reading one computes what it needs.
 * The operations are free functions in the files beside this one; methods.ts makes methods of them.
 */
import { type DType, isFloating, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { decodeArray, isHalf } from '../core/half.ts';
import { type Shape, showType, sizeOf, type TensorType } from '../core/shape.ts';
import { currentDevice } from '../engine/devices.ts';
import { isSettled } from '../engine/queue.ts';
import { keepsHistory, realize, realizeSync } from '../engine/realize.ts';
import { storageLeaf, storageOf, viewOf } from '../engine/values.ts';
import type { Node } from '../graph/node.ts';
import { cast, constant } from '../ops/build.ts';
import type { DeviceName, Storage } from '../runtime/device.ts';
import { type NestedNumbers, nested, printed } from './print.ts';

/** What operations take: tensors, or numbers, which take the other operand's dtype. */
export type Operand = Tensor | number;

export class Tensor {
  #node: Node | undefined;

  /** Use tensor(), zeros(), …; this wraps a node of the graph. */
  constructor(node?: Node) {
    this.#node = node;
  }

  /** The node of the graph (internal). */
  get node(): Node {
    return this.#node as Node;
  }

  protected get type(): TensorType {
    return this.#node as Node;
  }

  get shape(): Shape {
    return this.type.shape;
  }

  get dtype(): DType {
    return this.type.dtype;
  }

  /** The number of dimensions. */
  get rank(): number {
    return this.type.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.type.shape);
  }

  get device(): DeviceName {
    return currentDevice();
  }

  /**
   * Computes the value and returns a copy as a typed array, row by row. float16 and bfloat16 come as Float32Array, bool as 0 and 1.
   * Name the array type for other dtypes than float32: `await t.data<Int32Array>()`.
   */
  async data<A extends TypedArray = Float32Array>(): Promise<A> {
    return this.#copy(await this.#realized('data')) as A;
  }

  /** As data(), at once: blocks until it is computed. */
  dataSync<A extends TypedArray = Float32Array>(): A {
    return this.#copy(this.#realizedSync('dataSync')) as A;
  }

  /** The value as nested arrays of numbers. */
  async array(): Promise<NestedNumbers> {
    return nested(await this.data(), this.shape);
  }

  arraySync(): NestedNumbers {
    return nested(this.dataSync(), this.shape);
  }

  /** The only element of a tensor that has one. */
  async item(): Promise<number> {
    this.#checkSingle('item');
    return this.#decoded(await this.#realized('item'))[0];
  }

  itemSync(): number {
    this.#checkSingle('itemSync');
    return this.#decoded(this.#realizedSync('itemSync'))[0];
  }

  /** Starts computing and resolves to this tensor when its value is there; from then on it is a constant. */
  async realize(): Promise<this> {
    await this.#realized('realize');
    return this;
  }

  toString(): string {
    const storage = isSettled() ? storageOf(this.node) : undefined;
    const head = `gradix.Tensor ${showType(this)}`;
    return storage ? `${head}\n${printed(this.#decoded(storage), this.shape, isFloating(this.dtype))}` : head;
  }

  [Symbol.toPrimitive](hint: string): string {
    const advice = 'Use methods: a.add(b), a.mul(2), or read a number with await t.item().';
    return hint === 'string' ? this.toString() : fail('argument', 'tensor', 'JavaScript operators do not work on tensors', advice);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  async #realized(operation: string): Promise<Storage> {
    const { node } = this;
    await realize(operation, [node]);
    return this.#adopt(node);
  }

  #realizedSync(operation: string): Storage {
    const { node } = this;
    realizeSync(operation, [node]);
    return this.#adopt(node);
  }

  /** Called once the value is there: outside of gradients the graph is dropped. */
  #adopt(node: Node): Storage {
    const storage = storageOf(node) ?? fail('internal', 'realize', 'a value is missing');
    if (node.op !== 'leaf' && !keepsHistory()) this.#node = storageLeaf(storage, node);
    return storage;
  }

  /** The value, half floats as float32; it may be the storage itself. */
  #decoded(storage: Storage): TypedArray {
    return decodeArray(this.dtype, viewOf(storage, this.dtype, this.size));
  }

  #copy(storage: Storage): TypedArray {
    const values = this.#decoded(storage);
    return isHalf(this.dtype) ? values : values.slice();
  }

  #checkSingle(operation: string): void {
    if (this.size !== 1) fail('shape', operation, `expected one element, got ${showType(this)}`, 'Use data() or array(), or reduce first: sum(), mean().');
  }
}

/** The operand as the builders of nodes take it, in a dtype that arithmetic accepts. */
export const raw = (x: Operand, operation: string): Node | number => (typeof x === 'number' ? x : arithmetic(x, operation));

/** The node of an operand; a number becomes a float32 scalar. */
export function nodeOf(x: Operand, operation: string): Node {
  if (x instanceof Tensor) return x.node;
  if (typeof x === 'number') return constant(x);
  return fail('argument', operation, `expected a tensor or a number, got ${describe(x)}`, Array.isArray(x) ? 'Wrap it: tensor([...]).' : undefined);
}

const describe = (x: unknown): string => (Array.isArray(x) ? 'an array' : x === null ? 'null' : typeof x === 'object' ? 'an object' : typeof x);

/** As nodeOf, in a dtype that arithmetic accepts: half floats become float32. */
export function arithmetic(x: Operand, operation: string): Node {
  const node = nodeOf(x, operation);
  return isHalf(node.dtype) ? cast(node, 'float32') : node;
}

/** As arithmetic, in a dtype that sums are taken in: bools and small whole numbers become int32. */
export function countable(x: Operand, operation: string): Node {
  const node = arithmetic(x, operation);
  return node.dtype === 'bool' || node.dtype === 'uint8' ? cast(node, 'int32') : node;
}

/** As nodeOf, as floating-point numbers: whole numbers become float32. */
export function floating(x: Operand, operation: string): Node {
  const node = nodeOf(x, operation);
  return node.dtype === 'float64' || node.dtype === 'float32' ? node : cast(node, 'float32');
}

/** As nodeOf, as bools: true where it is not 0. */
export const truth = (x: Operand, operation: string): Node => cast(nodeOf(x, operation), 'bool');

export const wrap = (node: Node): Tensor => new Tensor(node);
