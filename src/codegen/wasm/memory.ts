/** Loads and stores of scalars and vectors: contiguous, with a stride, gathered and scattered, whole or only the first lanes. */
import type { Scalar, Type } from '../../ir/ir.ts';
import { type FunctionBuilder, get } from './function.ts';
import { type Code, i32, i32x4, type LaneOp, lane, load, type MemoryOp, op, store } from './instructions.ts';
import { constantPart, kindOf, partsOf, type Value } from './operations.ts';

/** A place in memory: `base` may be used more than once. */
export interface Address {
  readonly base: Code;
  readonly offset: number;
}

/** How many of the first lanes take part: all, a number that is known, or one that is known when the kernel runs. */
export type Count = number | Code;

export const bytesOfScalar: Record<Scalar, number> = { f32: 4, f64: 8, f16: 2, bf16: 2, i32: 4, u8: 1, bool: 1, index: 4 };
const scalarLoads: Record<number, MemoryOp> = { 1: 'i32.load8_u', 2: 'i32.load16_u', 4: 'i32.load' };
const scalarStores: Record<number, MemoryOp> = { 1: 'i32.store8', 2: 'i32.store16', 4: 'i32.store' };
const isFloat = (scalar: Scalar): scalar is 'f32' | 'f64' => scalar === 'f32' || scalar === 'f64';

export const loadScalar = (scalar: Scalar, { base, offset }: Address): Code =>
  load(isFloat(scalar) ? `${scalar}.load` : scalarLoads[bytesOfScalar[scalar]], base, offset);

export const storeScalar = (scalar: Scalar, { base, offset }: Address, value: Code): Code =>
  store(isFloat(scalar) ? `${scalar}.store` : scalarStores[bytesOfScalar[scalar]], base, value, offset);

/** One element in all lanes. */
export function loadSplat(f: FunctionBuilder, type: Type, { base, offset }: Address): Value {
  const parts = partsOf(type);
  const bytes = bytesOfScalar[type.scalar];
  const element =
    bytes >= 4
      ? load(bytes === 8 ? 'v128.load64_splat' : 'v128.load32_splat', base, offset)
      : op('i32x4.splat', type.scalar === 'bool' ? op('i32.sub', i32(0), loadScalar('bool', { base, offset })) : loadScalar(type.scalar, { base, offset }));
  return Array<Code>(parts).fill(parts > 1 ? f.hold(element) : element);
}

/** Four narrow elements as 32-bit lanes. */
function loadNarrow(scalar: Scalar, base: Code, offset: number): Code {
  const bytes = bytesOfScalar[scalar];
  const halves = bytes === 1 ? op('i16x8.extend_low_i8x16_u', load('v128.load32_zero', base, offset)) : load('v128.load64_zero', base, offset);
  const wide = op('i32x4.extend_low_i16x8_u', halves);
  return scalar === 'bool' ? op('i32x4.neg', wide) : wide;
}

/** Lanes of one part. */
const lanesPerPart = (scalar: Scalar): number => (scalar === 'f64' ? 2 : 4);

export function loadVector(f: FunctionBuilder, type: Type, { base, offset }: Address, count: Count): Value {
  const { scalar } = type;
  const bytes = bytesOfScalar[scalar];
  const perPart = lanesPerPart(scalar);
  if (typeof count !== 'number') return loadLanes(f, type, (l) => ({ base, offset: offset + l * bytes }), count);
  return Array.from({ length: partsOf(type) }, (_, part) => {
    const at = offset + part * perPart * bytes;
    const left = count - part * perPart;
    if (left <= 0) return constantPart(type, 0);
    if (left >= perPart) return bytes >= 4 ? load('v128.load', base, at) : loadNarrow(scalar, base, at);
    if (bytes === 8) return load('v128.load64_zero', base, at);
    if (bytes < 4) return loadLanes(f, { scalar, lanes: 4 }, (l) => ({ base, offset: at + l * bytes }), left)[0];
    if (left === 1) return load('v128.load32_zero', base, at);
    const two = load('v128.load64_zero', base, at);
    return left === 2 ? two : [base, two, { op: 'v128.load32_lane', offset: at + 8, lane: 2 }];
  });
}

