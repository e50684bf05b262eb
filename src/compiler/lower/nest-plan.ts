/**
 * The loops of a group, decided from the addresses its members touch: dimensions are split where addresses divide them (pooling windows, reshapes),
 * neighbours are merged where memory is contiguous, one loop is vectorised, one is divided over threads.
 */
import { sizeOf } from '../../core/shape.ts';
import type { Node } from '../../graph/node.ts';
import type { Target } from '../../ir/ir.ts';
import { Index, type LoopVar, loopVar } from './affine.ts';
import { Builder } from './builder.ts';
import { Emitter } from './emit.ts';
import { type Group, type Home, homeIndex, memberIndex, type Role, roleIn } from './group.ts';

export interface Loop {
  readonly variable: LoopVar;
  readonly axis: number;
  readonly reduced: boolean;
  /** Written out once per value, so that values shared by the turns are computed once. */
  readonly unrolled: boolean;
}

export interface Access {
  readonly buffer: Node | null;
  readonly flat: Index;
  readonly store: boolean;
}

export interface Plan {
  readonly loops: readonly Loop[];
  /** Index along each dimension of the space, in loop variables. */
  readonly point: readonly Index[];
  readonly vector: Loop | null;
  /** The loop whose range is divided over threads; undefined: one unit. */
  readonly units: Loop | undefined;
  /** Units are blocks of this many turns of the units loop. */
  readonly block: number;
  readonly accesses: readonly Access[];
  readonly operations: number;
}

/** Where members' values go; members without an entry stay in registers. */
export type Stores = ReadonlyMap<Node, readonly Home[]>;

type HomeInside = (node: Node, members: ReadonlySet<Node>) => Home | undefined;

interface Draft {
  loops: Loop[];
  point: Index[];
}

const blockElements = 2048;

export function planNest(group: Group, stores: Stores, homeInside: HomeInside, target: Target, batches: ReadonlySet<number>): Plan {
  let draft = initial(group);
  let seen = observe(group, stores, homeInside, draft);
  for (let turn = 0; turn < 12; turn++) {
    const next = splitOnce(draft, seen.accesses);
    if (!next) break;
    draft = next;
    seen = observe(group, stores, homeInside, draft);
  }
  const batched = group.space.length > 1 && batches.has(group.space[0]) && !group.axes.includes(0) && draft.loops.filter((l) => l.axis === 0).length === 1;
  const merged = coalesce(draft, seen.accesses, batched);
  // A merge is right when the merged loops touch what the separate ones do; a reshape between two views can make that false.
  const again = merged.loops.length === draft.loops.length ? seen : observe(group, stores, homeInside, merged);
  if (again.accesses.length === merged.accesses.length && again.accesses.every(({ flat }, i) => flat.key === merged.accesses[i].flat.key)) {
    draft = merged;
    seen = { ...seen, accesses: merged.accesses };
  }
  const vector = chooseVector(group, draft.loops, seen.accesses, target);
  const loops = draft.loops.map((l) => (vector && l.variable === vector.variable ? { ...l, unrolled: false } : l));
  const vectorLoop = vector ? (loops.find((l) => l.variable === vector.variable) ?? null) : null;
  const units = loops.find((l) => !l.reduced && !l.unrolled && l.variable.extent > 1);
  const flatUnits = units !== undefined && units === vectorLoop;
  return { loops, point: draft.point, vector: vectorLoop, units, block: flatUnits ? blockElements : 1, accesses: seen.accesses, operations: seen.operations };
}

function initial(group: Group): Draft {
  const loops = group.space.map(
    (extent, axis): Loop => ({ variable: loopVar('i', Math.max(1, extent)), axis, reduced: group.axes.includes(axis), unrolled: false }),
  );
  return { loops, point: loops.map((l) => (l.variable.extent === 1 ? Index.of(0) : Index.of(l.variable))) };
}

