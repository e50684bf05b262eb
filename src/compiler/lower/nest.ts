/**
 * Lowers a group to a kernel: loops over rows, and inside a row, level by level, reductions and maps. Covers maps, column and row reductions,
 * softmax-like rows and pooling with one schedule. Sums run in an order that the shapes alone decide.
 */
import { sizeOf } from '../../core/shape.ts';
import type { Node } from '../../graph/node.ts';
import type { Expr, IrOp, Kernel, Target, Type } from '../../ir/ir.ts';
import { unitsFrom, unitsTo } from '../../ir/ir.ts';
import { Index, resetLoopVars } from './affine.ts';
import { Builder, boolType, constantOf, i32Type, indexConstant, indexMin, indexMul, indexRemainder, indexSub, operation, scalarOf } from './builder.ts';
import { Emitter } from './emit.ts';
import { type Group, type Home, homeIndex, memberIndex, type Role, roleIn, rowShape } from './group.ts';
import { type Loop, type Plan, planNest, type Stores } from './nest-plan.ts';

export interface Lowered {
  readonly kernel: Kernel;
  /** Buffers in the order of the kernel's parameters. */
  readonly buffers: readonly { readonly node: Node; readonly written: boolean }[];
  readonly units: number;
  /** A call should get at least this many units, or it wastes its tile. */
  readonly callUnits: number;
  /** Buffers that unit u touches only in the u-th of `units` equal parts. */
  readonly aligned: ReadonlySet<Node>;
  /** Whether `read` is only read at elements where the same turn then writes `written`: then both may be the same memory. */
  readonly samePlace: (read: Node, written: Node) => boolean;
}

export interface LowerContext {
  readonly target: Target;
  readonly homeInside: (node: Node, members: ReadonlySet<Node>) => Home | undefined;
  readonly stores: Stores;
  /** Leading dimensions that mark a batch (or its chunks): kernels over them are divided along it. */
  readonly batches: ReadonlySet<number>;
}

interface Fold {
  readonly combine: IrOp;
  readonly horizontal: IrOp;
  readonly neutral: number;
}

const folds: Partial<Record<Node['op'], Fold>> = {
  sum: { combine: 'add', horizontal: 'foldAdd', neutral: 0 },
  prod: { combine: 'mul', horizontal: 'foldMul', neutral: 1 },
  max: { combine: 'maximum', horizontal: 'foldMax', neutral: Number.NEGATIVE_INFINITY },
  min: { combine: 'minimum', horizontal: 'foldMin', neutral: Number.POSITIVE_INFINITY },
};

/** The number as a constant of the type: infinities are the limits of whole numbers. */
function limited(value: number, type: Type): Expr {
  const limits: Partial<Record<Type['scalar'], [number, number]>> = { i32: [-2147483648, 2147483647], u8: [0, 255], bool: [0, 1] };
  const range = limits[type.scalar];
  return constantOf(type, range && !Number.isFinite(value) ? range[value < 0 ? 0 : 1] : value);
}

/** Which phase a value belongs to: one more than the deepest reduction it needs. */
function levelsOf(group: Group): Map<Node, number> {
  const members = new Set(group.members);
  const memo = new Map<Node, number>();
  const visit = (node: Node): number => {
    const known = memo.get(node);
    if (known !== undefined) return known;
    let level = 0;
    for (const input of node.inputs) level = Math.max(level, visit(input) + (members.has(input) && roleIn(group, input) === 'reduce' ? 1 : 0));
    memo.set(node, level);
    return level;
  };
  return new Map(group.members.map((node) => [node, visit(node)]));
}

class NestLowering {
  private readonly b = new Builder();
  private readonly members: ReadonlySet<Node>;
  private readonly levels: Map<Node, number>;
  private readonly registers = new Map<Node, Expr>();
  private readonly group: Group;
  private readonly context: LowerContext;
  private readonly plan: Plan;
  private readonly lanes: number;
  /** Stores of the row at hand: they happen when everything is loaded, so that an input may be overwritten in place. */
  private waiting: (() => void)[] = [];
  /** Loops that stand at a fixed value while code is written out. */
  private fixed = new Map<Loop, Index>();

  constructor(group: Group, context: LowerContext) {
    this.group = group;
    this.context = context;
    this.members = new Set(group.members);
    this.levels = levelsOf(group);
    this.plan = planNest(group, context.stores, context.homeInside, context.target, context.batches);
    this.lanes = this.plan.vector ? context.target.lanes : 1;
  }

