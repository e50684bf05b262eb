/** Elementwise functions. Operands are broadcast; numbers take the tensor's dtype; results of comparisons are bool. */

import { stopGradient as stop } from '../autodiff/override.ts';
import type { DType } from '../core/dtype.ts';
import { isDType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { currentDevice } from '../engine/devices.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import type { DeviceName } from '../runtime/device.ts';
import { arithmetic, floating, nodeOf, type Operand, raw, type Tensor, wrap } from './tensor.ts';

type UnaryOp = Parameters<typeof build.unary>[0];
type BinaryOp = Parameters<typeof build.binary>[0];
type Unary = (x: Operand) => Tensor;
type Binary = (a: Operand, b: Operand) => Tensor;

/** A function of floating-point numbers; whole numbers are converted to float32. */
const ofFloats =
  (op: UnaryOp): Unary =>
  (x) =>
    wrap(build.unary(op, floating(x, op)));
/** A function that keeps the dtype. */
const ofNumbers =
  (op: UnaryOp): Unary =>
  (x) =>
    wrap(build.unary(op, numbers(arithmetic(x, op))));
const ofTwo =
  (op: BinaryOp): Binary =>
  (a, b) =>
    wrap(build.binary(op, raw(a, op), raw(b, op)));
/** Arithmetic on bools counts them as 0 and 1. */
const arithmeticOfTwo =
  (op: BinaryOp): Binary =>
  (a, b) =>
    wrap(build.binary(op, counted(raw(a, op), b), counted(raw(b, op), a)));

const numbers = (x: Node): Node => (x.dtype === 'bool' ? build.cast(x, 'int32') : x);
const counted = (x: Node | number, other: Operand): Node | number =>
  typeof x !== 'number' && x.dtype === 'bool' && (typeof other === 'number' || other.dtype === 'bool') ? build.cast(x, 'int32') : x;

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

export const neg = ofNumbers('neg');
export const abs = ofNumbers('abs');
export const sign = ofNumbers('sign');
export const exp = ofFloats('exp');
export const log = ofFloats('log');
/** log(1 + x), exact near 0. */
export const log1p = ofFloats('log1p');
/** exp(x) − 1, exact near 0. */
export const expm1 = ofFloats('expm1');
export const sqrt = ofFloats('sqrt');
/** 1 / √x */
export const rsqrt = ofFloats('rsqrt');
export const reciprocal = ofFloats('reciprocal');
export const sin = ofFloats('sin');
export const cos = ofFloats('cos');
export const tan = ofFloats('tan');
export const tanh = ofFloats('tanh');
/** 1 / (1 + exp(−x)) */
export const sigmoid = ofFloats('sigmoid');
/** The error function 2/√π ∫₀ˣ exp(−t²) dt. */
export const erf = ofFloats('erf');
export const floor = ofFloats('floor');
export const ceil = ofFloats('ceil');
/** To the nearest whole number, ties to even. */
export const round = ofFloats('round');
export const isNaN = ofFloats('isNaN');
/** Neither infinite nor NaN. */
export const isFinite: Unary = (x) => {
  const node = floating(x, 'isFinite');
  return wrap(build.less(build.abs(node), Number.POSITIVE_INFINITY));
};
export const square: Unary = (x) => {
  const node = numbers(arithmetic(x, 'square'));
  return wrap(build.mul(node, node));
};

export const equal = ofTwo('equal');
export const notEqual = ofTwo('notEqual');
export const less = ofTwo('less');
export const lessEqual = ofTwo('lessEqual');
export const greater = ofTwo('greater');
export const greaterEqual = ofTwo('greaterEqual');

const truth = (x: Operand, operation: string): Node => build.cast(nodeOf(x, operation), 'bool');
export const logicalAnd: Binary = (a, b) => wrap(build.logicalAnd(truth(a, 'logicalAnd'), truth(b, 'logicalAnd')));
export const logicalOr: Binary = (a, b) => wrap(build.binary('logicalOr', truth(a, 'logicalOr'), truth(b, 'logicalOr')));
export const logicalNot: Unary = (x) => wrap(build.logicalNot(truth(x, 'logicalNot')));

/** a where the condition holds, else b; all three broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const test = truth(condition, 'where');
  const [x, y] = build.matchOperands('where', [asIs(a), asIs(b)]);
  const shape = build.matchOperands('where', [test, x]).at(0)?.shape ?? test.shape;
  return wrap(build.select(build.broadcast(test, shape), build.broadcast(x, shape), build.broadcast(y, shape)));
}
const asIs = (x: Operand): Node | number => (typeof x === 'number' ? x : nodeOf(x, 'where'));

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
  if (!isDType(dtype)) fail('dtype', 'cast', `there is no dtype "${String(dtype)}"`, 'Use float32, float64, float16, bfloat16, int32, uint8 or bool.');
  return x.dtype === dtype ? x : wrap(build.cast(nodeOf(x, 'cast'), dtype));
}

/** The same value, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => wrap(stop(nodeOf(x, 'stopGradient')));

/** The tensor for use on a device. All CPU devices share their memory. */
export function to(x: Tensor, device: DeviceName): Tensor {
  const cpu: readonly string[] = ['reference', 'native', 'wasm'];
  if (device !== currentDevice() && !(cpu.includes(device) && cpu.includes(currentDevice()))) {
    fail(
      'device',
      'to',
      `there is no way from ${currentDevice()} to ${device} yet`,
      'Choose one device for the whole program: setDevice(name) or GRADIX_DEVICE.',
    );
  }
  return x;
}
