/** Float64 working copies for `evaluate`, and the dtype check of the ops that sum products. */
import { type DType, newArray, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import type { TensorType } from '../graph/node.ts';

/** The values as float64; not to be changed, for it may be the array itself. */
export const wide = (values: TypedArray): Float64Array => (values instanceof Float64Array ? values : new Float64Array(values));

/** The values rounded to a dtype. */
export function narrow(values: Float64Array, dtype: DType): TypedArray {
  if (dtype === 'float64') return values;
  const out = newArray(dtype, values.length);
  out.set(values);
  return out;
}

export const arithmetic: readonly DType[] = ['float32', 'float64', 'int32'];
export const comparable: readonly DType[] = [...arithmetic, 'uint8', 'bool'];

/** All inputs have one and the same dtype, one of `allowed`; returns it. */
export function sameDtype(operation: string, inputs: readonly TensorType[], allowed: readonly DType[] = arithmetic): DType {
  const dtype = inputs[0].dtype;
  const other = inputs.find((input) => input.dtype !== dtype);
  if (other) fail('dtype', operation, `expected operands of one dtype, got ${dtype} and ${other.dtype}`, 'Cast one of them.');
  if (!allowed.includes(dtype)) fail('dtype', operation, `expected one of ${allowed.join(', ')}, got ${dtype}`, 'Cast it first.');
  return dtype;
}