  private emitter(count: number | undefined): Emitter {
    const { vector } = this.plan;
    return new Emitter({
      builder: this.b,
      vector: vector ? { along: vector.variable, lanes: this.lanes, ...(count === undefined ? {} : { count: indexConstant(count) }) } : null,
      homeOf: (node) => this.context.homeInside(node, this.members),
      inRegister: (node) => this.registers.get(node),
    });
  }

  private point(): Index[] {
    return this.plan.point.map((index) => [...this.fixed].reduce((at, [loop, value]) => at.substitute(loop.variable, value), index));
  }

  /** All combinations of the written-out loops among `loops`. */
  private unrolled(loops: readonly Loop[], make: () => void): void {
    const [first, ...rest] = loops;
    if (!first) {
      make();
      return;
    }
    for (let value = 0; value < first.variable.extent; value++) {
      this.fixed.set(first, Index.of(value));
      this.unrolled(rest, make);
    }
    this.fixed.delete(first);
  }

  private serial(loops: readonly Loop[], make: () => void): void {
    const [first, ...rest] = loops;
    if (!first) make();
    else this.b.loop(first.variable.name, indexConstant(0), indexConstant(first.variable.extent), 1, () => this.serial(rest, make));
  }

  /** Walks the vector loop over `range` (by default from `done` to its end) in blocks of lanes, then its tail. */
  private vectorised(loop: Loop, range: { from: Expr; to: Expr } | undefined, make: (count: number | undefined) => void, done = 0): void {
    const { extent, name } = loop.variable;
    const tail = extent % this.lanes;
    const whole = extent - tail;
    const to = range ? indexMin(range.to, indexConstant(whole)) : indexConstant(whole);
    if (whole > done) this.b.loop(name, range?.from ?? indexConstant(done), to, this.lanes, () => make(undefined));
    if (tail === 0) return;
    const last = (): void => {
      this.b.push({ kind: 'let', name, value: indexConstant(whole) });
      make(tail);
    };
    this.b.when(range ? operation('less', boolType, indexConstant(whole), range.to) : constantOf(boolType, 1), last);
  }

  /** Walks a loop from 0 to `to` in steps, with `chains` steps of it written out side by side: its variable is so much smaller that they stay inside. */
  private chained(loop: Loop, to: number, step: number, chains: number, make: (chain: number) => void): void {
    this.b.loop(loop.variable.name, indexConstant(0), indexConstant(to), step * chains, () => {
      for (let chain = 0; chain < chains; chain++) {
        this.fixed.set(loop, Index.of({ ...loop.variable, extent: to - (chains - 1) * step }).add(chain * step));
        make(chain);
      }
      this.fixed.delete(loop);
    });
  }

  private store(node: Node, role: Role, value: Expr, count: number | undefined): void {
    for (const home of this.context.stores.get(node) ?? []) {
      const flat = homeIndex(home, node.shape, memberIndex(this.group, node, role === 'full' ? 'full' : 'row', this.point()));
      const { vector } = this.plan;
      this.b.store(home.buffer, flat, value, vector ? { along: vector.variable, lanes: this.lanes, count } : null);
    }
  }

  lower(): Lowered {
    const { plan, b } = this;
    const { units, block } = plan;
    let unitCount = 1;
    const outer = plan.loops.filter((l) => !l.reduced && !l.unrolled && l !== plan.vector && l !== units);
    const body = (range: { from: Expr; to: Expr } | undefined): void => this.serial(outer, () => this.rows(range));
    if (!units) body(undefined);
    else if (block > 1) {
      const { extent } = units.variable;
      unitCount = Math.ceil(extent / block);
      body({ from: indexMul(unitsFrom, block), to: indexMin(indexMul(unitsTo, block), indexConstant(extent)) });
    } else {
      unitCount = units.variable.extent;
      if (units === plan.vector) body({ from: unitsFrom, to: unitsTo });
      else if (plan.vector && outer.length === 0 && gathers(plan, this.group)) this.rowsTogether(units, plan.vector);
      else b.loop(units.variable.name, unitsFrom, unitsTo, 1, () => body(undefined));
    }
    const bytes = b.buffers.reduce((sum, { node }) => sum + sizeOf(node.shape) * 4, 0);
    const kernel = b.finish(describe(this.group, this.context.stores), plan.operations * sizeOf(this.group.space), bytes);
    return {
      kernel,
      buffers: b.buffers,
      units: unitCount,
      callUnits: 1,
      aligned: alignedBuffers(plan, unitCount),
      samePlace: (read, written) => this.samePlace(read, written),
    };
  }

