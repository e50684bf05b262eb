/** Samples of the elementwise ops of one operand. */
import { dtypes, isFloating } from '../../../src/core/dtype.ts';
import type { Unary } from '../../../src/graph/attributes.ts';
import { fromTable, inputs, oddShapes, type Sample, type SamplesOf, sample, valuesOnly } from './sample.ts';

/** Where values are drawn: the domain, clear of kinks; and a larger range, for values only. Default: −1 … 1. */
interface Domain {
  readonly range?: readonly [low: number, high: number];
  readonly wide?: readonly [low: number, high: number];
  /** Whole numbers are taken too. */
  readonly whole?: true;
}

const none = {};
const edges = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

function samplesOf(_: Unary, domain: Domain | 'bool'): Sample<Unary>[] {
  if (domain === 'bool') return oddShapes.map((shape) => sample(`[${shape}]`, [{ shape, dtype: 'bool' }], none));
  const { range: [low, high] = [-1, 1], wide = [low * 3, high * 3], whole } = domain;
  const samples: Sample<Unary>[] = oddShapes.map((shape) => sample(`[${shape}]`, [{ shape, low, high }], none));
  samples.push(valuesOnly('wide', inputs('101', { low: wide[0], high: wide[1] }), none));
  samples.push(valuesOnly('float64', inputs('17', { dtype: 'float64', low, high }), none));
  samples.push(valuesOnly('edges', inputs(`${edges.length}`, { values: edges }), none));
  if (!whole) return samples;
  samples.push(valuesOnly('int32', inputs('9', { dtype: 'int32', low: -20, high: 20 }), none));
  return [...samples, valuesOnly('uint8', inputs('9', { dtype: 'uint8', low: 0, high: 255 }), none)];
}

const table: { readonly [K in Unary]: Domain | 'bool' } = {
  neg: { range: [-2, 2], whole: true },
  abs: { range: [0.2, 2], wide: [-3, 3], whole: true },
  sign: { range: [0.2, 2], wide: [-3, 3], whole: true },
  exp: { range: [-2, 2], wide: [-80, 80] },
  log: { range: [0.3, 3], wide: [1e-6, 1e6] },
  log1p: { range: [-0.7, 2], wide: [-0.99, 1e4] },
  expm1: { range: [-2, 2], wide: [-30, 30] },
  sqrt: { range: [0.3, 3], wide: [0, 1e6] },
  rsqrt: { range: [0.3, 3], wide: [1e-4, 1e6] },
  reciprocal: { range: [0.4, 3], wide: [-1e3, -1e-3] },
  sin: { range: [-4, 4], wide: [-100, 100] },
  cos: { range: [-4, 4], wide: [-100, 100] },
  tan: { range: [-1, 1], wide: [-1.5, 1.5] },
  tanh: { range: [-2, 2], wide: [-20, 20] },
  sigmoid: { range: [-3, 3], wide: [-60, 60] },
  erf: { range: [-2, 2], wide: [-7, 7] },
  floor: { range: [0.1, 0.9], wide: [-9, 9] },
  ceil: { range: [0.1, 0.9], wide: [-9, 9] },
  round: { range: [0.6, 1.4], wide: [-9, 9] },
  isNaN: {},
  logicalNot: 'bool',
};

function castSamples(): Sample<'cast'>[] {
  const samples: Sample<'cast'>[] = [sample('to float64', inputs('2,1,7', { low: -4, high: 4 }), { dtype: 'float64' })];
  for (const from of dtypes) {
    // Values that every dtype can hold: no rounding across whole numbers, nothing negative.
    const given = inputs('9', { dtype: from, low: 0, high: isFloating(from) ? 200 : 250 });
    for (const dtype of dtypes) if (from !== dtype) samples.push(valuesOnly(`${from} to ${dtype}`, given, { dtype }));
  }
  samples.push(valuesOnly('truncation', inputs('8', { values: [-2.7, -0.5, 0, 0.5, 0.999, 1.5, 2.5, 99.9] }), { dtype: 'int32' }));
  samples.push(valuesOnly('truth', inputs('5', { values: [0, -0, 0.25, Number.NaN, -3] }), { dtype: 'bool' }));
  const ties = inputs('8', { values: [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 3 * 2 ** -25, 1 + 2 ** -8, 1 + 3 * 2 ** -8] });
  return [...samples, valuesOnly('ties to float16', ties, { dtype: 'float16' }), valuesOnly('ties to bfloat16', ties, { dtype: 'bfloat16' })];
}

const bits = inputs('6', { dtype: 'int32', values: [0, 1, -1, 0x7fffffff, -0x80000000, 123456789] });

export const unarySamples: SamplesOf<Unary | 'cast' | 'bitsToUniform'> = {
  ...fromTable(table, samplesOf),
  cast: castSamples(),
  bitsToUniform: [sample('float32', bits, { dtype: 'float32' }), sample('float64', bits, { dtype: 'float64' })],
};
