/** One kernel of the loop IR as one WebAssembly function of the addresses of its buffers and of a range of units. Only prints: every decision was taken before. */
import { fail, unreachable } from '../../core/errors.ts';
import { encodeArray } from '../../core/half.ts';
import type { Expr, Kernel, Stmt, Target, Type } from '../../ir/ir.ts';
import { FunctionBuilder, type FunctionText, get, type Local } from './function.ts';
import { type Code, i32, i32x4, lane, op } from './instructions.ts';
import { type Address, bytesOfScalar, type Count, loadLanes, loadScalar, loadSplat, loadVector, storeLanes, storeScalar, storeVector } from './memory.ts';
import { constantPart, localType, operations, partsOf, type Value } from './operations.ts';

interface Variable {
  readonly locals: readonly Local[];
  readonly mutable: boolean;
}

/** Names of one block, and the addresses computed in it. */
interface Scope {
  readonly variables: Map<string, Variable>;
  readonly addresses: Map<string, Code>;
}

export function renderKernel(kernel: Kernel, target: Target, name: string): FunctionText {
  if (target.language !== 'wasm') fail('internal', 'renderKernel', `target speaks ${target.language}, not wasm`);
  return new KernelRenderer(kernel, target, name).render();
}

class KernelRenderer {
  private readonly f: FunctionBuilder;
  private readonly scopes: Scope[] = [];
  private readonly buffers: readonly Local[];
  private readonly kernel: Kernel;
  private readonly target: Target;

  constructor(kernel: Kernel, target: Target, name: string) {
    this.kernel = kernel;
    this.target = target;
    this.f = new FunctionBuilder(name);
    this.buffers = kernel.parameters.map(() => this.f.parameter('i32'));
  }

  render(): FunctionText {
    const { f } = this;
    const units = ['unitsFrom', 'unitsTo'].map((name): [string, Variable] => [name, { locals: [f.parameter('i32')], mutable: false }]);
    this.scopes.push({ variables: new Map(units), addresses: new Map() });
    this.statements(this.kernel.body);
    return f.finish();
  }

