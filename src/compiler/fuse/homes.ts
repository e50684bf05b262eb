/**
 * Which values are kept in memory, and where. Everything else is computed where it is used: a value is kept when an output or an op with a schedule of
 * its own needs it, when it is a reduction, or when computing it again in every consumer would cost more than a round trip through the cache.
 */
import { sizeOf } from '../../core/shape.ts';
import type { WindowGeometry } from '../../graph/attributes.ts';
import { isOp, type Node, topologicalOrder } from '../../graph/node.ts';
import { opOf } from '../../ops/registry.ts';
import type { Home } from '../lower/group.ts';

export interface Homes {
  /** Destinations of every kept value, in topological order of the values. */
  readonly kept: ReadonlyMap<Node, readonly Home[]>;
  readonly homeOf: (node: Node) => Home | undefined;
  /** As homeOf for the kernel that computes `members`: they are not in memory yet, unless they are only copied from there. */
  readonly homeInside: (node: Node, members: ReadonlySet<Node>) => Home | undefined;
  /** Buffers whose elements outside the written windows must be zero. */
  readonly zeroed: ReadonlySet<Node>;
}

const cheap = 0.5;
const weights: Partial<Record<Node['op'], number>> = {
  div: 4,
  sqrt: 4,
  rsqrt: 6,
  reciprocal: 4,
  exp: 12,
  log: 12,
  tanh: 16,
  sigmoid: 16,
  sin: 14,
  cos: 14,
  pow: 40,
  erf: 40,
  log1p: 40,
  expm1: 40,
  tan: 40,
  mod: 20,
  randomBits: 70,
};
const keepAbove = 14;
/** More ways to one value are not counted. */
const mostWays = 32;

/** Ops that are evaluated by a schedule of their own and always own their result. */
export const hasOwnSchedule = (node: Node): boolean => {
  const { kind } = opOf(node);
  return kind === 'contraction' || kind === 'sequential' || kind === 'loop' || node.op === 'scatterAdd';
};

/** Reshapes share their input's memory. */
export const throughReshape = (node: Node): Node => (node.op === 'reshape' ? throughReshape(node.inputs[0]) : node);

/** The value that a chain of index renamings starts from. */
export function throughMovement(node: Node, stop: ReadonlySet<Node>): Node {
  let at = node;
  while (!stop.has(at) && (at.op === 'reshape' || at.op === 'permute' || at.op === 'broadcast' || at.op === 'slice' || at.op === 'flip')) at = at.inputs[0];
  return at;
}

export function chooseHomes(outputs: readonly Node[], forced: ReadonlySet<Node>, fusion: boolean): Homes {
  const order = topologicalOrder(outputs);
  const kept = new Map<Node, Home[]>();
  const owners = new Set<Node>();
  const zeroed = new Set<Node>();
  const keep = (value: Node): void => {
    if (owners.has(value) || value.op === 'leaf') return;
    owners.add(value);
    if (isOp(value, 'pad') && value.attributes.value === 0) {
      const { padding } = value.attributes;
      zeroed.add(value);
      addHome(kept, value.inputs[0], { buffer: value, start: padding.map(([low]) => low) });
    } else if (isOp(value, 'concat')) {
      const { axis } = value.attributes;
      let offset = 0;
      for (const piece of value.inputs) {
        if (sizeOf(piece.shape) > 0) addHome(kept, piece, { buffer: value, start: value.shape.map((_, i) => (i === axis ? offset : 0)) });
        offset += piece.shape[axis];
      }
    } else addHome(kept, value, { buffer: value, start: undefined });
  };
  const seenOutputs = new Set<Node>();
  for (const output of outputs) {
    const root = throughReshape(output);
    const own = root.op === 'leaf' || seenOutputs.has(root) ? output : root;
    if (own.op === 'leaf') throw new Error('chooseHomes: an output that is an input must be copied by an explicit node');
    keep(own);
    seenOutputs.add(own);
  }
  for (const node of order) {
    if (forced.has(node) || (hasOwnSchedule(node) && node.op !== 'scan') || node.op === 'concat' || opOf(node).kind === 'reduction') keep(node);
    if (hasOwnSchedule(node) && node.op !== 'part') for (const input of node.inputs) keep(throughMovement(input, forced));
    if (!fusion && opOf(node).kind !== 'movement' && opOf(node).kind !== 'leaf') keep(node);
  }
  keepDear(order, kept, owners, keep);
  const homeOf = (node: Node): Home | undefined => {
    if (node.op === 'leaf' || owners.has(node)) return { buffer: node, start: undefined };
    const homes = kept.get(node);
    if (homes) return homes[0];
    if (node.op === 'reshape') {
      const home = homeOf(node.inputs[0]);
      return home && home.start === undefined ? home : undefined;
    }
    return undefined;
  };
  // Leaves, and what is filled window by window, can be members only as the source of a copy.
  const isSource = (node: Node): boolean => node.op === 'leaf' || (owners.has(node) && (node.op === 'concat' || zeroed.has(node)));
  const homeInside = (node: Node, members: ReadonlySet<Node>): Home | undefined => {
    const computedHere = (value: Node): boolean => members.has(value) && !isSource(value);
    return computedHere(node) || (!owners.has(node) && computedHere(throughReshape(node))) ? undefined : homeOf(node);
  };
  const sorted = new Map([...kept].sort((a, b) => a[0].id - b[0].id));
  return { kept: sorted, homeOf, homeInside, zeroed };
}

