/** Copies between arrays seen through strides: the engine room of the movement ops' evaluation. */
import type { TypedArray } from '../core/dtype.ts';
import { type Shape, stridesOf } from '../core/shape.ts';

/** Element i₀, i₁, … lies at offset + Σ iₖ · strides[k]. */
export interface View {
  readonly array: TypedArray;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Rows shorter than this are copied element by element: a call to the engine's block copy costs about as much. */
const blockCopy = 24;

/** Writes every element of `source` to `target`, both of this shape. Strides may be negative; the target's must not overlap. */
export function copyStrided(shape: Shape, source: View, target: View): void {
  if (shape.includes(0)) return;
  const { dims, from, to } = merge(shape, source.strides, target.strides);
  const last = dims.length - 1;
  const walk = (axis: number, a: number, b: number): void => {
    if (axis === last - 1) copyPlane(source.array, target.array, a, b, dims[axis], dims[last], from[axis], to[axis], from[last], to[last]);
    else for (let i = 0; i < dims[axis]; i++) walk(axis + 1, a + i * from[axis], b + i * to[axis]);
  };
  walk(0, source.offset, target.offset);
}

/** Joins neighbouring axes that step through both arrays as one; the result has at least two axes. */
function merge(shape: Shape, sourceStrides: readonly number[], targetStrides: readonly number[]) {
  const dims: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  shape.forEach((d, i) => {
    if (d === 1) return;
    const k = dims.length - 1;
    if (k >= 0 && from[k] === sourceStrides[i] * d && to[k] === targetStrides[i] * d) {
      dims[k] *= d;
      from[k] = sourceStrides[i];
      to[k] = targetStrides[i];
    } else {
      dims.push(d);
      from.push(sourceStrides[i]);
      to.push(targetStrides[i]);
    }
  });
  while (dims.length < 2) {
    dims.unshift(1);
    from.unshift(0);
    to.unshift(0);
  }
  return { dims, from, to };
}

function copyPlane(
  source: TypedArray,
  target: TypedArray,
  a: number,
  b: number,
  rows: number,
  columns: number,
  aRow: number,
  bRow: number,
  aStep: number,
  bStep: number,
): void {
  if (aStep === 1 && bStep === 1 && columns >= blockCopy) {
    for (let i = 0; i < rows; i++, a += aRow, b += bRow) target.set(source.subarray(a, a + columns), b);
    return;
  }
  for (let i = 0; i < rows; i++, a += aRow, b += bRow) {
    for (let j = 0, p = a, q = b; j < columns; j++, p += aStep, q += bStep) target[q] = source[p];
  }
}

/** Fills `out` (row-major, of `shape`) from a source whose strides are 0 along repeated axes. Blocks that repeat are computed once. */
export function copyRepeated(shape: Shape, source: TypedArray, strides: readonly number[], out: TypedArray): void {
  if (out.length === 0) return;
  const { dims, from, to } = merge(shape, strides, stridesOf(shape));
  const last = dims.length - 1;
  const walk = (axis: number, a: number, b: number): void => {
    const count = dims[axis];
    const step = from[axis];
    if (axis === last) {
      if (step === 0) out.fill(source[a], b, b + count);
      else if (step === 1) out.set(source.subarray(a, a + count), b);
      else for (let i = 0; i < count; i++) out[b + i] = source[a + i * step];
    } else if (step === 0) {
      walk(axis + 1, a, b);
      repeat(out, b, to[axis], count);
    } else if (axis === last - 1 && dims[last] < blockCopy) {
      copyPlane(source, out, a, b, count, dims[last], step, to[axis], from[last], 1);
    } else {
      for (let i = 0; i < count; i++) walk(axis + 1, a + i * step, b + i * to[axis]);
    }
  };
  walk(0, 0, 0);
}

/** Copies the block at `start` until there are `count` of it, doubling what is copied. */
function repeat(out: TypedArray, start: number, block: number, count: number): void {
  const total = block * count;
  for (let done = block; done < total; done *= 2) out.copyWithin(start + done, start, start + Math.min(done, total - done));
}
