/** What shape rules have in common: checks of operand counts, dtypes and shapes, with errors that say what was expected and what came. */
import { type DType, isFloating } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { isHalf } from '../core/half.ts';
import { sameShape } from '../core/shape.ts';
import type { TensorType } from '../graph/node.ts';

/** Dtypes an op computes with. Half floats are for storage only. */
export type Accepted = 'floating' | 'number' | 'bool' | 'any';

export const showType = (type: TensorType): string => `${type.dtype} ${showShape(type.shape)}`;

export function checkCount(operation: string, inputs: readonly TensorType[], count: number): void {
  if (inputs.length !== count) fail('argument', operation, `expected ${count} operand${count === 1 ? '' : 's'}, got ${inputs.length}`);
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
  for (const other of inputs) {
    if (other.dtype !== first.dtype) fail('dtype', operation, `operands are ${first.dtype} and ${other.dtype}`, 'Cast them to one dtype.');
    if (!sameShape(other.shape, first.shape))
      fail('shape', operation, `operands have shapes ${showShape(first.shape)} and ${showShape(other.shape)}`, 'Broadcast them to one shape.');
  }
  return first;
}

/** Axes as primitives take them: ascending, distinct, counted from the front. */
export function checkAxes(operation: string, axes: readonly number[], rank: number): void {
  axes.forEach((axis, i) => {
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank) fail('axis', operation, `axis ${axis} is out of range for a tensor of rank ${rank}`);
    if (i > 0 && axis <= axes[i - 1]) fail('axis', operation, `axes must be ascending and distinct, got ${showShape(axes)}`);
  });
}
