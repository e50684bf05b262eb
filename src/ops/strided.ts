/** Copies between arrays seen through strides: the engine room of the movement ops' evaluation. */
import { type DType, newArray, type TypedArray } from '../core/dtype.ts';
import { type Shape, sizeOf, stridesOf } from '../core/shape.ts';

/** Element i₀, i₁, … lies at offset + Σ iₖ · strides[k]. */
export interface View {
  readonly array: TypedArray;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Rows shorter than this are copied element by element: a call to the engine's block copy costs about as much. */
const blockCopy = 24;

/** One loop of a copy: how many steps, and how far each goes in both arrays. */
interface Axis {
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

/** Writes every element of `source` to `target`, both of this shape. Strides may be negative, the source's 0; the target's must not overlap. */
export function copyStrided(shape: Shape, source: View, target: View): void {
  if (shape.includes(0)) return;
  const axes = merge(shape, source.strides, target.strides);
  const last = axes.length - 1;
  const walk = (k: number, a: number, b: number): void => {
    const axis = axes[k];
    if (k === last - 1) copyPlane(source.array, target.array, a, b, axis, axes[last]);
    else for (let i = 0; i < axis.length; i++) walk(k + 1, a + i * axis.from, b + i * axis.to);
  };
  walk(0, source.offset, target.offset);
}

/** Joins neighbouring axes that step through both arrays as one; the result has at least two axes. */
function merge(shape: Shape, sourceStrides: readonly number[], targetStrides: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((d, i) => {
    if (d === 1) return;
    const from = sourceStrides[i];
    const to = targetStrides[i];
    const before = axes[axes.length - 1];
    if (before && before.from === from * d && before.to === to * d) axes[axes.length - 1] = { length: before.length * d, from, to };
    else axes.push({ length: d, from, to });
  });
  while (axes.length < 2) axes.unshift({ length: 1, from: 0, to: 0 });
  return axes;
}

function copyPlane(source: TypedArray, target: TypedArray, a: number, b: number, row: Axis, column: Axis): void {
  const { length, from, to } = column;
  const inBlocks = to === 1 && length >= blockCopy;
  for (let i = 0; i < row.length; i++, a += row.from, b += row.to) {
    if (inBlocks && from === 1) target.set(source.subarray(a, a + length), b);
    else if (inBlocks && from === 0) target.fill(source[a], b, b + length);
    else for (let j = 0, p = a, q = b; j < length; j++, p += from, q += to) target[q] = source[p];
  }
}

/** A new array of `shape`, row-major, that reads `x` from `offset` on in steps of `strides` (0 along an axis repeats). */
export function gathered(dtype: DType, shape: Shape, x: TypedArray, strides: readonly number[], offset = 0): TypedArray {
  const out = newArray(dtype, sizeOf(shape));
  copyStrided(shape, { array: x, offset, strides }, { array: out, offset: 0, strides: stridesOf(shape) });
  return out;
}
