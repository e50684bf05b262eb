/** Samples of the reductions. */
import { showShape } from '../../../src/core/errors.ts';
import { sizeOf } from '../../../src/core/shape.ts';
import type { ArgFold, Fold } from '../../../src/graph/attributes.ts';
import { fromTable, inputs, type Sample, type SampleInput, type SamplesOf, sample, shapes, valuesOnly } from './sample.ts';

/** A shape with the axes to fold: neighbours and not, ones among them, empty ones. */
const foldCases = '7 0;1 0;3,5 1;3,5 0;5,3 0,1;2,3,5 1;3,2,5 0,2;2,3,1,7 1,2;2,3,2,5 0,1,2;2,3,2,5 1,3;13,37 1;0,3 1;2,0,3 0,2'.split(';').map(shapes);

/** What operands usually are. */
type Usual = Omit<SampleInput, 'shape'>;

function samplesOf(name: Fold, usual: Usual): Sample<Fold>[] {
  const extreme = usual.distinct === true;
  const samples = foldCases
    .filter(([shape, axes]) => (!extreme || axes.every((a) => shape[a] > 0)) && (name !== 'prod' || sizeOf(shape) < 100))
    .map(([shape, axes]): Sample<Fold> => sample(`${showShape(shape)} along ${showShape(axes)}`, [{ ...usual, shape }], { axes }));
  samples.push(sample('int32', inputs('3,5', { dtype: 'int32', low: -9, high: 9 }), { axes: [1] }));
  samples.push(sample('float64', inputs('3,5', { ...usual, dtype: 'float64' }), { axes: [0] }));
  if (name === 'prod') samples.push(sample('zeros', inputs('3,4', { values: [1, 0, 2, 3, 0, 0, 4, 5, 1, 2, -3, 4] }), { axes: [1] }));
  if (!extreme) return [...samples, sample('nothing', '3,0', { axes: [1] })];
  const values = [1, Number.NaN, 3, Number.NEGATIVE_INFINITY, -1, -2, Number.POSITIVE_INFINITY, 4, 4];
  samples.push(valuesOnly('edges', inputs('3,3', { values }), { axes: [1] }));
  return [...samples, ...(['uint8', 'bool'] as const).map((dtype) => sample<Fold>(dtype, inputs('3,5', { dtype, low: 0, high: 200 }), { axes: [0] }))];
}

function argSamples(): Sample<ArgFold>[] {
  const cases = ['7 0', '1 0', '3,5 1', '3,5 0', '2,3,5 1', '2,3,1,7 3', '0,3 1'].map(shapes);
  const values = [1, Number.NaN, 3, 2, 5, 5, Number.NaN, 0, Number.NaN, -1, -1, Number.NEGATIVE_INFINITY];
  return [
    ...cases.map(([shape, [axis]]) => sample<ArgFold>(`${showShape(shape)} along ${axis}`, [{ shape, distinct: true }], { axis })),
    sample<ArgFold>('ties', inputs('4,6', { dtype: 'int32', low: 0, high: 2 }), { axis: 1 }),
    sample<ArgFold>('edges', inputs('4,3', { values }), { axis: 1 }),
  ];
}

export const reduceSamples: SamplesOf<Fold | ArgFold> = {
  ...fromTable<Fold, Usual>({ sum: {}, prod: { low: 0.5, high: 1.5 }, max: { distinct: true }, min: { distinct: true } }, samplesOf),
  ...fromTable<ArgFold, null>({ argMax: null, argMin: null }, argSamples),
};
