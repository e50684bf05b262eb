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

/** One loop of a copy: how many steps, and how far each goes in both arrays. */
interface Axis {
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

/** Writes every element of `source` to `target`, both of this shape. Strides may be negative; the target's must not overlap. */
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
  const block = from === 1 && to === 1 && length >= blockCopy;
  for (let i = 0; i < row.length; i++, a += row.from, b += row.to) {
    if (block) target.set(source.subarray(a, a + length), b);
    else for (let j = 0, p = a, q = b; j < length; j++, p += from, q += to) target[q] = source[p];
  }
}

/** Fills `out` (row-major, of `shape`) from a source whose strides are 0 along repeated axes. Blocks that repeat are computed once. */
export function copyRepeated(shape: Shape, source: TypedArray, strides: readonly number[], out: TypedArray): void {
  if (out.length === 0) return;
  const axes = merge(shape, strides, stridesOf(shape));
  const last = axes.length - 1;
  const walk = (k: number, a: number, b: number): void => {
    const { length, from, to } = axes[k];
    if (k === last && from === 0) out.fill(source[a], b, b + length);
    else if (k === last) for (let i = 0; i < length; i++) out[b + i] = source[a + i * from];
    else if (from === 0) {
      walk(k + 1, a, b);
      repeat(out, b, to, length);
    } else if (k === last - 1 && (axes[last].length < blockCopy || axes[last].from === 1)) copyPlane(source, out, a, b, axes[k], axes[last]);
    else for (let i = 0; i < length; i++) walk(k + 1, a + i * from, b + i * to);
  };
  walk(0, 0, 0);
}

/** Copies the block at `start` until there are `count` of it, doubling what is copied. */
function repeat(out: TypedArray, start: number, block: number, count: number): void {
  const total = block * count;
  for (let done = block; done < total; done *= 2) out.copyWithin(start + done, start, start + Math.min(done, total - done));
}
