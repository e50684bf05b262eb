/**
 * Scalar emission: the value of a node at a symbolic index, as loop IR. Elementwise and movement nodes are inlined down to buffers, so a fused
 * chain becomes straight code; the same value at the same index is computed once per scope.
 */
import type { DType } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { WindowGeometry } from '../../graph/attributes.ts';
import { attributesOf, isOp, type Node } from '../../graph/node.ts';
import type { Expr, IrOp, Type } from '../../ir/ir.ts';
import { opOf } from '../../ops/registry.ts';
import { flatten, Index, type LoopVar, unflatten, zeroIndex } from './affine.ts';
import { type Builder, constantOf, i32Type, indexConstant, indexMin, indexSub, scalarOf } from './builder.ts';
import { type Home, homeIndex } from './group.ts';

/** How values become available inside a kernel. */
export interface Emission {
  readonly builder: Builder;
  /** The loop variable that the lanes run along, and how many lanes; null: scalar code. */
  readonly vector: { readonly along: LoopVar; readonly lanes: number; readonly count?: Expr } | null;
  /** Where this node's values are in memory, if they are. */
  readonly homeOf: (node: Node) => Home | undefined;
  /** Values that are in registers: accumulators, results of earlier phases. Asked before buffers. */
  readonly inRegister: (node: Node, index: readonly Index[]) => Expr | undefined;
  /** Told of every buffer element that is read, and of every condition on indices. */
  readonly onAccess?: (buffer: Node | null, flat: Index) => void;
}

/** Where a movement op reads its input, given where its result is read; undefined for ops that are no pure renaming. */
export function sourceIndex(node: Node, index: readonly Index[]): Index[] | undefined {
  const input = node.inputs[0];
  if (isOp(node, 'reshape')) return unflatten(flatten(index, node.shape), input.shape);
  if (isOp(node, 'permute')) {
    const source = new Array<Index>(index.length);
    node.attributes.axes.forEach((axis, i) => {
      source[axis] = index[i];
    });
    return source;
  }
  if (isOp(node, 'broadcast')) {
    const lead = node.shape.length - input.shape.length;
    return input.shape.map((d, i) => (d === 1 ? zeroIndex : index[lead + i]));
  }
  if (isOp(node, 'slice')) {
    const { start, step } = node.attributes;
    return index.map((x, i) => x.scale(step[i]).add(start[i]));
  }
  if (isOp(node, 'flip')) {
    const { axes } = node.attributes;
    return index.map((x, i) => (axes.includes(i) ? x.scale(-1).add(node.shape[i] - 1) : x));
  }
  return undefined;
}

const boolType = (lanes: number): Type => ({ scalar: 'bool', lanes });

export class Emitter {
  readonly context: Emission;
  /** Tells values of which only some lanes are good from whole ones. */
  private readonly part: string;

  constructor(context: Emission, part = '') {
    this.context = context;
    this.part = part;
  }

  private get b(): Builder {
    return this.context.builder;
  }

  private varies(index: Index): boolean {
    const { vector } = this.context;
    return vector !== null && (index.lanewise || index.mentions(vector.along));
  }

  /** The value of `node` at `index`: a vector where it differs between lanes, else a scalar. */
  value(node: Node, index: readonly Index[]): Expr {
    const held = this.context.inRegister(node, index);
    if (held) return held;
    const key = `${node.id}@${index.map((i) => i.key).join(',')}${this.part}`;
    return this.b.reuse(key, () => this.make(node, index));
  }

  private make(node: Node, index: readonly Index[]): Expr {
    const home = this.context.homeOf(node);
    if (home) return this.load(home.buffer, homeIndex(home, node.shape, index));
    const moved = sourceIndex(node, index);
    if (moved) return this.value(node.inputs[0], moved);
    if (opOf(node).kind === 'elementwise') return this.elementwise(node, index);
    switch (node.op) {
      case 'constant':
        return constantOf({ scalar: scalarOf(node.dtype), lanes: 1 }, attributesOf(node, 'constant').value);
      case 'iota':
        return this.apply('cast', scalarOf(node.dtype), this.int32Of(index[attributesOf(node, 'iota').axis]));
      case 'pad':
        return this.padded(node, index);
      case 'take':
        return this.taken(node, index);
      case 'randomBits':
        return this.randomBits(node, index);
      case 'windowSum':
      case 'windowMax':
      case 'windowArgMax':
        return this.windowFold(node, index);
      case 'windowPick':
        return this.windowPick(node, index);
      case 'windowSpread':
      case 'windowPlace':
        return this.windowAdjoint(node, index);
      default:
        return fail('internal', node.op, 'this node should have been given a buffer');
    }
  }

