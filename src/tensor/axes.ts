/** How functions take axes: a number, several, or an options object; negative ones count from the end. */
import { normalizeAxes, normalizeAxis } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import { permute } from '../ops/build.ts';

export interface AxisOption {
  readonly axis?: number;
}

export interface ReduceOptions {
  /** Axes to reduce; all by default. */
  readonly axis?: number | readonly number[] | undefined;
  /** Keep reduced axes with length 1 (default false). */
  readonly keepDims?: boolean;
}

export type Axis = number | AxisOption;
export type Axes = number | readonly number[] | ReduceOptions;

const isList = (axes: Axes): axes is number | readonly number[] => typeof axes === 'number' || Array.isArray(axes);

export function oneAxis(operation: string, axis: Axis | undefined, rank: number, otherwise: number): number {
  const wanted = typeof axis === 'object' ? axis.axis : axis;
  return normalizeAxis(operation, wanted ?? otherwise, rank);
}

export function severalAxes(operation: string, axes: Axes | undefined, rank: number): { readonly axes: number[]; readonly keepDims: boolean } {
  const options = axes === undefined ? {} : isList(axes) ? { axis: axes } : axes;
  return { axes: normalizeAxes(operation, options.axis, rank), keepDims: options.keepDims ?? false };
}

/** Moves an axis to another place. */
export function moveAxis(x: Node, from: number, to: number): Node {
  const order = x.shape.map((_, i) => i).filter((i) => i !== from);
  order.splice(to, 0, from);
  return permute(x, order);
}
