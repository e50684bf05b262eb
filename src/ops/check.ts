/** What shape rules and evaluations have in common: checks with errors that say what was expected and what came, and float64 working copies. */
import { type DType, isFloating, newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { isHalf } from '../core/half.ts';
import { sameShape } from '../core/shape.ts';
import type { TensorType } from '../graph/node.ts';

/** Dtypes an op computes with. Half floats are for storage only. */
export type Accepted = 'floating' | 'number' | 'bool' | 'any';

export const isCount = (value: number, least = 0): boolean => Number.isInteger(value) && value >= least;

/** Refuses all but `count` operands; returns them. */
export function checkCount(operation: string, inputs: readonly TensorType[], count: number): readonly TensorType[] {
  if (inputs.length !== count) fail('argument', operation, `expected ${count} operand${count === 1 ? '' : 's'}, got ${inputs.length}`);
  return inputs;
}

export function checkDType(operation: string, dtype: DType, accepted: Accepted): void {
  if (isHalf(dtype)) fail('dtype', operation, `${dtype} is a storage format, nothing is computed in it`, "Cast to 'float32' first.");
  if (accepted === 'floating' && !isFloating(dtype)) fail('dtype', operation, `expected float32 or float64, got ${dtype}`, "Cast to 'float32' first.");
  if (accepted === 'number' && dtype === 'bool') fail('dtype', operation, 'expected numbers, got bool', "Cast to 'int32' or 'float32' first.");
  if (accepted === 'bool' && dtype !== 'bool') fail('dtype', operation, `expected bool, got ${dtype}`, "Compare with 0 or cast to 'bool' first.");
}

/** `count` operands of one accepted dtype and one shape; returns the first. */
export function checkAlike(operation: string, inputs: readonly TensorType[], count: number, accepted: Accepted): TensorType {
  checkCount(operation, inputs, count);
  const first = inputs[0];
  checkDType(operation, first.dtype, accepted);
  for (const { dtype, shape } of inputs) {
    if (dtype !== first.dtype) fail('dtype', operation, `operands are ${first.dtype} and ${dtype}`, 'Cast them to one dtype.');
    if (sameShape(shape, first.shape)) continue;
    fail('shape', operation, `operands have shapes ${showShape(first.shape)} and ${showShape(shape)}`, 'Broadcast them to one shape.');
  }
  return first;
}

/** Axes as primitives take them: ascending, distinct, counted from the front. */
export function checkAxes(operation: string, axes: readonly number[], rank: number): void {
  axes.forEach((axis, i) => {
    if (!isCount(axis) || axis >= rank) fail('axis', operation, `axis ${axis} is out of range for a tensor of rank ${rank}`);
    if (i > 0 && axis <= axes[i - 1]) fail('axis', operation, `axes must be ascending and distinct, got ${showShape(axes)}`);
  });
}

const summable: readonly DType[] = ['float32', 'float64', 'int32'];
export const comparable: readonly DType[] = [...summable, 'uint8', 'bool'];

/** All inputs have one and the same dtype, one of `allowed` (default: those in which products are summed); returns it. */
export function sameDtype(operation: string, inputs: readonly TensorType[], allowed = summable): DType {
  const dtype = inputs[0].dtype;
  const other = inputs.find((input) => input.dtype !== dtype);
  if (other) fail('dtype', operation, `expected operands of one dtype, got ${dtype} and ${other.dtype}`, 'Cast one of them.');
  if (!allowed.includes(dtype)) fail('dtype', operation, `expected one of ${allowed.join(', ')}, got ${dtype}`, 'Cast it first.');
  return dtype;
}

/** The values as float64; not to be changed, for it may be the array itself. */
export const wide = (values: TypedArray): Float64Array => (values instanceof Float64Array ? values : new Float64Array(values));

/** The values rounded to a dtype. */
export function narrow(values: Float64Array, dtype: DType): TypedArray {
  if (dtype === 'float64') return values;
  const out = newArray(dtype, values.length);
  out.set(values);
  return out;
}
