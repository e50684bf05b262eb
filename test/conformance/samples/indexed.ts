/** Samples of reading and adding at positions given by data, of cumulative sums, sorting and random bits. */
import { inputs, type Sample, type SampleInput, type SamplesOf, sample, valuesOnly } from './sample.ts';

/** Indices 0 … high of a shape, and floating values of another. */
const ints = (shape: string, high: number, values?: readonly number[]): SampleInput =>
  inputs(shape, { dtype: 'int32', low: 0, high, ...(values && { values }) })[0];
const floats = (shape: string): SampleInput => inputs(shape)[0];
const someTwice = ints('5', 3, [2, 0, 2, 3, 2]);
const ties = inputs('2,6', { values: [2, 1, 2, 1, 0, 2, 5, 5, 5, 4, 5, 4] });
const key = (...values: readonly [number, number]): SampleInput[] => inputs('2', { dtype: 'int32', values });

export const indexedSamples: SamplesOf<'take' | 'scatterAdd' | 'cumsum' | 'argSort' | 'randomBits'> = {
  take: [
    sample('rows, some twice', [floats('4,3'), someTwice], { axis: 0 }),
    sample('inner axis', [floats('2,5,3'), ints('4', 4)], { axis: 1 }),
    sample('last axis', [floats('3,7'), ints('2', 6)], { axis: 1 }),
    sample('matrix of indices (embedding)', [floats('6,4'), ints('2,3', 5)], { axis: 0 }),
    sample('scalar index', [floats('4,3'), ints('-', 3)], { axis: 0 }),
    sample('no indices', [floats('4,3'), ints('0', 3)], { axis: 0 }),
    valuesOnly('int32 values', [{ ...ints('5', 9), low: -9 }, ints('3', 4)], { axis: 0 }),
  ],
  scatterAdd: [
    sample('rows, some twice', [someTwice, floats('5,3')], { axis: 0, size: 4 }),
    sample('inner axis', [ints('4', 4), floats('2,4,3')], { axis: 1, size: 5 }),
    sample('last axis', [ints('6', 3), floats('3,6')], { axis: 1, size: 4 }),
    sample('matrix of indices (embedding)', [ints('2,3', 5), floats('2,3,4')], { axis: 0, size: 6 }),
    sample('scalar index', [ints('-', 3), floats('3')], { axis: 0, size: 4 }),
    sample('no indices', [ints('0', 3), floats('0,3')], { axis: 0, size: 2 }),
  ],
  cumsum: [0, 1, 2, 3].flatMap((ways): Sample<'cumsum'>[] => {
    const [reverse, exclusive] = [ways > 1, ways % 2 === 1];
    const way = `${reverse ? ', reverse' : ''}${exclusive ? ', exclusive' : ''}`;
    return [
      sample(`vector${way}`, '7', { axis: 0, reverse, exclusive }),
      sample(`inner axis${way}`, '2,5,3', { axis: 1, reverse, exclusive }),
      sample(`empty axis${way}`, '2,0', { axis: 1, reverse, exclusive }),
    ];
  }),
  argSort: [
    sample('vector', '9', { descending: false, count: 9 }),
    sample('rows, top 3', '2,3,8', { descending: true, count: 3 }),
    sample('ties', ties, { descending: false, count: 6 }),
    sample('ties, descending', ties, { descending: true, count: 5 }),
    sample('int32', inputs('12', { dtype: 'int32', low: -5, high: 5 }), { descending: true, count: 12 }),
    sample('empty rows', '0,4', { descending: false, count: 4 }),
    sample('nothing asked', '2,4', { descending: false, count: 0 }),
  ],
  randomBits: [
    sample('matrix', key(0, 7), { shape: [3, 37] }),
    sample('negative key', key(-1, -2147483648), { shape: [19] }),
    sample('scalar', key(12345, -67890), { shape: [] }),
    sample('empty', key(1, 2), { shape: [0, 3] }),
  ],
};
