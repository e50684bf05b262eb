/** Builds the body of one kernel: parameters by buffer, structured statements, single-assignment values with reuse inside a scope. */
import type { DType } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import type { Node } from '../../graph/node.ts';
import type { Expr, IrOp, Kernel, Parameter, Scalar, Stmt, Type } from '../../ir/ir.ts';
import { Index, type LoopVar, type Opaque } from './affine.ts';

const scalars: Record<DType, Scalar> = { float32: 'f32', float64: 'f64', float16: 'f16', bfloat16: 'bf16', int32: 'i32', uint8: 'u8', bool: 'bool' };
export const scalarOf = (dtype: DType): Scalar => scalars[dtype];

export const indexType: Type = { scalar: 'index', lanes: 1 };
export const boolType: Type = { scalar: 'bool', lanes: 1 };
export const i32Type: Type = { scalar: 'i32', lanes: 1 };
export const constantOf = (type: Type, value: number): Expr => ({ kind: 'const', type, value });
export const indexConstant = (value: number): Expr => constantOf(indexType, value);
export const variable = (type: Type, name: string): Expr => ({ kind: 'var', type, name });
export const indexVariable = (name: string): Expr => variable(indexType, name);
export const operation = (op: IrOp, type: Type, ...args: readonly Expr[]): Expr => ({ kind: 'op', type, op, args });
const nowhere = indexConstant(0);
const indexOp = (op: IrOp, a: Expr, b: Expr): Expr => {
  if (a.kind === 'const' && b.kind === 'const') {
    if (op === 'add') return indexConstant(a.value + b.value);
    if (op === 'mul') return indexConstant(a.value * b.value);
    if (op === 'sub') return indexConstant(a.value - b.value);
  }
  if (b.kind === 'const' && ((b.value === 0 && (op === 'add' || op === 'sub')) || (b.value === 1 && (op === 'mul' || op === 'quotient')))) return a;
  if (op === 'add' && a.kind === 'const' && a.value === 0) return b;
  return operation(op, indexType, a, b);
};
export const indexAdd = (a: Expr, b: Expr): Expr => indexOp('add', a, b);
export const indexSub = (a: Expr, b: Expr): Expr => indexOp('sub', a, b);
export const indexMul = (a: Expr, b: number): Expr => indexOp('mul', a, indexConstant(b));
export const indexQuotient = (a: Expr, b: number): Expr => indexOp('quotient', a, indexConstant(b));
export const indexRemainder = (a: Expr, b: number): Expr => (b === 1 ? indexConstant(0) : indexOp('remainder', a, indexConstant(b)));
export const indexMin = (a: Expr, b: Expr): Expr => {
  if (a.kind === 'const' && b.kind === 'const') return indexConstant(Math.min(a.value, b.value));
  return operation('select', indexType, operation('less', boolType, a, b), a, b);
};

interface Scope {
  readonly statements: Stmt[];
  readonly known: Map<string, Expr>;
}

export interface BufferUse {
  readonly node: Node;
  readonly written: boolean;
}

export class Builder {
  private scopes: Scope[] = [{ statements: [], known: new Map() }];
  private names = 0;
  /** Values emitted, also when nothing is built. */
  operations = 0;
  /** Builds nothing: for finding out what an emission would touch. */
  private readonly dry: boolean;
  readonly parameters: Parameter[] = [];
  readonly buffers: BufferUse[] = [];
  private readonly slots = new Map<Node, number>();

  constructor(options: { dry?: boolean } = {}) {
    this.dry = options.dry ?? false;
  }

  /** The parameter that stands for a buffer; made at first use. A buffer that is both read and written gets one written parameter. */
  buffer(node: Node, written = false): number {
    let slot = this.slots.get(node);
    if (slot === undefined) {
      slot = this.parameters.length;
      this.slots.set(node, slot);
      this.parameters.push({ scalar: scalarOf(node.dtype), name: `b${slot}`, written });
      this.buffers.push({ node, written });
    } else if (written && !this.parameters[slot].written) {
      this.parameters[slot] = { ...this.parameters[slot], written };
      this.buffers[slot] = { node, written };
    }
    return slot;
  }

  private get scope(): Scope {
    return this.scopes[this.scopes.length - 1];
  }

  fresh(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  push(statement: Stmt): void {
    this.scope.statements.push(statement);
  }

  /** Names a value; constants and variables stay as they are. */
  let(value: Expr): Expr {
    if (value.kind === 'const' || value.kind === 'var') return value;
    if (value.kind === 'op') this.operations++;
    if (this.dry) return variable(value.type, 'dry');
    const name = this.fresh('v');
    this.push({ kind: 'let', name, value });
    return variable(value.type, name);
  }

  /** As `let`, made once per scope (and the scopes inside it) for the same key. */
  reuse(key: string, make: () => Expr): Expr {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const found = this.scopes[i].known.get(key);
      if (found) return found;
    }
    const made = make();
    this.scope.known.set(key, made);
    return made;
  }

  /** A mutable variable: an accumulator. */
  declare(value: Expr, prefix = 'a'): Expr {
    const name = this.fresh(prefix);
    this.push({ kind: 'declare', name, value });
    return variable(value.type, name);
  }

