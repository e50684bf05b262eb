/** Values for people: nested arrays, and the text of String(tensor). */
import type { TypedArray } from '../core/dtype.ts';
import { type Shape, sizeOf } from '../core/shape.ts';

export type NestedNumbers = number | NestedNumbers[];

/** Row-major values as nested arrays. */
export function nested(values: TypedArray, shape: Shape): NestedNumbers {
  if (shape.length === 0) return values[0];
  const [length, ...rest] = shape;
  const step = sizeOf(rest);
  if (rest.length === 0) return Array.from(values);
  return Array.from({ length }, (_, i) => nested(values.subarray(i * step, (i + 1) * step), rest));
}

/** More elements than this along an axis are cut in the middle, once the tensor has more than `fullSize`. */
const edge = 3;
const fullSize = 200;

export function printed(values: TypedArray, shape: Shape, floating: boolean): string {
  const show = (x: number): string => (floating ? String(Number(x.toPrecision(5))) : String(x));
  const cut = values.length > fullSize;
  const width = cut ? 0 : Math.max(0, ...Array.from(values, (x) => show(x).length));
  const lines = (from: number, axes: Shape, indent: string): string => {
    if (axes.length === 0) return show(values[from]).padStart(width);
    const [length, ...rest] = axes;
    const step = sizeOf(rest);
    const shown = cut && length > 2 * edge ? [0, 1, 2, -1, length - 3, length - 2, length - 1] : Array.from({ length }, (_, i) => i);
    const items = shown.map((i) => (i < 0 ? '…' : lines(from + i * step, rest, `${indent} `)));
    return `[${items.join(rest.length === 0 ? ', ' : `,${'\n'.repeat(rest.length)}${indent} `)}]`;
  };
  return lines(0, shape, '');
}
