/** Elementwise functions. Operands are broadcast; numbers take the tensor's dtype; results of comparisons are bool. */
import { checkDTypeName, type DType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { currentDevice } from '../engine/devices.ts';
import type { Binary, Unary } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import { stopGradient as stop } from '../graph/override.ts';
import * as build from '../ops/build.ts';
import type { DeviceName } from '../runtime/device.ts';
import { arithmetic, floating, nodeOf, type Operand, raw, type Tensor, truth, wrap } from './tensor.ts';

type OfOne = (x: Operand) => Tensor;
type OfTwo = (a: Operand, b: Operand) => Tensor;

/** The function that an op is, of operands that have been made floats, or numbers, … */
function ofOne(op: Unary, prepare: (x: Operand, operation: string) => Node): OfOne {
  return (x) => wrap(build.unary(op, prepare(x, op)));
}
function ofTwo(op: Binary): OfTwo {
  return (a, b) => wrap(build.binary(op, raw(a, op), raw(b, op)));
}
/** Arithmetic on bools counts them as 0 and 1. */
function arithmeticOfTwo(op: Binary): OfTwo {
  return (a, b) => wrap(build.binary(op, counted(raw(a, op), b), counted(raw(b, op), a)));
}

const numbers = (x: Operand, operation: string): Node => countBools(arithmetic(x, operation));
const countBools = (x: Node): Node => (x.dtype === 'bool' ? build.cast(x, 'int32') : x);
const counted = (x: Node | number, other: Operand): Node | number =>
  typeof x !== 'number' && (typeof other === 'number' || other.dtype === 'bool') ? countBools(x) : x;

export const add = arithmeticOfTwo('add');
export const sub = arithmeticOfTwo('sub');
export const mul = arithmeticOfTwo('mul');
/** Quotient. Two int32 tensors divide to the floor; cast one to float32 for a true quotient. */
export const div = arithmeticOfTwo('div');
export const pow = arithmeticOfTwo('pow');
/** Remainder with the sign of the divisor. */
export const mod = arithmeticOfTwo('mod');
export const minimum = ofTwo('minimum');
export const maximum = ofTwo('maximum');

export const neg = ofOne('neg', numbers);
export const abs = ofOne('abs', numbers);
export const sign = ofOne('sign', numbers);
export const exp = ofOne('exp', floating);
export const log = ofOne('log', floating);
/** log(1 + x), exact near 0. */
export const log1p = ofOne('log1p', floating);
/** exp(x) − 1, exact near 0. */
export const expm1 = ofOne('expm1', floating);
export const sqrt = ofOne('sqrt', floating);
/** 1 / √x */
export const rsqrt = ofOne('rsqrt', floating);
export const reciprocal = ofOne('reciprocal', floating);
export const sin = ofOne('sin', floating);
export const cos = ofOne('cos', floating);
export const tan = ofOne('tan', floating);
export const tanh = ofOne('tanh', floating);
/** 1 / (1 + exp(−x)) */
export const sigmoid = ofOne('sigmoid', floating);
/** The error function 2/√π ∫₀ˣ exp(−t²) dt. */
export const erf = ofOne('erf', floating);
export const floor = ofOne('floor', floating);
export const ceil = ofOne('ceil', floating);
/** To the nearest whole number, ties to even. */
export const round = ofOne('round', floating);
export const isNaN = ofOne('isNaN', floating);
/** Neither infinite nor NaN. */
export const isFinite: OfOne = (x) => wrap(build.less(build.abs(floating(x, 'isFinite')), Number.POSITIVE_INFINITY));
export function square(x: Operand): Tensor {
  const node = numbers(x, 'square');
  return wrap(build.mul(node, node));
}

export const equal = ofTwo('equal');
export const notEqual = ofTwo('notEqual');
export const less = ofTwo('less');
export const lessEqual = ofTwo('lessEqual');
export const greater = ofTwo('greater');
export const greaterEqual = ofTwo('greaterEqual');

export const logicalAnd: OfTwo = (a, b) => wrap(build.logicalAnd(truth(a, 'logicalAnd'), truth(b, 'logicalAnd')));
export const logicalOr: OfTwo = (a, b) => wrap(build.logicalOr(truth(a, 'logicalOr'), truth(b, 'logicalOr')));
export const logicalNot = ofOne('logicalNot', truth);

/** a where the condition holds, else b; all three broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const asIs = (x: Operand): Node | number => (typeof x === 'number' ? x : nodeOf(x, 'where'));
  return wrap(build.select(truth(condition, 'where'), asIs(a), asIs(b)));
}

/** Limits values to [low, high]; the gradient is 0 outside. */
export function clip(x: Operand, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): Tensor {
  if (low > high) fail('value', 'clip', `low ${low} is above high ${high}`);
  let node = arithmetic(x, 'clip');
  if (low !== Number.NEGATIVE_INFINITY) node = build.maximum(node, low);
  if (high !== Number.POSITIVE_INFINITY) node = build.minimum(node, high);
  return wrap(node);
}

/** Converts to another dtype. Floats become whole numbers by truncation; anything but 0 becomes true. */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkDTypeName('cast', dtype);
  return x.dtype === dtype ? x : wrap(build.cast(nodeOf(x, 'cast'), dtype));
}

/** The same value, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => wrap(stop(nodeOf(x, 'stopGradient')));

/** The tensor for use on a device. All CPU devices share their memory. */
export function to(x: Tensor, device: DeviceName): Tensor {
  const cpu: readonly string[] = ['reference', 'native', 'wasm'];
  const now = currentDevice();
  const hint = 'Choose one device for the whole program: setDevice(name) or GRADIX_DEVICE.';
  if (device !== now && !(cpu.includes(device) && cpu.includes(now))) fail('device', 'to', `there is no way from ${now} to ${device} yet`, hint);
  return x;
}
