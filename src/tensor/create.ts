/** Making tensors: from values, filled, counted. */
import { type DType, isDType, newArray, type TypedArray } from '../core/dtype.ts';
import { didYouMean, fail, showShape } from '../core/errors.ts';
import { encodeArray, isHalf } from '../core/half.ts';
import { checkShape, type Shape, sizeOf } from '../core/shape.ts';
import { storageFrom, storageLeaf } from '../engine/values.ts';
import type { Node } from '../graph/node.ts';
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
  if (dtype !== undefined) checkDType('tensor', dtype);
  if (values instanceof Tensor) fail('argument', 'tensor', 'this is a tensor already', 'Use it as it is, or t.cast(dtype).');
  const { data, found, own } = ArrayBuffer.isView(values) ? fromTyped(values as TypedArray) : fromNested(values);
  const wanted = shape ?? found;
  checkShape('tensor', wanted);
  if (sizeOf(wanted) !== data.length) fail('shape', 'tensor', `${data.length} values do not fill the shape ${showShape(wanted)} (${sizeOf(wanted)} elements)`);
  return wrap(storageLeaf(storageFrom(stored(data, own, dtype ?? own)), [...wanted], dtype ?? own ?? 'float32'));
}

function checkDType(operation: string, dtype: string): void {
  if (!isDType(dtype))
    fail(
      'dtype',
      operation,
      `there is no dtype "${String(dtype)}"`,
      didYouMean(String(dtype), ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool']) ?? 'Use float32.',
    );
}

/** A fresh array in the format of `dtype`. */
function stored(data: ArrayLike<number>, own: DType | undefined, dtype: DType | undefined): TypedArray {
  if (data instanceof Uint16Array) {
    if (dtype === undefined || !isHalf(dtype))
      fail(
        'dtype',
        'tensor',
        'a Uint16Array holds the bits of half floats',
        "Pass { dtype: 'float16' } or { dtype: 'bfloat16' }, or convert it to an Int32Array.",
      );
    return data.slice();
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

function fromTyped(values: TypedArray): Found {
  const own =
    values instanceof Float32Array
      ? 'float32'
      : values instanceof Float64Array
        ? 'float64'
        : values instanceof Int32Array
          ? 'int32'
          : values instanceof Uint8Array
            ? 'uint8'
            : undefined;
  if (values instanceof Uint16Array) return { data: values, found: [values.length], own: undefined };
  return { data: values, found: [values.length], own: own ?? (ownOther(values) as DType) };
}

const ownOther = (values: unknown): DType => (values instanceof Uint8ClampedArray ? 'uint8' : 'int32');

function fromNested(values: unknown): Found {
  const found: number[] = [];
  for (let level = values; Array.isArray(level) || ArrayBuffer.isView(level); level = (level as unknown[])[0]) found.push((level as unknown[]).length);
  const data: number[] = [];
  let booleans = 0;
  const visit = (item: unknown, depth: number): void => {
    if (depth < found.length) {
      const length = Array.isArray(item) || ArrayBuffer.isView(item) ? (item as unknown[]).length : undefined;
      if (length !== found[depth]) ragged(found, depth, length);
      for (let i = 0; i < found[depth]; i++) visit((item as unknown[])[i], depth + 1);
      return;
    }
    if (Array.isArray(item)) ragged(found, depth, item.length);
    if (typeof item === 'boolean') booleans++;
    else if (typeof item !== 'number')
      fail(
        'argument',
        'tensor',
        `expected numbers, got ${item instanceof Tensor ? 'a tensor' : String(item)}`,
        item instanceof Tensor ? 'Use stack([...]) to join tensors.' : undefined,
      );
    data.push(Number(item));
  };
  visit(values, 0);
  return { data, found, own: data.length > 0 && booleans === data.length ? 'bool' : undefined };
}

function ragged(found: readonly number[], depth: number, length: number | undefined): never {
  return fail(
    'shape',
    'tensor',
    `nested arrays must be regular: expected length ${found[depth] ?? 'none (a number)'} at depth ${depth}, got ${length ?? 'a number'}`,
  );
}

function filled(operation: string, shape: Shape, value: number, dtype: DType): Tensor {
  checkShape(operation, shape);
  checkDType(operation, dtype);
  if (!isHalf(dtype)) return wrap(constant(value, dtype, shape));
  return wrap(cast(constant(value, 'float32', shape), dtype));
}

export const full = (shape: Shape, value: number, { dtype = 'float32' }: DTypeOption = {}): Tensor => filled('full', shape, value, dtype);
export const zeros = (shape: Shape, { dtype = 'float32' }: DTypeOption = {}): Tensor => filled('zeros', shape, 0, dtype);
export const ones = (shape: Shape, { dtype = 'float32' }: DTypeOption = {}): Tensor => filled('ones', shape, 1, dtype);
export const zerosLike = (x: Tensor): Tensor => filled('zerosLike', x.shape, 0, x.dtype);
export const onesLike = (x: Tensor): Tensor => filled('onesLike', x.shape, 1, x.dtype);

/** arange(n): 0 … n−1; arange(start, stop, { step }): up to but without stop. int32 when all are whole numbers, else float32. */
export function arange(start: number, stop?: number, { step = 1, dtype }: { step?: number; dtype?: DType } = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (!(step !== 0) || !Number.isFinite(from) || !Number.isFinite(to))
    fail('value', 'arange', `expected finite limits and a step that is not 0, got ${from} … ${to} by ${step}`);
  const length = Math.max(0, Math.ceil((to - from) / step));
  const whole = Number.isInteger(from) && Number.isInteger(step);
  return ramp(length, from, step, dtype ?? (whole ? 'int32' : 'float32'));
}

/** `count` numbers from start to stop, both included. */
export function linspace(start: number, stop: number, count: number): Tensor {
  if (!Number.isInteger(count) || count < 0) fail('value', 'linspace', `expected a whole number of points, got ${count}`);
  const values = newArray('float32', count);
  for (let i = 0; i < count; i++) values[i] = count === 1 ? start : i === count - 1 ? stop : start + ((stop - start) * i) / (count - 1);
  return wrap(storageLeaf(storageFrom(values), [count], 'float32'));
}

function ramp(length: number, from: number, step: number, dtype: DType): Tensor {
  const arithmeticType = isHalf(dtype) || dtype === 'bool' ? 'float32' : dtype;
  let node: Node = iota([length], 0, arithmeticType);
  if (step !== 1) node = mul(node, constant(step, arithmeticType));
  if (from !== 0) node = add(node, constant(from, arithmeticType));
  return wrap(cast(node, dtype));
}

/** The identity matrix [rows, columns]. */
export function eye(rows: number, columns: number = rows, { dtype = 'float32' }: DTypeOption = {}): Tensor {
  checkShape('eye', [rows, columns]);
  const shape = [rows, columns];
  return wrap(cast(equal(iota(shape, 0), iota(shape, 1)), dtype));
}