  /** Rows whose places are looked up, a few side by side: so the processor waits for the first lines of several at once, not of one after the other. */
  private rowsTogether(units: Loop, vector: Loop): void {
    const { b } = this;
    const together = 4;
    const { name } = units.variable;
    b.loop(name, unitsFrom, indexSub(unitsTo, indexConstant(together - 1)), together, () =>
      this.vectorised(vector, undefined, (count) => {
        for (let row = 0; row < together; row++) {
          this.fixed.set(units, Index.of({ ...units.variable, extent: units.variable.extent - together + 1 }).add(row));
          this.row(count);
        }
        this.fixed.delete(units);
      }),
    );
    const rest = indexRemainder(indexSub(unitsTo, unitsFrom), together);
    b.loop(name, indexSub(unitsTo, rest), unitsTo, 1, () => this.rows(undefined));
  }

  /** A later phase would read again what an earlier one has overwritten. */
  private samePlace(read: Node, written: Node): boolean {
    const phases = Math.max(0, ...this.levels.values());
    if (phases > 0 && this.group.members.some((n) => roleIn(this.group, n) === 'full')) return false;
    const stored = new Set(this.plan.accesses.filter((a) => a.store && a.buffer === written).map((a) => a.flat.key));
    return stored.size === 1 && this.plan.accesses.every((a) => a.store || a.buffer !== read || stored.has(a.flat.key));
  }

  /** One row, or one vector of rows. */
  private rows(range: { from: Expr; to: Expr } | undefined): void {
    const { vector } = this.plan;
    if (vector && !vector.reduced) this.vectorised(vector, range, (count) => this.row(count));
    else this.row(undefined);
  }

  private row(count: number | undefined): void {
    const rowLoops = this.plan.loops.filter((l) => !l.reduced && l.unrolled);
    this.unrolled(rowLoops, () => {
      this.registers.clear();
      const last = Math.max(0, ...this.levels.values());
      for (let level = 0; level <= last; level++) this.phase(level, count);
      for (const store of this.waiting.splice(0)) store();
    });
  }

  private phase(level: number, count: number | undefined): void {
    const { group } = this;
    const here = group.members.filter((n) => this.levels.get(n) === level);
    const hasAxes = group.axes.length > 0;
    for (const node of here) {
      const role = roleIn(group, node);
      if (role === 'row' || (role === 'full' && !hasAxes)) {
        const value = this.emitter(count).value(node, memberIndex(group, node, role, this.point()));
        this.waiting.push(() => this.store(node, role, value, count));
      }
    }
    const reductions = here.filter((n) => roleIn(group, n) === 'reduce');
    const maps = hasAxes ? here.filter((n) => roleIn(group, n) === 'full') : [];
    if (reductions.length + maps.length === 0) return;
    this.inner(reductions, maps, count);
    for (const node of reductions) {
      const value = this.registers.get(node) as Expr;
      this.waiting.push(() => this.store(node, 'row', value, count));
    }
  }

  /** The loops over the folded axes: all reductions and full maps of one level together. */
  private inner(reductions: readonly Node[], maps: readonly Node[], count: number | undefined): void {
    const { plan } = this;
    const loops = plan.loops.filter((l) => l.reduced && !l.unrolled && l !== plan.vector);
    const written = plan.loops.filter((l) => l.reduced && l.unrolled);
    const along = plan.vector?.reduced ? plan.vector : null;
    const lanes = plan.vector ? this.lanes : 1;
    // Independent chains of additions, so that latency is hidden: split by position, added up in a fixed order.
    const chains = this.chains(reductions, along, loops);
    const accumulators = reductions.map((node) => this.accumulators(node, lanes, chains));
    const turn = (chain: number, partial: number | undefined): void => {
      const emitter = this.emitter(partial);
      this.unrolled(written, () => {
        for (const state of accumulators) state.add(chain, emitter, along === null ? undefined : partial);
        const values = maps.map((node) => emitter.value(node, memberIndex(this.group, node, 'full', this.point())));
        maps.forEach((node, i) => {
          this.store(node, 'full', values[i], partial);
        });
      });
    };
    const innermost = loops[loops.length - 1];
    if (along) {
      const block = lanes * chains;
      const whole = chains > 1 ? Math.floor(along.variable.extent / block) * block : 0;
      this.serial(loops, () => {
        if (whole > 0) this.chained(along, whole, lanes, chains, (chain) => turn(chain, undefined));
        this.vectorised(along, undefined, (partial) => turn(0, partial), whole);
      });
    } else if (chains > 1) {
      this.serial(loops.slice(0, -1), () => this.chained(innermost, innermost.variable.extent, 1, chains, (chain) => turn(chain, count)));
    } else this.serial(loops, () => turn(0, count));
    reductions.forEach((node, i) => this.registers.set(node, accumulators[i].result(along !== null)));
  }