  private variable(name: string): Variable {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const found = this.scopes[i].variables.get(name);
      if (found) return found;
    }
    return fail('internal', 'wasm', `${name} is used before it is declared`);
  }

  private declare(name: string, type: Type, mutable: boolean): readonly Local[] {
    const locals = Array.from({ length: partsOf(type) }, () => this.f.local(localType(type)));
    this.scopes[this.scopes.length - 1].variables.set(name, { locals, mutable });
    return locals;
  }

  /** Statements with names of their own. */
  private block(body: readonly Stmt[]): void {
    this.scopes.push({ variables: new Map(), addresses: new Map() });
    this.statements(body);
    this.scopes.pop();
  }

  private statements(body: readonly Stmt[]): void {
    for (const s of body) this.statement(s);
  }

  private statement(s: Stmt): void {
    const { f } = this;
    switch (s.kind) {
      case 'let':
      case 'declare': {
        const value = this.value(s.value);
        this.declare(s.name, s.value.type, s.kind === 'declare').forEach((local, i) => f.set(local, value[i]));
        break;
      }
      case 'assign': {
        const value = this.value(s.value);
        this.variable(s.name).locals.forEach((local, i) => f.set(local, value[i]));
        break;
      }
      case 'for':
        this.loop(s);
        break;
      case 'if':
        if (s.condition.kind === 'const') f.emit(f.scope(() => this.block(s.condition.kind === 'const' && s.condition.value !== 0 ? s.body : s.otherwise)));
        else f.when(this.value(s.condition)[0], () => this.block(s.body), s.otherwise.length > 0 ? () => this.block(s.otherwise) : undefined);
        break;
      case 'prefetch':
        break;
      case 'scatter': {
        const { scalar } = this.kernel.parameters[s.buffer];
        storeLanes(f, scalar, this.pointers(s.buffer, s.indices), this.value(s.value), this.count(s.count, s.value.type));
        break;
      }
      case 'store':
        this.store(s);
        break;
      default:
        unreachable(s, 'wasm');
    }
  }

  private loop(s: Extract<Stmt, { kind: 'for' }>): void {
    const { f } = this;
    const code = f.scope(() => {
      const from = this.value(s.from)[0];
      const to = s.to.kind === 'const' ? i32(s.to.value) : f.hold(this.value(s.to)[0], 'i32');
      const counter = f.local('i32');
      const atLeastOnce = s.from.kind === 'const' && s.to.kind === 'const' && s.from.value < s.to.value;
      f.loop(counter, { from, to, step: i32(s.step), atLeastOnce }, () => {
        this.scopes.push({ variables: new Map([[s.name, { locals: [counter], mutable: false }]]), addresses: new Map() });
        this.statements(s.body);
        this.scopes.pop();
      });
    });
    f.emit(code);
  }

  private store(s: Extract<Stmt, { kind: 'store' }>): void {
    const { f } = this;
    const { scalar } = this.kernel.parameters[s.buffer];
    const value = this.value(s.value);
    const at = this.address(s.buffer, s.index);
    const count = this.count(s.count, s.value.type);
    if (s.value.type.lanes === 1) f.emit(storeScalar(scalar, at, value[0]));
    else if (s.stride === 1) storeVector(f, scalar, at, value, count);
    else storeLanes(f, scalar, this.strided(at, s.stride * bytesOfScalar[scalar]), value, count);
  }

  private value(e: Expr): Value {
    const { f } = this;
    switch (e.kind) {
      case 'const': {
        const { scalar } = e.type;
        const value = scalar === 'f16' || scalar === 'bf16' ? encodeArray(scalar === 'f16' ? 'float16' : 'bfloat16', [e.value])[0] : e.value;
        return Array<Code>(partsOf(e.type)).fill(constantPart(e.type, value));
      }
      case 'var':
        return this.variable(e.name).locals.map(get);
      case 'lanes':
        return Array.from({ length: partsOf(e.type) }, (_, part) => i32x4(4 * part, 4 * part + 1, 4 * part + 2, 4 * part + 3));
      case 'op':
        return operations[e.op]({ type: e.type, args: e.args.map((a) => this.value(a)), exprs: e.args, f, target: this.target });
      case 'load': {
        const at = this.address(e.buffer, e.index);
        if (e.type.lanes === 1) return [loadScalar(e.type.scalar, at)];
        if (e.stride === 0) return loadSplat(f, e.type, at);
        const count = this.count(e.count, e.type);
        if (e.stride === 1) return loadVector(f, e.type, at, count);
        return loadLanes(f, e.type, this.strided(at, e.stride * bytesOfScalar[e.type.scalar]), count);
      }
      case 'gather':
        return loadLanes(f, e.type, this.pointers(e.buffer, e.indices), e.type.lanes);
      default:
        return unreachable(e, 'wasm');
    }
  }

  private count(count: Expr | undefined, type: Type): Count {
    if (!count) return type.lanes;
    return count.kind === 'const' ? count.value : this.f.hold(this.value(count)[0], 'i32');
  }

  /** Addresses of elements that are `stride` bytes apart. */
  private strided({ base, offset }: Address, stride: number): (lane: number) => Address {
    if (stride >= 0) return (l) => ({ base, offset: offset + l * stride });
    return (l) => ({ base: op('i32.add', base, i32(l * stride)), offset });
  }

  /** Addresses of the elements whose indices are the lanes of a vector. */
  private pointers(buffer: number, indices: Expr): (lane: number) => Address {
    const { f } = this;
    const parts = this.value(indices).map((part) => f.hold(part));
    const bytes = bytesOfScalar[this.kernel.parameters[buffer].scalar];
    return (l) => {
      const index = lane('i32x4.extract_lane', l % 4, parts[Math.floor(l / 4)]);
      return { base: op('i32.add', get(this.buffers[buffer]), scaled(index, bytes)), offset: 0 };
    };
  }

  /** The address of an element. What is constant in it goes into the instruction; the rest is computed once per block. */
  private address(buffer: number, index: Expr): Address {
    const bytes = bytesOfScalar[this.kernel.parameters[buffer].scalar];
    const { rest, constant } = splitConstant(index);
    // An offset in the instruction is added without wrapping around: the rest must not be negative.
    const offset = constant > 0 && (rest === undefined || isNonNegative(rest)) ? constant * bytes : 0;
    const pointer = get(this.buffers[buffer]);
    const whole = offset === constant * bytes ? rest : index;
    if (whole === undefined) return { base: pointer, offset };
    const key = this.isFixed(whole) ? `${buffer} ${textOf(whole)}` : undefined;
    for (const scope of key === undefined ? [] : this.scopes) {
      const known = scope.addresses.get(key as string);
      if (known) return { base: known, offset };
    }
    const base = this.f.hold(op('i32.add', pointer, scaled(this.value(whole)[0], bytes)), 'i32');
    if (key !== undefined) this.scopes[this.scopes.length - 1].addresses.set(key, base);
    return { base, offset };
  }

  /** Whether an expression has the same value for as long as its names are visible. */
  private isFixed(e: Expr): boolean {
    if (e.kind === 'var') return !this.variable(e.name).mutable;
    return e.kind === 'const' || (e.kind === 'op' && e.args.every((a) => this.isFixed(a)));
  }
}

const scaled = (index: Code, bytes: number): Code => (bytes === 1 ? index : op('i32.shl', index, i32(Math.log2(bytes))));

/** index = rest + constant, for sums. */
function splitConstant(index: Expr): { readonly rest: Expr | undefined; readonly constant: number } {
  if (index.kind === 'const') return { rest: undefined, constant: index.value };
  if (index.kind !== 'op' || index.op !== 'add') return { rest: index, constant: 0 };
  const [a, b] = index.args.map(splitConstant);
  const rest: Expr | undefined = a.rest && b.rest ? (a.constant + b.constant === 0 ? index : { ...index, args: [a.rest, b.rest] }) : (a.rest ?? b.rest);
  return { rest, constant: a.constant + b.constant };
}

/** Sums and products of loop counters: everything but differences and negative factors. */
function isNonNegative(e: Expr): boolean {
  if (e.kind === 'const') return e.value >= 0;
  if (e.kind === 'var') return true;
  return e.kind === 'op' && (e.op === 'add' || e.op === 'mul' || e.op === 'quotient' || e.op === 'remainder') && e.args.every(isNonNegative);
}

/** Equal texts are equal values. */
function textOf(e: Expr): string {
  if (e.kind === 'const') return String(e.value);
  if (e.kind === 'var') return e.name;
  return e.kind === 'op' ? `${e.op}(${e.args.map(textOf).join()})` : fail('internal', 'wasm', 'an index reads memory');
}
