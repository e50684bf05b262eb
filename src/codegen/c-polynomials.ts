/** The polynomials of the vectorised maths as C macros, by Horner's scheme: POLY_NAME(x) of a float32 vector, POLY_WIDE_NAME(x) of a float64 one of half as many lanes. */
import { circular, errorFunction, exponential, hyperbolicTangent, logarithm, power } from './maths-coefficients.ts';

const narrow = {
  EXPM1_A: exponential.a,
  EXPM1_B: exponential.b,
  EXPM1_C: exponential.c,
  TANH: hyperbolicTangent,
  ERF: errorFunction.near,
  LOG_ERFC: errorFunction.far,
  LOG: logarithm,
  SIN: circular.sine,
  COS: circular.cosine,
};
const wide = { WIDE_LOG2: power.logarithm, WIDE_EXP2: power.exponential, WIDE_SIN: circular.wideSine, WIDE_COS: circular.cosine };

function define(name: string, coefficients: readonly number[], fma: string, literal: (c: number) => string): string {
  const sum = coefficients.map(literal).reduceRight((higher, c) => `${fma}(${higher}, x, ${c})`);
  return `#define POLY_${name}(x) ${sum}`;
}

export const cPolynomials = [
  ...Object.entries(narrow).map(([name, list]) => define(name, list, 'fma_vf32', (c) => `splat_f32(${/[.e]/.test(String(c)) ? c : `${c}.0`}f)`)),
  ...Object.entries(wide).map(([name, list]) => define(name, list, 'fma_half', (c) => `splat_half(${c})`)),
].join('\n');
