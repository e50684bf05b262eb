/** Samples of the elementwise ops of two or three operands. */
import type { Shape } from '../../../src/core/shape.ts';
import type { Binary } from '../../../src/graph/attributes.ts';
import { fromTable, inputs, oddShapes, type Sample, type SampleInput, type SamplesOf, sample, valuesOnly } from './sample.ts';

type Range = readonly [low: number, high: number];
/** Where a and b are drawn. */
type Domain = readonly [a: Range, b: Range] | 'bool';

const none = {};
const edges = [0, 1, -1, 2, -2.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

function samplesOf(name: Binary, domain: Domain): Sample<Binary>[] {
  const operand = (shape: Shape, range: Range | 'bool'): SampleInput =>
    range === 'bool' ? { shape, dtype: 'bool' } : { shape, low: range[0], high: range[1] };
  const pairOf = (shape: Shape): SampleInput[] => (domain === 'bool' ? (['bool', 'bool'] as const) : domain).map((range) => operand(shape, range));
  const samples: Sample<Binary>[] = oddShapes.map((shape) => sample(`[${shape}]`, pairOf(shape), none));
  if (domain === 'bool') return samples;
  const [low, high] = name === 'pow' ? [0, 6] : [-4, 4];
  const double = pairOf([17]).map((input): SampleInput => ({ ...input, dtype: 'float64' }));
  const whole = [...inputs('23', { dtype: 'int32', low: -9, high: 9 }), ...inputs('23', { dtype: 'int32', low, high })];
  const bytes = [...inputs('23', { dtype: 'uint8', low: 0, high: 255 }), ...inputs('23', { dtype: 'uint8', low: 0, high: 5 })];
  samples.push(sample('float64', double, none), sample('int32', whole, none), sample('uint8', bytes, none));
  // The corners of pow and mod at infinity differ between languages and are left open.
  if (name === 'pow' || name === 'mod') return samples;
  const table = [edges.flatMap((x) => edges.map(() => x)), edges.flatMap(() => edges)];
  const corners = table.map((values) => ({ shape: [edges.length, edges.length], values }));
  return [...samples, valuesOnly('edges', corners, none)];
}

const smooth: Range = [-2, 2];
const positive: Range = [0.4, 2];
const anywhere: Domain = [smooth, smooth];
const apart: Domain = [
  [-2, 0.3],
  [0.5, 2],
];

const table: { readonly [K in Binary]: Domain } = {
  add: anywhere,
  sub: anywhere,
  mul: anywhere,
  div: [smooth, positive],
  pow: [positive, smooth],
  mod: [
    [4.1, 5.9],
    [2.96, 4],
  ],
  minimum: apart,
  maximum: apart,
  equal: apart,
  notEqual: apart,
  less: anywhere,
  lessEqual: anywhere,
  greater: anywhere,
  greaterEqual: anywhere,
  logicalAnd: 'bool',
  logicalOr: 'bool',
};

const selectSamples: Sample<'select'>[] = [
  ...oddShapes.map((shape) => sample<'select'>(`[${shape}]`, [{ shape, dtype: 'bool' }, { shape }, { shape }], none)),
  ...(['int32', 'uint8', 'bool', 'float64'] as const).map((dtype) => {
    const values = [1, 200].flatMap((high) => inputs('19', { dtype, low: 0, high }));
    return sample<'select'>(dtype, [...inputs('19', { dtype: 'bool' }), ...values], none);
  }),
];

export const binarySamples: SamplesOf<Binary | 'select'> = { ...fromTable(table, samplesOf), select: selectSamples };
