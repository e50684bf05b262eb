/** What shape rules and evaluations have in common: checks with errors that say what was expected and what came, and float64 working copies. */
import { type DType, isFloating, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { encodeArray, isHalf } from '../core/half.ts';
import { sameShape } from '../core/shape.ts';
import type { TensorType } from '../graph/node.ts';

/** Dtypes an op computes with; summable ones are those in which sums are taken. Half floats are for storage only. */
export type Accepted = 'floating' | 'number' | 'summable' | 'bool' | 'any';

export const isCount = (value: number, least = 0): boolean => Number.isInteger(value) && value >= least;

/** Refuses all but `count` operands, and if `accepted` is given, all but operands of one such dtype; returns them. */
export function checkOperands(operation: string, inputs: readonly TensorType[], count: number, accepted?: Accepted): readonly TensorType[] {
  if (inputs.length !== count) fail('argument', operation, `expected ${count} operand${count === 1 ? '' : 's'}, got ${inputs.length}`);
  if (accepted === undefined) return inputs;
  const { dtype } = inputs[0];
  const other = inputs.find((input) => input.dtype !== dtype);
  if (other) fail('dtype', operation, `operands are ${dtype} and ${other.dtype}`, 'Cast them to one dtype.');
  checkDType(operation, dtype, accepted);
  return inputs;
}

export function checkDType(operation: string, dtype: DType, accepted: Accepted): void {
  const refuse = (problem: string, target: string): never => fail('dtype', operation, problem, `Cast to '${target}' first.`);
  if (isHalf(dtype)) refuse(`${dtype} is a storage format, nothing is computed in it`, 'float32');
  if (accepted === 'floating' && !isFloating(dtype)) refuse(`expected float32 or float64, got ${dtype}`, 'float32');
  if ((accepted === 'number' || accepted === 'summable') && dtype === 'bool') refuse('expected numbers, got bool', 'int32');
  if (accepted === 'summable' && dtype === 'uint8') refuse('expected float32, float64 or int32, got uint8', 'int32');
  if (accepted === 'bool' && dtype !== 'bool') refuse(`expected bool, got ${dtype}`, 'bool');
}

/** `count` operands of one accepted dtype and one shape; returns the first. */
export function checkAlike(operation: string, inputs: readonly TensorType[], count: number, accepted: Accepted): TensorType {
  const [first] = checkOperands(operation, inputs, count, accepted);
  const other = inputs.find(({ shape }) => !sameShape(shape, first.shape));
  if (other) fail('shape', operation, `operands have shapes ${showShape(first.shape)} and ${showShape(other.shape)}`, 'Broadcast them to one shape.');
  return first;
}

/** Axes as primitives take them: ascending, distinct, counted from the front. */
export function checkAxes(operation: string, axes: readonly number[], rank: number): void {
  axes.forEach((axis, i) => {
    if (!isCount(axis) || axis >= rank) fail('axis', operation, `axis ${axis} is out of range for a tensor of rank ${rank}`);
    if (i > 0 && axis <= axes[i - 1]) fail('axis', operation, `axes must be ascending and distinct, got ${showShape(axes)}`);
  });
}

/** The values as float64; not to be changed, for it may be the array itself. */
export const wide = (values: TypedArray): Float64Array => (values instanceof Float64Array ? values : new Float64Array(values));

/** The values rounded to a dtype. */
export const narrow = (values: Float64Array, dtype: DType): TypedArray => (dtype === 'float64' ? values : encodeArray(dtype, values));
