/**
 * A group: nodes computed by one loop nest over a common iteration space. Its members are reductions over the group's axes, full maps (one value
 * per point of the space) and row maps (one value per point of the space without the axes). Fusion makes groups, nest.ts lowers them.
 */
import { dropAxes, type Shape, sizeOf } from '../../core/shape.ts';
import type { Node } from '../../graph/node.ts';
import { opOf } from '../../ops/registry.ts';
import { flatten, type Index, unflatten } from './affine.ts';

export interface Group {
  readonly space: Shape;
  /** Axes of the space that are folded away; none for pure maps. */
  readonly axes: readonly number[];
  /** In topological order. */
  readonly members: readonly Node[];
}

/** Where a value is kept: row-major in a buffer of its own shape, or as a window of a larger one (inside a padded or concatenated tensor). */
export interface Home {
  /** The node that owns the memory. */
  readonly buffer: Node;
  /** First element of the window along each dimension of the buffer; undefined: the whole buffer, row-major in the value's shape. */
  readonly start: readonly number[] | undefined;
}

/** Flat index into a home's buffer of the element of a value of this shape. */
export function homeIndex(home: Home, shape: Shape, index: readonly Index[]): Index {
  const { start } = home;
  return start
    ? flatten(
        index.map((x, i) => x.add(start[i])),
        home.buffer.shape,
      )
    : flatten(index, shape);
}

export const rowShape = (group: Group): number[] => dropAxes(group.space, group.axes);

export type Role = 'reduce' | 'full' | 'row';

export const reducedAxes = (node: Node): readonly number[] => {
  const attributes = node.attributes as { axes?: readonly number[]; axis?: number };
  return attributes.axes ?? [attributes.axis ?? 0];
};

export const isReduction = (node: Node): boolean => opOf(node).kind === 'reduction';

export function roleIn(group: Group, node: Node): Role {
  if (isReduction(node)) return 'reduce';
  if (group.axes.length === 0 || sizeOf(node.shape) !== sizeOf(rowShape(group)) || sizeOf(rowShape(group)) === sizeOf(group.space)) return 'full';
  return 'row';
}

/** Where a member's value lies for a point of the space (the space's index, one entry per dimension). */
export function memberIndex(group: Group, node: Node, role: Role, point: readonly Index[]): Index[] {
  if (role === 'full') return reindex(point, group.space, node.shape);
  const row = point.filter((_, i) => !group.axes.includes(i));
  return reindex(row, rowShape(group), node.shape);
}

/** The index of the same element in another shape of the same size. */
export const reindex = (index: readonly Index[], from: Shape, to: Shape): Index[] =>
  from.length === to.length && from.every((d, i) => d === to[i]) ? [...index] : unflatten(flatten(index, from), to);
