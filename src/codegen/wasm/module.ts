/** From functions to the bytes of a module. Functions call each other by name; those of `helpers` that are called come along. */
import { fail } from '../../core/errors.ts';
import type { FunctionText, ValueType } from './function.ts';
import { type Code, type Instruction, opcodes } from './instructions.ts';

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

export function encodeModule({ functions, exports, helpers, imports, memory }: ModuleText): Uint8Array<ArrayBuffer> {
  const imported = Object.entries(imports);
  const all = [...functions];
  const indices = new Map([...imported.map(([key]) => key), ...functions.map((f) => f.name)].map((key, i) => [key, i]));
  /** The number of a function. A helper comes along when it is first called. */
  const indexOf = (target: string): number => {
    let index = indices.get(target);
    if (index === undefined) {
      all.push((helpers[target] ?? fail('internal', 'wasm', `there is no function ${target}`))());
      index = indices.size;
      indices.set(target, index);
    }
    return index;
  };
  const code = new Bytes();
  // Grows meanwhile.
  for (const f of all) code.sized(bodyOf(f, indexOf));

  const types: Signature[] = [];
  const typeOf = (signature: Signature): number => {
    const known = types.findIndex((type) => type.result === signature.result && type.parameters.join() === signature.parameters.join());
    return known >= 0 ? known : types.push(signature) - 1;
  };
  const importsAt = (out: Bytes): void => {
    out
      .unsigned(1 + imported.length)
      .text('host')
      .text('memory')
      .push(0x02, memory.shared ? 0x03 : 0x00)
      .unsigned(1);
    if (memory.shared) out.unsigned(mostPages);
    for (const [key, signature] of imported) out.text('host').text(key).push(0x00).unsigned(typeOf(signature));
  };
  const [importSection, functionSection, exportSection, typeSection] = [new Bytes(), new Bytes(), new Bytes(), new Bytes()];
  importsAt(importSection);
  functionSection.unsigned(all.length);
  for (const f of all) functionSection.unsigned(typeOf(f));
  exportSection.unsigned(exports.length);
  for (const key of exports) exportSection.text(key).push(0x00).unsigned(indexOf(key));
  typeSection.unsigned(types.length);
  for (const { parameters, result } of types) {
    typeSection.push(0x60).unsigned(parameters.length);
    for (const parameter of parameters) typeSection.push(typeCodes[parameter]);
    typeSection.unsigned(result ? 1 : 0);
    if (result) typeSection.push(typeCodes[result]);
  }
  const codeSection = new Bytes().unsigned(all.length).append(code);
  const out = new Bytes().push(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  const sections: [number, Bytes][] = [
    [sectionIds.type, typeSection],
    [sectionIds.import, importSection],
    [sectionIds.function, functionSection],
    [sectionIds.export, exportSection],
    [sectionIds.code, codeSection],
  ];
  for (const [id, section] of sections) out.push(id).sized(section);
  return out.result();
}

const isInstruction = (code: Code): code is Instruction => !Array.isArray(code);

function bodyOf(f: FunctionText, indexOf: (target: string) => number): Bytes {
  const out = new Bytes();
  const groups: { type: ValueType; count: number }[] = [];
  for (const type of f.locals) {
    const last = groups.at(-1);
    if (last?.type === type) last.count++;
    else groups.push({ type, count: 1 });
  }
  out.unsigned(groups.length);
  for (const { type, count } of groups) out.unsigned(count).push(typeCodes[type]);
  const write = (code: Code): void => {
    if (isInstruction(code)) encode(code, indexOf, out);
    else for (const part of code) write(part);
  };
  write(f.body);
  return out.push(0x0b);
}

function encode(instruction: Instruction, indexOf: (target: string) => number, out: Bytes): void {
  const { op } = instruction;
  out.all(opcodes.get(op) ?? fail('internal', 'wasm', `there is no instruction ${op}`));
  if ('number' in instruction) {
    // The type of a block: no result, or one of those as a negative number.
    if (op === 'i32.const' || op === 'i64.const' || op === 'loop' || op === 'if') out.signed(instruction.number);
    else out.unsigned(instruction.number);
    return;
  }
  if ('offset' in instruction) out.push(op.includes('atomic') ? 2 : 0).unsigned(instruction.offset);
  if ('lane' in instruction) out.push(instruction.lane);
  else if ('bytes' in instruction) out.all(instruction.bytes);
  else if ('target' in instruction) out.unsigned(indexOf(instruction.target));
  else if ('value' in instruction)
    out.all(new Uint8Array((op === 'f32.const' ? new Float32Array([instruction.value]) : new Float64Array([instruction.value])).buffer));
}

/** Bytes that grow. Numbers are LEB128. */
class Bytes {
  private bytes = new Uint8Array(1024);
  private length = 0;

  push(...values: readonly number[]): this {
    return this.all(values);
  }

  all(values: ArrayLike<number>): this {
    this.reserve(values.length);
    for (let i = 0; i < values.length; i++) this.bytes[this.length++] = values[i];
    return this;
  }

  unsigned(value: number): this {
    this.reserve(10);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.bytes[this.length++] = (rest % 128) | 128;
    this.bytes[this.length++] = rest;
    return this;
  }

  signed(value: number): this {
    this.reserve(10);
    let rest = value | 0;
    for (; rest < -64 || rest > 63; rest >>= 7) this.bytes[this.length++] = (rest & 127) | 128;
    this.bytes[this.length++] = rest & 127;
    return this;
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.unsigned(bytes.length).all(bytes);
  }

  append(other: Bytes): this {
    this.reserve(other.length);
    this.bytes.set(other.result(), this.length);
    this.length += other.length;
    return this;
  }

  /** Another's bytes after their number. */
  sized(other: Bytes): this {
    return this.unsigned(other.length).append(other);
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
