/**
 * Fusion: kept values become members of groups, each computed by one kernel. A value joins a group when it can use the group's values where they are
 * in registers, or reads the same memory; never when something outside the group would have to run in between.
 */
import { type Shape, sameShape, sizeOf } from '../../core/shape.ts';
import type { Node } from '../../graph/node.ts';
import { flatten, Index, loopVar } from '../lower/affine.ts';
import { Builder } from '../lower/builder.ts';
import { Emitter } from '../lower/emit.ts';
import { type Group, type Home, isReduction, memberIndex, reducedAxes, roleIn, rowShape } from '../lower/group.ts';
import { dependenciesFirst } from '../tasks.ts';
import { type Homes, hasOwnSchedule, throughMovement } from './homes.ts';

/** What becomes one kernel (or, for loops and sorts, a few). */
export interface Item {
  /** The op with a schedule of its own; its members are then the epilogue. */
  readonly core: Node | undefined;
  group: Group;
  /** Where members' values go; filled at the end. */
  stores: Map<Node, readonly Home[]>;
  /** Buffers it reads. */
  readonly reads: Set<Node>;
  /** Items that must run before it. */
  readonly after: Set<Item>;
}

const maxMembers = 24;
const maxRow = 16384;
const smallSpace = 32768;

export function fuse(homes: Homes, outputs: readonly Node[], forced: ReadonlySet<Node>, fusion: boolean): Item[] {
  const items: Item[] = [];
  const newItem = (core: Node | undefined, group: Group): Item => {
    const item: Item = { core, group, stores: new Map(), reads: new Set(), after: new Set() };
    items.push(item);
    return item;
  };
  /** Who writes (parts of) a buffer. */
  const writers = new Map<Node, Item[]>();
  const place = (item: Item, value: Node, reads: ReadonlySet<Node>): void => {
    const before = new Set<Item>();
    for (const buffer of reads) {
      item.reads.add(buffer);
      for (const writer of writers.get(buffer) ?? []) if (writer !== item) for (const x of [writer, ...writer.after]) before.add(x);
    }
    for (const other of [item, ...items.filter((x) => x.after.has(item))]) for (const x of before) other.after.add(x);
    for (const home of homes.kept.get(value) ?? []) writers.set(home.buffer, [...(writers.get(home.buffer) ?? []), item]);
  };
  for (const value of homes.kept.keys()) {
    if (value.op === 'part') {
      const scan = value.inputs[0];
      const item = items.find((x) => x.core === scan) ?? newItem(scan, { space: [], axes: [], members: [scan] });
      item.group = { ...item.group, members: [...item.group.members, value] };
      place(item, value, new Set(scan.inputs.flatMap((input) => homes.homeOf(input)?.buffer ?? [])));
      continue;
    }
    if (hasOwnSchedule(value)) {
      const reads = value.inputs.flatMap((input) => homes.homeOf(throughMovement(input, forced))?.buffer ?? []);
      place(newItem(value, { space: value.shape, axes: [], members: [value] }), value, new Set(reads));
      continue;
    }
    const joined = fusion ? findGroup(value, items, homes, writers) : undefined;
    if (joined) {
      joined.item.group = joined.group;
      place(joined.item, value, joined.reads);
      continue;
    }
    const group: Group = isReduction(value)
      ? { space: value.inputs[0].shape, axes: reducedAxes(value), members: [value] }
      : { space: value.shape, axes: [], members: [value] };
    place(newItem(undefined, group), value, probe({ ...group, members: [] }, value, homes).reads);
  }
  settleStores(items, homes, outputs);
  return dependenciesFirst(items);
}

interface Join {
  readonly item: Item;
  readonly group: Group;
  readonly reads: ReadonlySet<Node>;
}

function findGroup(value: Node, items: readonly Item[], homes: Homes, writers: ReadonlyMap<Node, readonly Item[]>): Join | undefined {
  const limit = Math.max(0, items.length - 64);
  for (let i = items.length - 1; i >= limit; i--) {
    const item = items[i];
    if (item.group.members.length >= maxMembers) continue;
    const group = joinedGroup(item, value);
    if (!group) continue;
    const { ok, hits, reads } = probe(group, value, homes);
    if (!ok) continue;
    let legal = true;
    for (const buffer of reads) for (const writer of writers.get(buffer) ?? []) if (writer === item || writer.after.has(item)) legal = false;
    if (!legal || !worthwhile(item, group, value, hits, reads)) continue;
    return { item, group: { ...group, members: [...group.members, value] }, reads };
  }
  return undefined;
}