  load(buffer: Node, flat: Index): Expr {
    this.context.onAccess?.(buffer, flat);
    const slot = this.b.buffer(buffer);
    const scalar = scalarOf(buffer.dtype);
    const { vector } = this.context;
    if (!vector || !this.varies(flat)) return this.b.let({ kind: 'load', type: { scalar, lanes: 1 }, buffer: slot, index: this.b.index(flat), stride: 1 });
    const type: Type = { scalar, lanes: vector.lanes };
    const affine = !flat.hides(vector.along) && !flat.lanewise;
    if (affine) {
      const stride = flat.coefficientOf(vector.along);
      return this.b.let({ kind: 'load', type, buffer: slot, index: this.b.index(flat), stride, ...(vector.count ? { count: vector.count } : {}) });
    }
    let lanes = this.b.indexLanes(flat, vector.along.name, vector.lanes);
    if (vector.count) {
      // Lanes beyond the count may point outside: they read element 0.
      const i32: Type = { scalar: 'i32', lanes: vector.lanes };
      const count = this.b.widen(this.b.op('cast', { scalar: 'i32', lanes: 1 }, vector.count), vector.lanes);
      const inside = this.b.op('less', boolType(vector.lanes), { kind: 'lanes', type: i32 }, count);
      lanes = this.b.op('select', i32, inside, lanes, constantOf(i32, 0));
    }
    return this.b.let({ kind: 'gather', type, buffer: slot, indices: lanes });
  }

  /** Operands brought to the same number of lanes. */
  private level(values: readonly Expr[]): [Expr[], number] {
    const lanes = Math.max(...values.map((v) => v.type.lanes));
    return [values.map((v) => this.b.widen(v, lanes)), lanes];
  }

  private apply(op: IrOp, scalar: Type['scalar'], ...operands: Expr[]): Expr {
    const [args, lanes] = this.level(operands);
    return this.b.op(op, { scalar, lanes }, ...args);
  }

  private elementwise(node: Node, index: readonly Index[]): Expr {
    const values = node.inputs.map((input) => this.value(input, index));
    const half = (dtype: DType): boolean => dtype === 'float16' || dtype === 'bfloat16';
    if (node.op === 'cast' && node.dtype !== node.inputs[0].dtype && (half(node.dtype) || half(node.inputs[0].dtype)))
      values[0] = this.apply('cast', 'f32', values[0]);
    return this.apply(node.op as IrOp, scalarOf(node.dtype), ...values);
  }

  /** An index as int32, lane by lane where it varies along the vector. */
  private int32Of(index: Index): Expr {
    const { vector } = this.context;
    this.context.onAccess?.(null, index);
    if (vector && this.varies(index)) return this.b.indexLanes(index, vector.along.name, vector.lanes);
    return this.b.op('cast', i32Type, this.b.index(index));
  }

  /** low ≤ index < high as a condition, or undefined when it always holds. Also the index clamped into that range. */
  private bounded(index: Index, low: number, high: number): { condition: Expr | undefined; inside: Index } {
    if (index.min >= low && index.max < high) {
      // Reported even when it always holds: it would not if loops were merged across it.
      this.context.onAccess?.(null, index);
      return { condition: undefined, inside: index };
    }
    const value = this.int32Of(index);
    const tests: Expr[] = [];
    let clamped = value;
    if (index.min < low) {
      tests.push(this.apply('greaterEqual', 'bool', value, constantOf(value.type, low)));
      clamped = this.b.op('maximum', value.type, clamped, constantOf(value.type, low));
    }
    if (index.max >= high) {
      tests.push(this.apply('less', 'bool', value, constantOf(value.type, high)));
      clamped = this.b.op('minimum', value.type, clamped, constantOf(value.type, Math.max(low, high - 1)));
    }
    const condition = tests.reduce((a, c) => this.apply('logicalAnd', 'bool', a, c));
    return { condition, inside: this.b.opaque(clamped, high) };
  }

  private both(a: Expr | undefined, b: Expr | undefined): Expr | undefined {
    return a && b ? this.apply('logicalAnd', 'bool', a, b) : (a ?? b);
  }

