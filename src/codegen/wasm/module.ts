/** From functions to the bytes of a module. Functions call each other by name; those of `helpers` that are called come along. */
import { fail } from '../../core/errors.ts';
import type { FunctionText, ValueType } from './function.ts';
import { type Code, type Instruction, opcodes, signed, unsigned } from './instructions.ts';

export interface ModuleText {
  readonly functions: readonly FunctionText[];
  /** Names of functions. */
  readonly exports: readonly string[];
  readonly helpers: Helpers;
  /** Functions that the host supplies. */
  readonly imports: Record<string, Signature>;
  /** Memory comes from the host. */
  readonly memory: { readonly shared: boolean };
}

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly result?: ValueType;
}

export type Helpers = Record<string, () => FunctionText>;

const typeCodes: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const sectionIds = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
/** Every memory of the runtime may grow to this many pages of 64 KiB: 4 GiB. */
export const mostPages = 65_536;

export function encodeModule(text: ModuleText): Uint8Array<ArrayBuffer> {
  const functions = linked(text);
  const imported = Object.entries(text.imports);
  const indexOf = new Map([...imported.map(([name]) => name), ...functions.map((f) => f.name)].map((name, i) => [name, i]));
  const types: string[] = [];
  const typeOf = (signature: Signature): number => {
    const { parameters, result } = signature;
    const bytes = [0x60, ...vector(parameters.map((p) => [typeCodes[p]])), ...vector(result ? [[typeCodes[result]]] : [])].join(' ');
    if (!types.includes(bytes)) types.push(bytes);
    return types.indexOf(bytes);
  };
  const limits = text.memory.shared ? [0x03, ...unsigned(1), ...unsigned(mostPages)] : [0x00, ...unsigned(1)];
  const imports = [
    [...name('host'), ...name('memory'), 0x02, ...limits],
    ...imported.map(([key, signature]) => [...name('host'), ...name(key), 0x00, ...unsigned(typeOf(signature))]),
  ];
  const declared = functions.map((f) => unsigned(typeOf(f)));
  const exported = text.exports.map((key) => [...name(key), 0x00, ...unsigned(indexOf.get(key) as number)]);
  const out = new Bytes();
  out.push(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  out.section(sectionIds.type, vector(types.map((type) => type.split(' ').map(Number))));
  out.section(sectionIds.import, vector(imports));
  out.section(sectionIds.function, vector(declared));
  out.section(sectionIds.export, vector(exported));
  const code = new Bytes();
  code.push(...unsigned(functions.length));
  for (const f of functions) code.sized(bodyOf(f, indexOf));
  out.push(sectionIds.code);
  out.sized(code);
  return out.result();
}

/** The functions, and the helpers that they call, directly or not. */
function linked({ functions, helpers, imports }: ModuleText): FunctionText[] {
  const all = [...functions];
  const known = new Set([...Object.keys(imports), ...functions.map((f) => f.name)]);
  const need = (code: Code): void => {
    if (!isInstruction(code)) {
      for (const part of code) need(part);
      return;
    }
    if (code.op !== 'call' || known.has(code.target)) return;
    known.add(code.target);
    all.push((helpers[code.target] ?? fail('internal', 'wasm', `there is no function ${code.target}`))());
  };
  for (let i = 0; i < all.length; i++) need(all[i].body);
  return all;
}

const isInstruction = (code: Code): code is Instruction => !Array.isArray(code);

function bodyOf(f: FunctionText, indexOf: ReadonlyMap<string, number>): Bytes {
  const out = new Bytes();
  const groups: { type: ValueType; count: number }[] = [];
  for (const type of f.locals) {
    const last = groups.at(-1);
    if (last?.type === type) last.count++;
    else groups.push({ type, count: 1 });
  }
  out.push(...vector(groups.map(({ type, count }) => [...unsigned(count), typeCodes[type]])));
  const write = (code: Code): void => {
    if (isInstruction(code)) encode(code, indexOf, out);
    else for (const part of code) write(part);
  };
  write(f.body);
  out.push(0x0b);
  return out;
}

/** Block types: no result, or one of these as a negative number. */
const number = (instruction: { readonly op: string; readonly number: number }): number[] =>
  instruction.op.endsWith('.const') || instruction.op === 'loop' || instruction.op === 'if' ? signed(instruction.number) : unsigned(instruction.number);

function encode(instruction: Instruction, indexOf: ReadonlyMap<string, number>, out: Bytes): void {
  out.push(...(opcodes.get(instruction.op) ?? fail('internal', 'wasm', `there is no instruction ${instruction.op}`)));
  if ('offset' in instruction) out.push(instruction.op.includes('atomic') ? 2 : 0, ...unsigned(instruction.offset));
  if ('lane' in instruction) out.push(instruction.lane);
  else if ('number' in instruction) out.push(...number(instruction));
  else if ('bytes' in instruction) out.push(...instruction.bytes);
  else if ('target' in instruction) out.push(...unsigned(indexOf.get(instruction.target) as number));
  else if ('value' in instruction) {
    const { op, value } = instruction;
    out.push(...new Uint8Array((op === 'f32.const' ? new Float32Array([value]) : new Float64Array([value])).buffer));
  }
}

const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const name = (text: string): number[] => vector([...new TextEncoder().encode(text)].map((byte) => [byte]));

/** Bytes that grow. */
class Bytes {
  private bytes = new Uint8Array(1024);
  private length = 0;

  push(...values: readonly number[]): void {
    this.reserve(values.length);
    for (const value of values) this.bytes[this.length++] = value;
  }

  section(id: number, content: readonly number[]): void {
    this.push(id, ...unsigned(content.length));
    this.push(...content);
  }

  /** Another's bytes after their number. */
  sized(other: Bytes): void {
    this.push(...unsigned(other.length));
    this.reserve(other.length);
    this.bytes.set(other.result(), this.length);
    this.length += other.length;
  }

  result(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