function addHome(kept: Map<Node, Home[]>, value: Node, home: Home): void {
  const homes = kept.get(value);
  if (homes) homes.push(home);
  else kept.set(value, [home]);
}

/** Keeps elementwise values that several kept values would compute again at a price, and rows that a broadcast would compute again for every element. */
function keepDear(order: readonly Node[], kept: ReadonlyMap<Node, unknown>, owners: ReadonlySet<Node>, keep: (value: Node) => void): void {
  const isKept = (node: Node): boolean => node.op === 'leaf' || owners.has(node) || kept.has(node);
  // What it takes to compute a value from kept ones: every needed node once, every kept value loaded once. A row that is read again and again stays in the first cache.
  const needs = new Map<Node, Map<Node, number>>();
  const loadCost = (node: Node): number => (sizeOf(node.shape) > 4096 ? 1 : 0.5);
  const needsOf = (node: Node): Map<Node, number> => (isKept(node) ? new Map([[node, loadCost(node)]]) : (needs.get(node) ?? new Map()));
  const costOf = (node: Node): number => {
    let sum = 0;
    for (const weight of needsOf(node).values()) sum += weight;
    return sum;
  };
  for (const node of order) {
    const { kind } = opOf(node);
    const all = new Map<Node, number>();
    if (node.op === 'broadcast' && sizeOf(node.shape) >= 4 * sizeOf(node.inputs[0].shape)) {
      const base = throughReshape(node.inputs[0]);
      if (!isKept(base) && costOf(base) >= 3 && opOf(base).kind !== 'movement') keep(base);
    }
    if (kind === 'window') {
      const { size, stride } = node.attributes as WindowGeometry;
      // Overlapping windows read every element several times.
      const times = size.reduce((p, s, i) => p * (s / stride[i]), 1);
      for (const input of node.inputs) if ((times - 1) * (costOf(input) - 1) > keepAbove && opOf(input).kind === 'elementwise') keep(input);
      const inputs = node.inputs.reduce((sum, x) => sum + costOf(x), 0);
      const covering = size.reduce((p, s, i) => p * Math.ceil(s / stride[i]), 1);
      const adjoint = node.op === 'windowPlace' || node.op === 'windowSpread';
      // Neighbouring outputs share what they compute of a window when windows do not overlap.
      all.set(node, adjoint ? (covering === 1 ? inputs / sizeOf(size) : inputs * covering) + covering : sizeOf(size) * (inputs + 1));
    } else if (node.op !== 'constant' && node.op !== 'iota') {
      for (const input of node.inputs) for (const [x, weight] of needsOf(input)) if (all.size < 200) all.set(x, weight);
      if (kind !== 'movement') all.set(node, weights[node.op] ?? cheap);
      // A shifted value is loaded anew, at a border lane by lane.
      else if (node.op === 'slice' || node.op === 'pad') all.set(node, node.op === 'pad' ? 2 : 1);
    }
    needs.set(node, all);
  }
  // Consumers first: how often would this value be computed again? Once for every kept value that needs it and, within one, for every way in which its
  // elements are renamed on the way there (shifted by slices and pads, say); a slice needs only its part of them.
  const users = new Map<Node, Map<string, number>>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const ways = users.get(node) ?? new Map<string, number>();
    const times = [...ways.values()].reduce((sum, share) => sum + share, 0);
    if (!isKept(node) && opOf(node).kind !== 'movement' && times > 1 && (costOf(node) - 1) * (times - 1) > keepAbove) keep(node);
    const renames = opOf(node).kind === 'movement' && node.op !== 'reshape' && node.op !== 'broadcast';
    for (const input of node.inputs) {
      const known = users.get(input) ?? new Map<string, number>();
      const share = Math.min(1, sizeOf(node.shape) / Math.max(1, sizeOf(input.shape)));
      if (isKept(node)) known.set(`${node.id}`, 1);
      else for (const [way, part] of ways) if (known.size < mostWays) known.set(renames ? `${way} ${node.id}` : way, renames ? part * share : part);
      users.set(input, known);
    }
  }
}