  private chains(reductions: readonly Node[], along: Loop | null, loops: readonly Loop[]): number {
    if (reductions.length === 0 || reductions.some((n) => !folds[n.op])) return 1;
    if (along) return along.variable.extent >= this.lanes * 4 ? 4 : 1;
    const innermost = loops[loops.length - 1];
    if (!innermost) return 1;
    return [4, 2].find((c) => innermost.variable.extent % c === 0 && innermost.variable.extent >= 2 * c) ?? 1;
  }

  private accumulators(
    node: Node,
    lanes: number,
    chains: number,
  ): { add: (chain: number, emitter: Emitter, partial: number | undefined) => void; result: (horizontal: boolean) => Expr } {
    const { b } = this;
    const input = node.inputs[0];
    const type: Type = { scalar: scalarOf(input.dtype), lanes };
    const i32: Type = { scalar: 'i32', lanes };
    const bool: Type = { scalar: 'bool', lanes };
    const fold = folds[node.op];
    if (fold) {
      const neutral = limited(fold.neutral, type);
      const states = Array.from({ length: chains }, () => b.declare(neutral));
      return {
        add: (chain, emitter, partial) => {
          let value = b.widen(emitter.value(input, this.point()), lanes);
          if (partial !== undefined) {
            const inside = b.op('less', bool, { kind: 'lanes', type: i32 }, constantOf(i32, partial));
            value = b.op('select', type, inside, value, neutral);
          }
          b.assign(states[chain], operation(fold.combine, type, states[chain], value));
        },
        result: (horizontal) => {
          let list: Expr[] = states;
          while (list.length > 1) list = list.slice(0, list.length / 2).map((s, i) => b.op(fold.combine, type, s, list[i + list.length / 2]));
          return horizontal ? b.op(fold.horizontal, { scalar: type.scalar, lanes: 1 }, list[0]) : b.let(list[0]);
        },
      };
    }
    // argMax, argMin: the best value and where it was; the first wins, a NaN beats numbers.
    const floating = type.scalar === 'f32' || type.scalar === 'f64';
    const best = b.declare(limited(node.op === 'argMax' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY, type));
    const where = b.declare(constantOf(i32, -1));
    const axis = this.group.axes[0];
    return {
      add: (_chain, emitter) => {
        const value = b.widen(emitter.value(input, this.point()), lanes);
        const position = b.widen(b.op('cast', i32Type, b.index(this.point()[axis])), lanes);
        let better = b.op('logicalOr', bool, b.op(node.op === 'argMax' ? 'greater' : 'less', bool, value, best), b.op('less', bool, where, constantOf(i32, 0)));
        if (floating) {
          const wins = b.op('logicalAnd', bool, b.op('isNaN', bool, value), b.op('logicalNot', bool, b.op('isNaN', bool, best)));
          better = b.op('logicalOr', bool, better, wins);
        }
        b.assign(best, operation('select', type, better, value, best));
        b.assign(where, operation('select', i32, better, position, where));
      },
      result: () => b.let(where),
    };
  }
}

/** Whether a map reads from places that other values say. */
const gathers = ({ accesses, vector }: Plan, { axes }: Group): boolean =>
  axes.length === 0 && vector?.reduced === false && accesses.some(({ flat }) => flat.terms.some(({ atom }) => atom.kind === 'opaque'));

/** A buffer is aligned when unit u only touches its u-th part. */
function alignedBuffers(plan: Plan, units: number): Set<Node> {
  const verdict = new Map<Node, boolean>();
  for (const { buffer, flat } of plan.accesses) {
    if (!buffer) continue;
    const ok = units > 1 && plan.units !== undefined && plan.block === 1 && isAligned(flat, plan.units, sizeOf(buffer.shape));
    verdict.set(buffer, ok && (verdict.get(buffer) ?? true));
  }
  return new Set([...verdict].filter(([, ok]) => ok).map(([node]) => node));
}

function isAligned(flat: Index, units: Loop, size: number): boolean {
  const part = flat.coefficientOf(units.variable);
  if (part * units.variable.extent !== size || flat.hides(units.variable)) return false;
  const rest = flat.add(Index.of(units.variable).scale(-part));
  return rest.min >= 0 && rest.max < part;
}

function describe(group: Group, stores: Stores): string {
  const results = group.members.filter((n) => stores.has(n)).map((n) => `${n.op}[${n.shape.join(',')}]`);
  return `${group.axes.length > 0 ? `fold [${group.space.join(',')}] over ${group.axes.join(',')}` : `map [${rowShape(group).join(',')}]`} -> ${results.join(' ')}`;
}

export function lowerGroup(group: Group, context: LowerContext): Lowered {
  resetLoopVars();
  return new NestLowering(group, context).lower();
}
