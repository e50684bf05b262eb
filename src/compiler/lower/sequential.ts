/** Schedules of the ops whose steps depend on each other or on data: cumulative sums, sorting, scattered addition. */
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import { attributesOf, type Node } from '../../graph/node.ts';
import type { Expr, Target, Type } from '../../ir/ir.ts';
import { unitsFrom, unitsTo } from '../../ir/ir.ts';
import { flatten, Index, type LoopVar, loopVar, resetLoopVars, unflatten } from './affine.ts';
import {
  Builder,
  boolType as bool,
  constantOf,
  i32Type as i32,
  indexAdd,
  indexConstant,
  indexMin,
  indexSub,
  indexVariable,
  operation,
  scalarOf,
} from './builder.ts';
import { Emitter } from './emit.ts';
import type { Home } from './group.ts';
import type { Lowered } from './nest.ts';
import type { Stores } from './nest-plan.ts';

interface Context {
  readonly b: Builder;
  readonly node: Node;
  readonly target: Target;
  /** Value of input i at an index, scalar or along a vector loop. */
  readonly input: (i: number, index: readonly Index[], along?: { variable: LoopVar; count: Expr }) => Expr;
  readonly store: (flat: Index, value: Expr, count?: Expr) => void;
  readonly slot: number;
}

export function lowerSequential(node: Node, stores: Stores, homeOf: (node: Node) => Home | undefined, target: Target): Lowered {
  resetLoopVars();
  const b = new Builder();
  const home = stores.get(node)?.[0];
  if (!home || home.start) return fail('internal', node.op, 'the result has no memory of its own');
  const slot = b.buffer(home.buffer, true);
  const context: Context = {
    b,
    node,
    target,
    slot,
    input: (i, index, along) => {
      const vector = along ? { along: along.variable, lanes: target.lanes, count: along.count } : null;
      return new Emitter({ builder: b, vector, homeOf, inRegister: () => undefined }).value(node.inputs[i], index);
    },
    store: (flat, value, count) => b.push({ kind: 'store', buffer: slot, index: b.index(flat), value, stride: 1, ...(count ? { count } : {}) }),
  };
  const schedules: Partial<Record<Node['op'], (c: Context) => number>> = { cumsum, argSort, scatterAdd };
  const schedule = schedules[node.op] ?? fail('internal', node.op, 'the compiled devices have no schedule for this op');
  const units = schedule(context);
  const elements = node.inputs.reduce((sum, x) => sum + sizeOf(x.shape), sizeOf(node.shape));
  return {
    kernel: b.finish(`${node.op} [${node.shape.join(',')}]`, elements, elements * 4),
    buffers: b.buffers,
    units,
    callUnits: 1,
    aligned: new Set(),
    samePlace: () => false,
  };
}

function cumsum({ b, node, input, store }: Context): number {
  const { axis, reverse, exclusive } = attributesOf(node, 'cumsum');
  const length = node.shape[axis];
  const rowShape = node.shape.map((d, i) => (i === axis ? 1 : d));
  const units = sizeOf(rowShape);
  const row = loopVar('row', units);
  const type: Type = { scalar: scalarOf(node.dtype), lanes: 1 };
  b.loop(row.name, unitsFrom, unitsTo, 1, () => {
    const sum = b.declare(constantOf(type, 0));
    const step = loopVar('i', length);
    b.loop(step.name, indexConstant(0), indexConstant(length), 1, () => {
      const at = unflatten(Index.of(row), rowShape);
      at[axis] = reverse
        ? Index.of(step)
            .scale(-1)
            .add(length - 1)
        : Index.of(step);
      const flat = flatten(at, node.shape);
      const value = input(0, at);
      if (exclusive) store(flat, sum);
      b.assign(sum, operation('add', type, sum, value));
      if (!exclusive) store(flat, sum);
    });
  });
  return units;
}

