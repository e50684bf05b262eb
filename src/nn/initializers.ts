/**
 * Initial values of parameters, drawn on the host from the default random sequence.
 * Glorot & Bengio 2010 (xavier), He et al. 2015 (kaiming), LeCun et al. 1998, Saxe et al. 2014 (orthogonal).
 */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { random } from '../tensor/index.ts';
import { checkNumber } from './options.ts';

/** Numbers of inputs per output and outputs per input, e.g. for a convolution kernel volume × channels. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Values for a parameter of a shape, row-major. */
export type Initializer = (shape: Shape, fans: Fans) => Float64Array;

const drawUniform = (shape: Shape, low: number, high: number): Float64Array => random.hostUniform(sizeOf(shape), low, high);

/** Box–Muller on pairs of uniforms; 1 − u keeps the logarithm finite. */
function drawNormal(count: number, standardDeviation = 1): Float64Array {
  const u = random.hostUniform(2 * count);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = Math.sqrt(-2 * Math.log(1 - u[2 * i])) * Math.cos(2 * Math.PI * u[2 * i + 1]) * standardDeviation;
  return out;
}

export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float64Array(sizeOf(shape)).fill(checkNumber('constant', 'value', value));
export const zeros = (): Initializer => constant(0);
export const ones = (): Initializer => constant(1);

/** Uniform in [low, high). */
export const uniform =
  (low: number, high: number): Initializer =>
  (shape) =>
    drawUniform(shape, low, high);

/** Normal with a standard deviation. */
export const normal =
  (standardDeviation = 1): Initializer =>
  (shape) =>
    drawNormal(sizeOf(shape), standardDeviation);

/** Variance gain² / fan, drawn from the one or the other family. */
const scaledUniform =
  (variance: (fans: Fans) => number): Initializer =>
  (shape, fans) => {
    const limit = Math.sqrt(3 * variance(fans));
    return drawUniform(shape, -limit, limit);
  };
const scaledNormal =
  (variance: (fans: Fans) => number): Initializer =>
  (shape, fans) =>
    normal(Math.sqrt(variance(fans)))(shape, fans);

/** Variance 2 / (fanIn + fanOut): for tanh and sigmoid. */
export const glorotUniform = (): Initializer => scaledUniform(({ fanIn, fanOut }) => 2 / (fanIn + fanOut));
export const glorotNormal = (): Initializer => scaledNormal(({ fanIn, fanOut }) => 2 / (fanIn + fanOut));
/** Variance 2 / fanIn: for ReLU. */
export const heUniform = (): Initializer => scaledUniform(({ fanIn }) => 2 / fanIn);
export const heNormal = (): Initializer => scaledNormal(({ fanIn }) => 2 / fanIn);
/** Variance 1 / fanIn: for SELU and plain sums. */
export const lecunUniform = (): Initializer => scaledUniform(({ fanIn }) => 1 / fanIn);
export const lecunNormal = (): Initializer => scaledNormal(({ fanIn }) => 1 / fanIn);

export { glorotNormal as xavierNormal, glorotUniform as xavierUniform, heNormal as kaimingNormal, heUniform as kaimingUniform };

/** Uniform in ±1/√fanIn, variance 1 / (3 fanIn): the default of linear and conv layers, weight and bias (PyTorch's default). */
export const fanInUniform = (): Initializer => scaledUniform(({ fanIn }) => 1 / (3 * Math.max(1, fanIn)));

/** Orthonormal columns or rows (the shape seen as a matrix [rest, last]), times `gain`. */
export const orthogonal =
  ({ gain = 1 }: { gain?: number } = {}): Initializer =>
  (shape) => {
    if (shape.length < 2) fail('shape', 'orthogonal', `expected a shape of at least two dimensions, got ${showShape(shape)}`);
    const columns = shape[shape.length - 1];
    const rows = sizeOf(shape) / Math.max(1, columns);
    const wide = columns > rows;
    const [length, count] = wide ? [columns, rows] : [rows, columns];
    const vectors = orthonormal(drawNormal(length * count), length, count);
    return Float64Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return gain * (wide ? vectors[row * length + column] : vectors[column * length + row]);
    });
  };

/** Modified Gram–Schmidt, twice for accuracy: `count` vectors of `length` numbers one after another. */
function orthonormal(vectors: Float64Array, length: number, count: number): Float64Array {
  for (let i = 0; i < count; i++) {
    const v = vectors.subarray(i * length, (i + 1) * length);
    for (let j = 0; j < 2 * i; j++) {
      const q = vectors.subarray((j % i) * length, ((j % i) + 1) * length);
      const projection = v.reduce((sum, value, k) => sum + value * q[k], 0);
      for (let k = 0; k < length; k++) v[k] -= projection * q[k];
    }
    const norm = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
    for (let k = 0; k < length; k++) v[k] /= norm;
  }
  return vectors;
}