/** Lane by lane; the lanes beyond the count are 0. */
export function loadLanes(f: FunctionBuilder, type: Type, addressOf: (lane: number) => Address, count: Count): Value {
  const { scalar } = type;
  const perPart = lanesPerPart(scalar);
  const replaced = (into: Code, part: number, l: number): Code => {
    const at = addressOf(part * perPart + l);
    if (bytesOfScalar[scalar] >= 4) return [at.base, into, { op: scalar === 'f64' ? 'v128.load64_lane' : 'v128.load32_lane', offset: at.offset, lane: l }];
    const element = loadScalar(scalar, at);
    return lane('i32x4.replace_lane', l, into, scalar === 'bool' ? op('i32.sub', i32(0), element) : element);
  };
  return Array.from({ length: partsOf(type) }, (_, part) => {
    const value = f.local('v128');
    f.set(value, constantPart(type, 0));
    for (let l = 0; l < perPart; l++) {
      const number = part * perPart + l;
      const take = (): void => f.set(value, replaced(get(value), part, l));
      if (typeof count !== 'number') f.when(op('i32.lt_s', i32(number), count), take);
      else if (number < count) take();
    }
    return get(value);
  });
}

/** Bytes of the narrow elements within their 32-bit lanes. */
const narrowBytes = { 1: [0, 4, 8, 12], 2: [0, 1, 4, 5, 8, 9, 12, 13] } as const;

export function storeVector(f: FunctionBuilder, scalar: Scalar, { base, offset }: Address, value: Value, count: Count): void {
  const bytes = bytesOfScalar[scalar];
  const perPart = lanesPerPart(scalar);
  if (typeof count !== 'number') {
    storeLanes(f, scalar, (l) => ({ base, offset: offset + l * bytes }), value, count);
    return;
  }
  value.forEach((part, i) => {
    const at = offset + i * perPart * bytes;
    const left = count - i * perPart;
    if (left <= 0) return;
    if (left >= perPart && bytes >= 4) f.emit(store('v128.store', base, part, at));
    else if (left >= perPart) {
      const packed = narrowBytes[bytes === 1 ? 1 : 2];
      const whole = scalar === 'bool' ? op('v128.and', part, i32x4(1)) : part;
      const x = f.hold(whole);
      const shuffled: Code = [x, x, { op: 'i8x16.shuffle', bytes: Array.from({ length: 16 }, (_, b) => packed[b % packed.length]) }];
      f.emit(base, shuffled, { op: bytes === 1 ? 'v128.store32_lane' : 'v128.store64_lane', offset: at, lane: 0 });
    } else if (bytes === 8) f.emit(base, part, { op: 'v128.store64_lane', offset: at, lane: 0 });
    else if (bytes < 4) storeLanes(f, scalar, (l) => ({ base, offset: at + l * bytes }), [part], left);
    else {
      const x = f.hold(part);
      if (left > 1) f.emit(base, x, { op: 'v128.store64_lane', offset: at, lane: 0 });
      if (left !== 2) f.emit(base, x, { op: 'v128.store32_lane', offset: at + 4 * (left - 1), lane: left - 1 });
    }
  });
}

export function storeLanes(f: FunctionBuilder, scalar: Scalar, addressOf: (lane: number) => Address, value: Value, count: Count): void {
  const perPart = lanesPerPart(scalar);
  const kind = kindOf(scalar);
  const extract: LaneOp = kind === 'f32' ? 'f32x4.extract_lane' : kind === 'f64' ? 'f64x2.extract_lane' : 'i32x4.extract_lane';
  value.forEach((part, i) => {
    const x = f.hold(part);
    for (let l = 0; l < perPart; l++) {
      const number = i * perPart + l;
      const put = (): void => {
        const element = lane(extract, l, x);
        f.emit(storeScalar(scalar, addressOf(number), scalar === 'bool' ? op('i32.and', element, i32(1)) : element));
      };
      if (typeof count !== 'number') f.when(op('i32.lt_s', i32(number), count), put);
      else if (number < count) put();
    }
  });
}