  private padded(node: Node, index: readonly Index[]): Expr {
    const { padding, value } = attributesOf(node, 'pad');
    const input = node.inputs[0];
    let condition: Expr | undefined;
    let lanes: Expr | undefined;
    const source = index.map((x, i) => {
      const shifted = x.add(-padding[i][0]);
      const { condition: inside, inside: safe } = this.bounded(shifted, 0, input.shape[i]);
      condition = this.both(condition, inside);
      const before = inside && this.lanesBefore(shifted, input.shape[i]);
      if (!before) return safe;
      lanes = before;
      return shifted;
    });
    const outside = constantOf({ scalar: scalarOf(node.dtype), lanes: 1 }, value);
    if (sizeOf(input.shape) === 0) return outside;
    const inner = lanes ? this.firstLanes(lanes).value(input, source) : this.value(input, source);
    return condition ? this.apply('select', scalarOf(node.dtype), condition, inner, outside) : inner;
  }

  /** How many of the lanes have an index below `high`, where the index counts up from a number ≥ 0 lane by lane. Then memory is read in one piece. */
  private lanesBefore(index: Index, high: number): Expr | undefined {
    const { vector } = this.context;
    if (!vector || index.min < 0 || index.max < high || index.lanewise || index.hides(vector.along) || index.coefficientOf(vector.along) !== 1)
      return undefined;
    const left = this.b.let(indexSub(indexConstant(high), indexMin(this.b.index(index), indexConstant(high))));
    return this.b.let(indexMin(left, vector.count ?? indexConstant(vector.lanes)));
  }

  /** Emits values of which only the first `count` lanes are needed, and only those may be read from memory. */
  private firstLanes(count: Expr): Emitter {
    const { vector } = this.context;
    return vector ? new Emitter({ ...this.context, vector: { ...vector, count } }, `${this.part} of ${count.kind === 'var' ? count.name : 'some'}`) : this;
  }

  private taken(node: Node, index: readonly Index[]): Expr {
    const { axis } = attributesOf(node, 'take');
    const [x, indices] = node.inputs;
    const at = this.value(indices, index.slice(axis, axis + indices.shape.length));
    const type: Type = { scalar: 'i32', lanes: at.type.lanes };
    // A wrong index must not read foreign memory.
    const low = this.b.op('maximum', type, at, constantOf(type, 0));
    const safe = this.b.op('minimum', type, low, constantOf(type, x.shape[axis] - 1));
    return this.value(x, [...index.slice(0, axis), this.b.opaque(safe, x.shape[axis]), ...index.slice(axis + indices.shape.length)]);
  }

  /** Threefry-2x32, 20 rounds (Salmon et al. 2011), counter (flat index, 0), first word. */
  private randomBits(node: Node, index: readonly Index[]): Expr {
    const key = node.inputs[0];
    const k0 = this.value(key, [Index.of(0)]);
    const k1 = this.value(key, [Index.of(1)]);
    const flat = flatten(index, node.shape);
    const counter = this.int32Of(flat);
    const parity = constantOf({ scalar: 'i32', lanes: 1 }, 0x1bd11bda);
    const keys = [k0, k1, this.b.reuse(`parity ${key.id}`, () => this.apply('bitXor', 'i32', this.apply('bitXor', 'i32', k0, k1), parity))];
    const lanes = counter.type.lanes;
    const i32 = (value: number): Expr => constantOf({ scalar: 'i32', lanes }, value);
    let x0 = this.apply('add', 'i32', counter, keys[0]);
    let x1 = this.b.widen(keys[1], lanes);
    const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
    for (let round = 0; round < 20; round++) {
      const r = rotations[round % 8];
      x0 = this.apply('add', 'i32', x0, x1);
      const turned = this.apply('bitOr', 'i32', this.apply('shiftLeft', 'i32', x1, i32(r)), this.apply('shiftRight', 'i32', x1, i32(32 - r)));
      x1 = this.apply('bitXor', 'i32', turned, x0);
      if (round % 4 === 3) {
        const block = round / 4 + 0.25;
        x0 = this.apply('add', 'i32', x0, keys[block % 3]);
        x1 = this.apply('add', 'i32', this.apply('add', 'i32', x1, keys[(block + 1) % 3]), i32(block));
      }
    }
    return x0;
  }

  /** All positions of a window in row-major order, and where they lie in the input for a window at `index`. */
  private windowPositions(geometry: WindowGeometry, index: readonly Index[]): { position: number; at: Index[]; condition: Expr | undefined }[] {
    const { axes, size, stride, padding, inputShape } = geometry;
    const out: { position: number; at: Index[]; condition: Expr | undefined }[] = [];
    const count = sizeOf(size);
    for (let position = 0; position < count; position++) {
      const offsets = unflatten(Index.of(position), size).map((o) => o.constant);
      const at = [...index];
      let condition: Expr | undefined;
      axes.forEach((axis, i) => {
        const { condition: inside, inside: safe } = this.bounded(index[axis].scale(stride[i]).add(offsets[i] - padding[i][0]), 0, inputShape[axis]);
        at[axis] = safe;
        condition = this.both(condition, inside);
      });
      out.push({ position, at, condition });
    }
    return out;
  }