/** Emits the group into nothing, to learn what it touches. */
function observe(group: Group, stores: Stores, homeInside: HomeInside, draft: Draft): { accesses: readonly Access[]; operations: number } {
  const accesses: Access[] = [];
  const builder = new Builder({ dry: true });
  const members = new Set(group.members);
  const reduced = new Map<Node, boolean>();
  const emitter = new Emitter({
    builder,
    vector: null,
    homeOf: (node) => homeInside(node, members),
    inRegister: (node) => (reduced.has(node) ? { kind: 'var', type: { scalar: 'f32', lanes: 1 }, name: `r${node.id}` } : undefined),
    onAccess: (buffer, flat) => accesses.push({ buffer, flat, store: false }),
  });
  for (const node of group.members) {
    const role: Role = roleIn(group, node);
    if (role === 'reduce') {
      emitter.value(node.inputs[0], draft.point);
      reduced.set(node, true);
    } else emitter.value(node, memberIndex(group, node, role, draft.point));
    for (const home of stores.get(node) ?? []) {
      accesses.push({
        buffer: home.buffer,
        flat: homeIndex(home, node.shape, memberIndex(group, node, role === 'full' ? 'full' : 'row', draft.point)),
        store: true,
      });
    }
  }
  return { accesses, operations: builder.operations };
}

/** Splits one loop whose variable is divided somewhere: i becomes c · outer + inner. */
function splitOnce(draft: Draft, accesses: readonly Access[]): Draft | undefined {
  for (const { flat } of accesses) {
    for (const { of, by } of flat.divisions()) {
      if (of.terms.length !== 1 || of.constant !== 0 || of.terms[0].coefficient !== 1) continue;
      const { atom } = of.terms[0];
      if (atom.kind !== 'loop' || atom.extent % by !== 0 || by >= atom.extent) continue;
      const position = draft.loops.findIndex((l) => l.variable === atom);
      if (position < 0) continue;
      const loop = draft.loops[position];
      const outer = loopVar('i', atom.extent / by);
      const inner = loopVar('i', by);
      const loops = [...draft.loops];
      loops.splice(position, 1, { ...loop, variable: outer }, { ...loop, variable: inner, unrolled: by <= 4 });
      const split = Index.of(outer).scale(by).add(Index.of(inner));
      const point = draft.point.map((index) => index.substitute(atom, split));
      return { loops, point };
    }
  }
  return undefined;
}

/** Merges neighbouring loops that walk memory as one would. The batch loop stays alone, so that kernels can be aligned on it. */
function coalesce(draft: Draft, touched: readonly Access[], keepFirst: boolean): Draft & { accesses: readonly Access[] } {
  let accesses = touched;
  let { loops, point } = draft;
  for (let i = loops.length - 2; i >= (keepFirst ? 1 : 0); i--) {
    const [outer, inner] = [loops[i], loops[i + 1]];
    if (outer.reduced !== inner.reduced || outer.unrolled || inner.unrolled) continue;
    const trivial = outer.variable.extent === 1 || inner.variable.extent === 1;
    const mergeable = accesses.every(
      ({ flat }) =>
        trivial ||
        (!flat.hides(outer.variable) &&
          !flat.hides(inner.variable) &&
          flat.coefficientOf(outer.variable) === flat.coefficientOf(inner.variable) * inner.variable.extent),
    );
    if (!mergeable) continue;
    // The merged variable takes the inner one's place and runs on; the outer one stands at 0. A loop of one turn simply disappears.
    const merged = trivial ? (outer.variable.extent === 1 ? inner.variable : outer.variable) : loopVar('i', outer.variable.extent * inner.variable.extent);
    const next = loops.slice();
    next.splice(i, 2, { ...inner, variable: merged });
    loops = next;
    if (trivial) continue;
    const renamed = (index: Index): Index => index.substitute(outer.variable, Index.of(0)).substitute(inner.variable, Index.of(merged));
    point = point.map(renamed);
    accesses = accesses.map((access) => ({ ...access, flat: renamed(access.flat) }));
  }
  return { loops, point, accesses };
}

function chooseVector(group: Group, loops: readonly Loop[], accesses: readonly Access[], target: Target): Loop | null {
  if (target.lanes === 1 || sizeOf(group.space) < 4) return null;
  const scalarFold = group.members.some((n) => n.op === 'argMax' || n.op === 'argMin');
  let best: Loop | null = null;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const loop of loops) {
    const { variable } = loop;
    if (variable.extent < 2 || (loop.reduced && scalarFold)) continue;
    let score = 0;
    for (const { flat, store, buffer } of accesses) {
      const coefficient = flat.coefficientOf(variable);
      if (flat.hides(variable)) score -= store ? 24 : 6;
      else if (coefficient === 1) score += store ? 4 : 2;
      else if (coefficient === 0) score += 1;
      else score -= buffer === null ? 0 : store ? 6 : 4;
    }
    if (variable.extent < target.lanes / 2) score -= 4;
    if (loop.unrolled) score -= 3;
    if (score >= bestScore) [best, bestScore] = [loop, score];
  }
  return best;
}
