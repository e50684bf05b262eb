/** Shape algebra: pure functions on lists of dimensions, and what is known of a tensor besides its values. Row-major order throughout. */
import type { DType } from './dtype.ts';
import { fail, showShape } from './errors.ts';

export type Shape = readonly number[];

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, d) => product * d, 1);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);
export const sameType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

/** "float32 [2, 3]" */
export const showType = (type: TensorType): string => `${type.dtype} ${showShape(type.shape)}`;

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** The common shape of two by the broadcasting rule (right-aligned; 1 stretches), or undefined. */
export function tryBroadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out[i] = x === 1 ? y : x;
  }
  return out;
}

export function broadcastShapes(operation: string, a: Shape, b: Shape): Shape {
  const hint = 'Dimensions must be equal or 1, counted from the right.';
  return tryBroadcast(a, b) ?? fail('shape', operation, `shapes ${showShape(a)} and ${showShape(b)} do not broadcast`, hint);
}

/** An axis in 0 … rank−1 from one that may count from the end. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    fail('axis', operation, `axis ${axis} is out of range for a tensor of rank ${rank}`, rank === 0 ? 'A scalar has no axes.' : `Use ${-rank} … ${rank - 1}.`);
  }
  return normal;
}

/** Sorted distinct axes; undefined means all. */
export function normalizeAxes(operation: string, axis: number | readonly number[] | undefined, rank: number): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const axes = (typeof axis === 'number' ? [axis] : axis).map((a) => normalizeAxis(operation, a, rank));
  if (new Set(axes).size !== axes.length) fail('axis', operation, `axis ${showShape(axes)} names a dimension twice`);
  return axes.sort((x, y) => x - y);
}

/** The shape without some axes. */
export const dropAxes = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, i) => !axes.includes(i));

/** The shape with some axes set to 1. */
export const keepAxes = (shape: Shape, axes: readonly number[]): number[] => shape.map((d, i) => (axes.includes(i) ? 1 : d));

export function checkShape(operation: string, shape: Shape): void {
  if (!Array.isArray(shape)) fail('shape', operation, `expected a shape such as [2, 3], got ${String(shape)}`);
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) fail('shape', operation, `a shape holds whole numbers ≥ 0, got ${showShape(shape)}`);
  }
}
