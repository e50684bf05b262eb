/** The tensor API: what `gradix` exports of tensors, variables, randomness, calculus and compilation. */
import '../ops/index.ts';
import '../engine/host.ts';
import './methods.ts';

export { setDebugLevel } from '../core/debug.ts';
export { type DType, dtypes, type TypedArray } from '../core/dtype.ts';
export { GradixError } from '../core/errors.ts';
export { registerDevice, setDevice } from '../engine/devices.ts';
export * from './activations.ts';
export * from './calculus.ts';
export * from './compile.ts';
export * from './convolution.ts';
export * from './create.ts';
export * from './elementwise.ts';
export * from './indexing.ts';
export * from './linear.ts';
export * from './movement.ts';
export type { NestedNumbers } from './print.ts';
export * as random from './random.ts';
export { seed } from './random.ts';
export { all, any, argMax, argMin, type CumsumOptions, cumsum, logSumExp, max, mean, min, type NormOptions, norm, prod, std, sum, variance } from './reduce.ts';
export { type ScanOptions, scan } from './scan.ts';
export { type Operand, Tensor } from './tensor.ts';
export { Variable, type VariableOptions, variable } from './variable.ts';
