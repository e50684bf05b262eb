/**
 * WebAssembly instructions as data: names as in the specification, with their opcodes and immediates (WebAssembly core specification 3.0, chapter 5;
 * threads and relaxed SIMD included). Code is a nest of instructions, so that pieces compose by putting them side by side.
 */

/** Names at consecutive opcodes from the given one on; "-" where this compiler needs none. */
const plain = {
  0: 'unreachable',
  11: 'end',
  15: 'return',
  26: 'drop select',
  69: 'i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u',
  91: 'f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge',
  106: 'i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u',
  139: 'f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign',
  153: 'f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign',
  178: 'f32.convert_i32_s f32.convert_i32_u - - f32.demote_f64 f64.convert_i32_s f64.convert_i32_u - - f64.promote_f32',
  188: 'i32.reinterpret_f32 - f32.reinterpret_i32',
} as const;
/** Behind the prefix 0xfc. */
const saturating = { 0: 'i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s' } as const;
/** Behind the prefix 0xfd. */
const simd = {
  14: 'i8x16.swizzle - - i32x4.splat - f32x4.splat f64x2.splat',
  55: 'i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u',
  65: 'f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge',
  77: 'v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true',
  94: 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4',
  103: 'f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest',
  116: 'f64x2.ceil f64x2.floor',
  122: 'f64x2.trunc',
  134: 'i16x8.narrow_i32x4_u - - i16x8.extend_low_i8x16_u',
  148: 'f64x2.nearest',
  160: 'i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask',
  169: 'i32x4.extend_low_i16x8_u - i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add - - i32x4.sub - - - i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u',
  199: 'i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s - - i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add - - i64x2.sub',
  224: 'f32x4.abs f32x4.neg - f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax',
  236: 'f64x2.abs f64x2.neg - f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax',
  248: 'i32x4.trunc_sat_f32x4_s - f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero - f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u',
  261: 'f32x4.relaxed_madd - f64x2.relaxed_madd',
} as const;

/** With an address: alignment and offset. */
const memory = {
  40: 'i32.load - f32.load f64.load - i32.load8_u - i32.load16_u',
  54: 'i32.store - f32.store f64.store i32.store8 i32.store16',
} as const;
const simdMemory = {
  0: 'v128.load',
  9: 'v128.load32_splat v128.load64_splat v128.store',
  92: 'v128.load32_zero v128.load64_zero',
} as const;
/** Behind the prefix 0xfe: aligned to their width. */
const atomics = {
  0: 'memory.atomic.notify memory.atomic.wait32',
  16: 'i32.atomic.load',
  23: 'i32.atomic.store',
  30: 'i32.atomic.rmw.add',
} as const;
/** With a lane number. */
const lanes = { 27: 'i32x4.extract_lane i32x4.replace_lane - - f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane' } as const;
/** With an address and a lane number. */
const laneMemory = { 86: 'v128.load32_lane v128.load64_lane - - v128.store32_lane v128.store64_lane' } as const;
/** With one number: a variable, a label, a block's type. */
const numbered = { 3: 'loop if', 12: 'br br_if', 32: 'local.get local.set', 65: 'i32.const i64.const' } as const;

type Words<Text extends string> = Text extends `${infer First} ${infer Rest}` ? First | Words<Rest> : Text;
type NamesIn<Table> = Exclude<Words<Extract<Table[keyof Table], string>>, '-'>;
export type Plain = NamesIn<typeof plain> | NamesIn<typeof saturating> | NamesIn<typeof simd>;
export type MemoryOp = NamesIn<typeof memory> | NamesIn<typeof simdMemory> | NamesIn<typeof atomics>;
export type LaneOp = NamesIn<typeof lanes>;
export type LaneMemoryOp = NamesIn<typeof laneMemory>;
export type Numbered = NamesIn<typeof numbered>;

export type Instruction =
  | { readonly op: Plain | 'else' }
  | { readonly op: MemoryOp; readonly offset: number }
  | { readonly op: LaneOp; readonly lane: number }
  | { readonly op: LaneMemoryOp; readonly offset: number; readonly lane: number }
  | { readonly op: Numbered; readonly number: number }
  | { readonly op: 'f32.const' | 'f64.const'; readonly value: number }
  | { readonly op: 'v128.const' | 'i8x16.shuffle'; readonly bytes: readonly number[] }
  | { readonly op: 'call'; readonly target: string };

export type Code = Instruction | readonly Code[];

/** Bytes of each opcode, its prefix included. */
export const opcodes: ReadonlyMap<string, readonly number[]> = new Map([
  ...tableOf(undefined, plain),
  ...tableOf(0xfc, saturating),
  ...tableOf(0xfd, simd),
  ...tableOf(undefined, memory),
  ...tableOf(0xfd, simdMemory),
  ...tableOf(0xfe, atomics),
  ...tableOf(0xfd, lanes),
  ...tableOf(0xfd, laneMemory),
  ...tableOf(undefined, numbered),
  ...tableOf(undefined, { 5: 'else', 16: 'call', 67: 'f32.const f64.const' }),
  ...tableOf(0xfd, { 12: 'v128.const i8x16.shuffle' }),
]);

function tableOf(prefix: number | undefined, rows: Record<number, string>): [string, number[]][] {
  return Object.entries(rows).flatMap(([first, names]) =>
    names.split(' ').flatMap((name, i): [string, number[]][] => (name === '-' ? [] : [[name, opcodeOf(prefix, Number(first) + i)]])),
  );
}

/** One byte, or a prefix and a number as LEB128. */
function opcodeOf(prefix: number | undefined, code: number): number[] {
  if (prefix === undefined) return [code];
  return code < 128 ? [prefix, code] : [prefix, (code & 127) | 128, code >> 7];
}

/** Operands, then the instruction. */
function behind(operands: Code[], instruction: Instruction): Code {
  operands.push(instruction);
  return operands;
}
export const op = (name: Plain, ...operands: Code[]): Code => behind(operands, { op: name });
export const load = (name: MemoryOp, address: Code, offset = 0): Code => [address, { op: name, offset }];
export const store = (name: MemoryOp, address: Code, value: Code, offset = 0): Code => [address, value, { op: name, offset }];
export const lane = (name: LaneOp, number: number, ...operands: Code[]): Code => behind(operands, { op: name, lane: number });
export const call = (target: string, ...operands: Code[]): Code => behind(operands, { op: 'call', target });
export const i32 = (value: number): Code => ({ op: 'i32.const', number: value });
export const f32 = (value: number): Code => ({ op: 'f32.const', value });
export const f64 = (value: number): Code => ({ op: 'f64.const', value });
export const i32x4 = (...values: readonly number[]): Code => constantVector(new Int32Array(values.length === 1 ? Array<number>(4).fill(values[0]) : values));
export const f32x4 = (value: number): Code => constantVector(new Float32Array(4).fill(value));
export const f64x2 = (value: number): Code => constantVector(new Float64Array(2).fill(value));
/** Four 32-bit lanes picked from those of two vectors: 0 … 3 the first, 4 … 7 the second. */
export const shuffle = (a: Code, b: Code, ...from: readonly number[]): Code => [
  a,
  b,
  { op: 'i8x16.shuffle', bytes: from.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]) },
];

const constantVector = (values: Int32Array | Float32Array | Float64Array): Code => ({ op: 'v128.const', bytes: [...new Uint8Array(values.buffer)] });
