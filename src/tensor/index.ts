/** The tensor API: what `gradix` exports of tensors, variables, randomness, calculus and compilation. */
import '../ops/index.ts';
import '../engine/host.ts';
import './methods.ts';

export { type DType, dtypes, type TypedArray } from '../core/dtype.ts';
export { GradixError } from '../core/errors.ts';
export { setDebugLevel } from '../core/debug.ts';
export { registerDevice, setDevice } from '../engine/devices.ts';
export * from './activations.ts';
export { checkGradients, checkpoint, customGradient, grad, type GradientCheck, type Gradients, gradients, hessian, jacobian, valueAndGrad } from './calculus.ts';
export { compile, type CompiledFunction, type Explanation, registerSignatureExtra } from './compile.ts';
export { type ConvOptions, type ConvTransposeOptions, avgPool, conv, convTranspose, maxPool, type PoolOptions } from './convolution.ts';
export * from './create.ts';
export * from './elementwise.ts';
export * from './indexing.ts';
export * from './linear.ts';
export * from './movement.ts';
export type { NestedNumbers } from './print.ts';
export * as random from './random.ts';
export { seed } from './random.ts';
export { all, any, argMax, argMin, cumsum, type CumsumOptions, logSumExp, max, mean, min, norm, type NormOptions, prod, std, sum, variance } from './reduce.ts';
export { scan, type ScanOptions } from './scan.ts';
export { type Operand, Tensor } from './tensor.ts';
export { Variable, variable, type VariableOptions } from './variable.ts';
