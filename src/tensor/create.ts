/** Making tensors: from values, filled, counted. */
import { checkDTypeName, type DType, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { encodeArray, isHalf } from '../core/half.ts';
import { checkShape, type Shape, sizeOf } from '../core/shape.ts';
import { storageFrom, storageLeaf } from '../engine/values.ts';
import { add, cast, constant, equal, iota, mul } from '../ops/build.ts';
import { Tensor, wrap } from './tensor.ts';

export type NestedValues = number | boolean | readonly NestedValues[];
export type TensorValues = NestedValues | TypedArray | Int8Array | Int16Array | Uint32Array | Uint8ClampedArray;

export interface TensorOptions {
  readonly shape?: Shape;
  readonly dtype?: DType;
}

export interface DTypeOption {
  /** Default float32. */
  readonly dtype?: DType;
}

/**
 * A tensor from a number, nested arrays (float32; bool for booleans) or a typed array (its own dtype; one dimension unless `shape` says otherwise).
 * The values are copied. A Uint16Array holds the bits of float16 or bfloat16 and needs that `dtype`.
 */
export function tensor(values: TensorValues, { shape, dtype }: TensorOptions = {}): Tensor {
  if (dtype !== undefined) checkDTypeName('tensor', dtype);
  if (values instanceof Tensor) fail('argument', 'tensor', 'this is a tensor already', 'Use it as it is, or t.cast(dtype).');
  const { data, found, own } = ArrayBuffer.isView(values) ? fromTyped(values as TypedArray) : fromNested(values);
  const wanted = shape ?? found;
  checkShape('tensor', wanted);
  if (sizeOf(wanted) !== data.length) fail('shape', 'tensor', `${data.length} values do not fill the shape ${showShape(wanted)} (${sizeOf(wanted)} elements)`);
  return wrap(storageLeaf(storageFrom(stored(data, own, dtype ?? own)), { shape: [...wanted], dtype: dtype ?? own ?? 'float32' }));
}

/** A fresh array in the format of `dtype`. */
function stored(data: ArrayLike<number>, own: DType | undefined, dtype: DType | undefined): TypedArray {
  if (data instanceof Uint16Array) {
    if (dtype !== undefined && isHalf(dtype)) return data.slice();
    const hint = "Pass { dtype: 'float16' } or { dtype: 'bfloat16' }, or convert it to an Int32Array.";
    return fail('dtype', 'tensor', 'a Uint16Array holds the bits of half floats', hint);
  }
  if (dtype === own && ArrayBuffer.isView(data)) return (data as TypedArray).slice();
  return encodeArray(dtype ?? 'float32', data);
}

interface Found {
  readonly data: ArrayLike<number>;
  readonly found: Shape;
  /** The dtype that the values have by themselves. */
  readonly own: DType | undefined;
}

/** Other typed arrays hold whole numbers. */
const ownDTypes = [
  { array: Float32Array, own: 'float32' },
  { array: Float64Array, own: 'float64' },
  { array: Uint8Array, own: 'uint8' },
  { array: Uint8ClampedArray, own: 'uint8' },
  { array: Uint16Array, own: undefined },
  { array: Object, own: 'int32' },
] as const;

const fromTyped = (values: TypedArray): Found => ({
  data: values,
  found: [values.length],
  own: ownDTypes.find(({ array }) => values instanceof array)?.own,
});

const lengthOf = (item: unknown): number | undefined => (Array.isArray(item) || ArrayBuffer.isView(item) ? (item as unknown as unknown[]).length : undefined);

function fromNested(values: unknown): Found {
  const found: number[] = [];
  for (let level = values; lengthOf(level) !== undefined; level = (level as unknown[])[0]) found.push((level as unknown[]).length);
  const data: number[] = [];
  let booleans = 0;
  const visit = (item: unknown, depth: number): void => {
    const length = lengthOf(item);
    if (length !== found[depth]) {
      const problem = `expected length ${found[depth] ?? 'none (a number)'} at depth ${depth}, got ${length ?? 'a number'}`;
      fail('shape', 'tensor', `nested arrays must be regular: ${problem}`);
    }
    if (length !== undefined) for (const inner of item as Iterable<unknown>) visit(inner, depth + 1);
    else if (item instanceof Tensor) fail('argument', 'tensor', 'expected numbers, got a tensor', 'Use stack([...]) to join tensors.');
    else if (typeof item !== 'number' && typeof item !== 'boolean') fail('argument', 'tensor', `expected numbers, got ${String(item)}`);
    else data.push(Number(item));
    if (typeof item === 'boolean') booleans++;
  };
  visit(values, 0);
  return { data, found, own: data.length > 0 && booleans === data.length ? 'bool' : undefined };
}

function filled(operation: string, shape: Shape, value: number, dtype: DType): Tensor {
  checkShape(operation, shape);
  checkDTypeName(operation, dtype);
  return wrap(cast(constant(value, isHalf(dtype) ? 'float32' : dtype, shape), dtype));
}

export const full = (shape: Shape, value: number, { dtype = 'float32' }: DTypeOption = {}): Tensor => filled('full', shape, value, dtype);
export const zeros = (shape: Shape, { dtype = 'float32' }: DTypeOption = {}): Tensor => filled('zeros', shape, 0, dtype);
export const ones = (shape: Shape, { dtype = 'float32' }: DTypeOption = {}): Tensor => filled('ones', shape, 1, dtype);
export const zerosLike = (x: Tensor): Tensor => filled('zerosLike', x.shape, 0, x.dtype);
export const onesLike = (x: Tensor): Tensor => filled('onesLike', x.shape, 1, x.dtype);

/** arange(n): 0 … n−1; arange(start, stop, { step }): up to but without stop. int32 when all are whole numbers, else float32. */
export function arange(start: number, stop?: number, { step = 1, dtype }: { step?: number; dtype?: DType } = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const sound = step !== 0 && Number.isFinite(from) && Number.isFinite(to);
  if (!sound) fail('value', 'arange', `expected finite limits and a step that is not 0, got ${from} … ${to} by ${step}`);
  const length = Math.max(0, Math.ceil((to - from) / step));
  const wanted = dtype ?? (Number.isInteger(from) && Number.isInteger(step) ? 'int32' : 'float32');
  const counted = isHalf(wanted) || wanted === 'bool' ? 'float32' : wanted;
  let node = iota([length], 0, counted);
  if (step !== 1) node = mul(node, constant(step, counted));
  if (from !== 0) node = add(node, constant(from, counted));
  return wrap(cast(node, wanted));
}

/** `count` numbers from start to stop, both included. */
export function linspace(start: number, stop: number, count: number): Tensor {
  if (!Number.isInteger(count) || count < 0) fail('value', 'linspace', `expected a whole number of points, got ${count}`);
  // The last is exact; a single one is the start.
  const values = Float32Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? stop : start + ((stop - start) * i) / Math.max(1, count - 1)));
  return wrap(storageLeaf(storageFrom(values), { shape: [count], dtype: 'float32' }));
}

/** The identity matrix [rows, columns]. */
export function eye(rows: number, columns: number = rows, { dtype = 'float32' }: DTypeOption = {}): Tensor {
  const shape = [rows, columns];
  checkShape('eye', shape);
  return wrap(cast(equal(iota(shape, 0), iota(shape, 1)), dtype));
}