/** The item's group, widened so that `value` could be a member; undefined when their spaces do not fit. */
function joinedGroup(item: Item, value: Node): Group | undefined {
  const { group } = item;
  const size = sizeOf(value.shape);
  if (item.core) {
    const kind = item.core.op;
    const epilogue = (kind === 'contract' || kind === 'conv') && !isReduction(value) && size === sizeOf(group.space) && sameTrailing(value.shape, group.space);
    return epilogue ? group : undefined;
  }
  if (!isReduction(value)) {
    if (size === sizeOf(group.space)) return group;
    return group.axes.length > 0 && size === sizeOf(rowShape(group)) ? group : undefined;
  }
  const space = value.inputs[0].shape;
  const axes = reducedAxes(value);
  if (group.axes.length > 0) return sameShape(space, group.space) && sameShape(axes, group.axes) ? group : undefined;
  const rows = space.filter((_, i) => !axes.includes(i));
  if (sizeOf(rows) < 8 && sizeOf(space) > smallSpace) return undefined;
  if (sameShape(space, group.space) || (sizeOf(space) === sizeOf(group.space) && group.members.every((n) => sizeOf(n.shape) === sizeOf(space))))
    return { ...group, space, axes };
  if (sizeOf(group.space) === sizeOf(rows) && sizeOf(rows) < sizeOf(space)) return { space, axes, members: group.members };
  return undefined;
}

/** Rows that end together: the value's last dimension fits a whole number of times into the space's. */
const sameTrailing = (a: Shape, b: Shape): boolean => b[b.length - 1] % a[a.length - 1] === 0;

/** Emits a value into nothing as a member of a group: what it reads, which members it uses, and whether it uses them only in place. */
function probe(group: Group, value: Node, homes: Homes): { ok: boolean; hits: Set<Node>; reads: Set<Node> } {
  const point = group.space.map((extent) => (extent <= 1 ? Index.of(0) : Index.of(loopVar('j', extent))));
  const reads = new Set<Node>();
  const hits = new Set<Node>();
  let ok = true;
  const members = new Set(group.members);
  const inside = new Set([...members, value]);
  const emitter = new Emitter({
    builder: new Builder({ dry: true }),
    vector: null,
    homeOf: (node) => homes.homeInside(node, inside),
    inRegister: (node, index) => {
      if (!members.has(node) || homes.homeInside(node, inside)) return undefined;
      hits.add(node);
      const own = memberIndex(group, node, roleIn(group, node) === 'full' ? 'full' : 'row', point);
      if (flatten(own, node.shape).key !== flatten(index, node.shape).key) ok = false;
      return { kind: 'var', type: { scalar: node.dtype === 'bool' ? 'bool' : 'f32', lanes: 1 }, name: 'held' };
    },
    onAccess: (buffer) => {
      if (buffer) reads.add(buffer);
    },
  });
  const role = roleIn(group, value);
  if (role === 'reduce') emitter.value(value.inputs[0], point);
  else emitter.value(value, memberIndex(group, value, role, point));
  return { ok, hits, reads };
}

function worthwhile(item: Item, group: Group, value: Node, hits: ReadonlySet<Node>, reads: ReadonlySet<Node>): boolean {
  if (item.core) return hits.has(item.core);
  const role = roleIn(group, value);
  // A later phase over the same row: the row must be contiguous and fit the first cache, and there must be rows enough to share among threads.
  const later = role !== 'row' && [...hits].some((n) => isReduction(n));
  if (later) {
    const rows = sizeOf(rowShape(group));
    const inner = sizeOf(group.space) / Math.max(1, rows);
    const trailing = group.axes.every((a, i) => a === group.space.length - group.axes.length + i);
    if (!trailing || inner > maxRow || (rows < 8 && sizeOf(group.space) > smallSpace)) return false;
  }
  if (hits.size > 0) return true;
  // Side by side: worth it when they read the same memory at the same pace, or when both are tiny.
  const alike = role !== 'full' || group.members.some((n) => sameShape(n.shape, value.shape));
  const shared = alike && [...reads].some((buffer) => item.reads.has(buffer) && sizeOf(buffer.shape) * 2 > sizeOf(group.space));
  const tiny = sizeOf(group.space) <= 256 && role !== 'reduce' && sameShape(group.space, value.shape);
  return (shared && (role !== 'full' || group.axes.length === 0 || sizeOf(rowShape(group)) >= 8)) || tiny;
}

/** Values that only their own group uses are not written to memory. */
function settleStores(items: readonly Item[], homes: Homes, outputs: readonly Node[]): void {
  const wanted = new Set<Node>();
  for (const item of items) for (const buffer of item.reads) wanted.add(buffer);
  for (const output of outputs) {
    const home = homes.homeOf(output);
    if (home) wanted.add(home.buffer);
  }
  for (const item of items) {
    for (const member of item.group.members) {
      const stores = (homes.kept.get(member) ?? []).filter((home) => wanted.has(home.buffer));
      if (stores.length > 0) item.stores.set(member, stores);
    }
  }
}