/** Every element's place is the number of elements that come before it: stable, and free of data-dependent control flow. */
function argSort({ b, node, input }: Context): number {
  const { descending, count } = attributesOf(node, 'argSort');
  const x = node.inputs[0];
  const length = x.shape[x.shape.length - 1];
  const lead = x.shape.slice(0, -1);
  const units = sizeOf(lead);
  const row = loopVar('row', units);
  const floating = x.dtype === 'float32' || x.dtype === 'float64';
  const slot = b.buffer(node, true);
  b.loop(row.name, unitsFrom, unitsTo, 1, () => {
    const [i, j] = [loopVar('i', length), loopVar('j', length)];
    const at = (v: LoopVar): Index[] => [...unflatten(Index.of(row), lead), Index.of(v)];
    b.loop(i.name, indexConstant(0), indexConstant(length), 1, () => {
      const mine = input(0, at(i));
      const place = b.declare(constantOf(i32, 0));
      const nan = (v: Expr): Expr => (floating ? b.op('isNaN', bool, v) : constantOf(bool, 0));
      const mineNaN = nan(mine);
      b.loop(j.name, indexConstant(0), indexConstant(length), 1, () => {
        const other = input(0, at(j));
        const otherNaN = nan(other);
        const ahead = b.op(
          'logicalOr',
          bool,
          b.op(descending ? 'greater' : 'less', bool, other, mine),
          b.op('logicalAnd', bool, mineNaN, b.op('logicalNot', bool, otherNaN)),
        );
        const same = b.op('logicalOr', bool, b.op('equal', bool, other, mine), b.op('logicalAnd', bool, mineNaN, otherNaN));
        const earlier = b.op('less', bool, indexVariable(j.name), indexVariable(i.name));
        const before = b.op('logicalOr', bool, ahead, b.op('logicalAnd', bool, same, earlier));
        b.assign(place, operation('add', i32, place, b.op('cast', i32, before)));
      });
      b.when(b.op('less', bool, place, constantOf(i32, count)), () => {
        const spot = b.opaque(b.op('cast', i32, place), count);
        const flat = Index.of(row).scale(count).add(spot);
        const value = b.op('cast', i32, indexVariable(i.name));
        b.push({ kind: 'store', buffer: slot, index: b.index(flat), value, stride: 1 });
      });
    });
  });
  return units;
}

/** Threads own columns (the dimensions after the axis), so that additions to one element happen in the order of the updates. */
function scatterAdd({ b, node, input, target, slot, store }: Context): number {
  const { axis, size } = attributesOf(node, 'scatterAdd');
  const [indices] = node.inputs;
  const before = node.shape.slice(0, axis);
  const after = node.shape.slice(axis + 1);
  const [outer, columns] = [sizeOf(before), sizeOf(after)];
  const block = 64;
  const blocks = Math.ceil(columns / block);
  const unit = loopVar('unit', outer * blocks);
  const type: Type = { scalar: scalarOf(node.dtype), lanes: target.lanes };
  b.loop(unit.name, unitsFrom, unitsTo, 1, () => {
    const lead = Index.of(unit).div(blocks);
    const from = b.let(b.index(Index.of(unit).mod(blocks).scale(block)));
    const to = b.let(indexMin(indexAdd(from, indexConstant(block)), indexConstant(columns)));
    const eachVector = (make: (column: LoopVar, count: Expr) => void): void => {
      const column = loopVar('c', columns);
      b.loop(column.name, from, to, target.lanes, () => make(column, b.let(indexMin(indexSub(to, indexVariable(column.name)), indexConstant(target.lanes)))));
    };
    const row = loopVar('r', size);
    b.loop(row.name, indexConstant(0), indexConstant(size), 1, () =>
      eachVector((column, count) => store(lead.scale(size).add(Index.of(row)).scale(columns).add(Index.of(column)), constantOf(type, 0), count)),
    );
    const turn = loopVar('u', Math.max(1, sizeOf(indices.shape)));
    b.loop(turn.name, indexConstant(0), indexConstant(sizeOf(indices.shape)), 1, () => {
      const at = unflatten(Index.of(turn), indices.shape);
      const where = input(0, at);
      const safe = b.op('minimum', i32, b.op('maximum', i32, where, constantOf(i32, 0)), constantOf(i32, size - 1));
      const place = b.opaque(safe, size);
      b.when(b.op('equal', bool, where, safe), () =>
        eachVector((column, count) => {
          const tail = unflatten(Index.of(column), after);
          const value = input(1, [...unflatten(lead, before), ...at, ...tail], { variable: column, count });
          const flat = lead.scale(size).add(place).scale(columns).add(Index.of(column));
          const old = b.let({ kind: 'load', type, buffer: slot, index: b.index(flat), stride: 1, count });
          store(flat, b.op('add', type, old, b.widen(value, target.lanes)), count);
        }),
      );
    });
  });
  return outer * blocks;
}