  private windowFold(node: Node, index: readonly Index[]): Expr {
    const geometry = node.attributes as WindowGeometry;
    const x = node.inputs[0];
    const scalar = scalarOf(x.dtype);
    let best: Expr | undefined;
    let where: Expr = constantOf({ scalar: 'i32', lanes: 1 }, 0);
    for (const { position, at, condition } of this.windowPositions(geometry, index)) {
      let value = this.value(x, at);
      if (node.op === 'windowSum') {
        if (condition) value = this.apply('select', scalar, condition, value, constantOf({ scalar, lanes: 1 }, 0));
        best = best ? this.apply('add', scalar, best, value) : value;
        continue;
      }
      if (condition) value = this.apply('select', scalar, condition, value, constantOf({ scalar, lanes: 1 }, Number.NEGATIVE_INFINITY));
      if (!best) {
        best = value;
        where = constantOf({ scalar: 'i32', lanes: 1 }, position);
      } else if (node.op === 'windowMax') {
        best = this.apply('maximum', scalar, best, value);
      } else {
        // Strictly greater, so the first maximum wins; a NaN wins over a number. The first position may be padding.
        const nan = this.apply('logicalAnd', 'bool', this.apply('isNaN', 'bool', value), this.apply('logicalNot', 'bool', this.apply('isNaN', 'bool', best)));
        const better = this.apply('logicalOr', 'bool', this.apply('greater', 'bool', value, best), nan);
        where = this.apply('select', 'i32', better, constantOf({ scalar: 'i32', lanes: 1 }, position), where);
        best = this.apply('select', scalar, better, value, best);
      }
    }
    const result = node.op === 'windowArgMax' ? where : best;
    return result ?? fail('internal', node.op, 'empty window');
  }

  private windowPick(node: Node, index: readonly Index[]): Expr {
    const [arg, x] = node.inputs;
    const scalar = scalarOf(x.dtype);
    const which = this.value(arg, index);
    let picked: Expr = constantOf({ scalar, lanes: 1 }, 0);
    for (const { position, at, condition } of this.windowPositions(node.attributes as WindowGeometry, index)) {
      const here = this.apply('equal', 'bool', which, constantOf({ scalar: 'i32', lanes: 1 }, position));
      picked = this.apply('select', scalar, this.both(here, condition) ?? here, this.value(x, at), picked);
    }
    return picked;
  }

  /** windowSpread and windowPlace at an input position: the windows that cover it. */
  private windowAdjoint(node: Node, index: readonly Index[]): Expr {
    const { axes, size, stride, padding } = node.attributes as WindowGeometry;
    const place = node.op === 'windowPlace';
    const dOut = node.inputs[place ? 1 : 0];
    const scalar = scalarOf(node.dtype);
    const zero = constantOf({ scalar, lanes: 1 }, 0);
    const reach = size.map((s, i) => Math.ceil(s / stride[i]));
    let total: Expr | undefined;
    for (let turn = 0; turn < sizeOf(reach); turn++) {
      const back = unflatten(Index.of(turn), reach).map((o) => o.constant);
      const at = [...index];
      let condition: Expr | undefined;
      let position = zeroIndex;
      axes.forEach((axis, i) => {
        const shifted = index[axis].add(padding[i][0]);
        const offset = shifted.mod(stride[i]).add(back[i] * stride[i]);
        position = position.scale(size[i]).add(offset);
        const { condition: covered } = this.bounded(offset, 0, size[i]);
        const { condition: exists, inside } = this.bounded(shifted.div(stride[i]).add(-back[i]), 0, dOut.shape[axis]);
        condition = this.both(condition, this.both(covered, exists));
        at[axis] = inside;
      });
      if (dOut.shape.includes(0)) return zero;
      if (place) {
        const which = this.value(node.inputs[0], at);
        const here = this.positionEquals(which, position);
        condition = this.both(condition, here);
      }
      let value = this.value(dOut, at);
      if (condition) value = this.apply('select', scalar, condition, value, zero);
      total = total ? this.apply('add', scalar, total, value) : value;
    }
    return total ?? zero;
  }

  private positionEquals(which: Expr, position: Index): Expr {
    const fixed = position.terms.length === 0;
    return this.apply('equal', 'bool', which, fixed ? constantOf({ scalar: 'i32', lanes: 1 }, position.constant) : this.int32Of(position));
  }
}