  assign(target: Expr, value: Expr): void {
    if (target.kind !== 'var') fail('internal', 'assign', 'the target is not a variable');
    this.push({ kind: 'assign', name: target.name, value });
  }

  op(op: IrOp, type: Type, ...args: Expr[]): Expr {
    return this.let(operation(op, type, ...args));
  }

  /** All lanes of `type` = a scalar; vectors pass. */
  widen(value: Expr, lanes: number): Expr {
    if (value.type.lanes === lanes) return value;
    if (value.kind === 'const') return constantOf({ scalar: value.type.scalar, lanes }, value.value);
    const key = value.kind === 'var' ? value.name : this.fresh('x');
    return this.reuse(`splat ${key}`, () => this.op('splat', { scalar: value.type.scalar, lanes }, value));
  }

  /** Statements made by `make`, in a scope of their own. */
  block(make: () => void): Stmt[] {
    this.scopes.push({ statements: [], known: new Map() });
    make();
    return (this.scopes.pop() as Scope).statements;
  }

  /** `make` is given the counter. */
  loop(name: string, from: Expr, to: Expr, step: number, make: (at: Expr) => void, unroll?: number): void {
    const body = this.block(() => make(indexVariable(name)));
    if (body.length === 0) return;
    this.push({ kind: 'for', name, from, to, step, body, ...(unroll === undefined ? {} : { unroll }) });
  }

  when(condition: Expr, make: () => void): void {
    const body = this.block(make);
    if (body.length > 0) this.push({ kind: 'if', condition, body, otherwise: [] });
  }

  /** A symbolic index as an IR expression. */
  index(index: Index): Expr {
    if (this.dry) return nowhere;
    let sum: Expr | undefined;
    for (const { atom, coefficient } of index.terms) {
      let value: Expr;
      if (atom.kind === 'div') value = this.reuse(atom.name, () => this.let(indexQuotient(this.index(atom.of), atom.by)));
      else if (atom.kind === 'mod') value = this.reuse(atom.name, () => this.let(indexRemainder(this.index(atom.of), atom.by)));
      else value = indexVariable(atom.name);
      const term = indexMul(value, coefficient);
      sum = sum ? indexAdd(sum, term) : term;
    }
    return sum ? indexAdd(sum, indexConstant(index.constant)) : indexConstant(index.constant);
  }

  /** A symbolic index as a vector of int32, one entry per lane of the loop variable `along`. */
  indexLanes(index: Index, along: string, lanes: number): Expr {
    const type: Type = { scalar: 'i32', lanes };
    const combine = (op: IrOp, a: Expr, b: Expr): Expr => this.op(op, type, a, b);
    let sum: Expr = constantOf(type, index.constant);
    for (const { atom, coefficient } of index.terms) {
      let value: Expr;
      if (atom.kind === 'div') value = combine('quotient', this.indexLanes(atom.of, along, lanes), constantOf(type, atom.by));
      else if (atom.kind === 'mod') value = combine('remainder', this.indexLanes(atom.of, along, lanes), constantOf(type, atom.by));
      else if (atom.kind === 'opaque' && atom.vector) value = variable(type, atom.name);
      else {
        value = this.widen(this.op('cast', i32Type, indexVariable(atom.name)), lanes);
        if (atom.name === along) value = combine('add', value, { kind: 'lanes', type });
      }
      sum = combine('add', sum, coefficient === 1 ? value : combine('mul', value, constantOf(type, coefficient)));
    }
    return sum;
  }

  /** An index that is known only when the kernel runs. */
  opaque(value: Expr, extent: number): Index {
    const ready = value.type.lanes > 1 || (value.kind === 'var' && value.type.scalar === 'index');
    const scalar = this.let(ready ? value : operation('cast', indexType, value));
    if (scalar.kind !== 'var') return Index.of(scalar.kind === 'const' ? scalar.value : 0);
    const atom: Opaque = { kind: 'opaque', name: this.dry ? this.fresh('dry') : scalar.name, extent, vector: value.type.lanes > 1 };
    return Index.of(atom);
  }

  /** Stores a value at a symbolic address: a vector along a loop variable, or a scalar. */
  store(buffer: Node, flat: Index, value: Expr, vector: { readonly along: LoopVar; readonly lanes: number; readonly count?: number | undefined } | null): void {
    const slot = this.buffer(buffer, true);
    const count = vector?.count === undefined ? {} : { count: indexConstant(vector.count) };
    if (vector && (flat.lanewise || flat.hides(vector.along))) {
      this.push({
        kind: 'scatter',
        buffer: slot,
        indices: this.indexLanes(flat, vector.along.name, vector.lanes),
        value: this.widen(value, vector.lanes),
        ...count,
      });
      return;
    }
    const stride = vector ? flat.coefficientOf(vector.along) : 0;
    if (vector && stride !== 0) this.push({ kind: 'store', buffer: slot, index: this.index(flat), value: this.widen(value, vector.lanes), stride, ...count });
    // One element for all lanes: the first lane has it.
    else this.push({ kind: 'store', buffer: slot, index: this.index(flat), value, stride: 1, ...(value.type.lanes > 1 ? { count: indexConstant(1) } : {}) });
  }

  finish(comment: string, flops: number, bytes: number): Kernel {
    return { name: '', parameters: this.parameters, body: this.scopes[0].statements, comment, flops, bytes };
  }
}
