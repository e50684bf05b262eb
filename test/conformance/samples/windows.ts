/** Samples of the ops on sliding windows. */
import { type Shape, sizeOf } from '../../../src/core/shape.ts';
import type { Padding, Windowed, WindowGeometry } from '../../../src/graph/attributes.ts';
import { windowShape } from '../../../src/ops/windows.ts';
import { fromTable, padding, type Sample, type SampleInput, sample, shapes } from './sample.ts';

function windows(name: string, inputShape: string, axes: number[], size: number[], stride = size, padding: Padding = size.map(() => [0, 0])) {
  return { name, geometry: { inputShape: shapes(inputShape)[0], axes, size, stride, padding } };
}
const cases = [
  windows('2 × 2', '2,4,6,3', [1, 2], [2, 2]),
  windows('2 × 2 with remainder', '1,5,7,2', [1, 2], [2, 2]),
  windows('overlapping, asymmetric padding', '2,5,6,2', [1, 2], [3, 3], [2, 1], padding([1, 0], [2, 1])),
  windows('gaps between windows', '1,8,7,1', [1, 2], [2, 1], [3, 2]),
  windows('global', '2,3,4,2', [1, 2], [3, 4], [1, 1]),
  windows('1-d', '2,9,3', [1], [4], [3], [[2, 3]]),
  windows('3-d', '1,4,3,5,2', [1, 2, 3], [2, 3, 2], [2, 1, 3]),
  windows('first and last axis', '4,2,5', [0, 2], [2, 3], [1, 2]),
  windows('no axes', '2,3', [], []),
  windows('empty batch', '0,4,4,1', [1, 2], [2, 2]),
];

/** First and last positions of windows, alternating: some of them lie in the padding. */
const somePositions = ({ size }: WindowGeometry, outer: Shape): number[] => Array.from({ length: sizeOf(outer) }, (_, i) => (i * 7) % sizeOf(size));

/** What an op takes: values of the input (distinct where the largest is asked for) or of the windows, before them perhaps a position in each window. */
type Operands = 'input' | 'distinct input' | 'windows' | 'positions, input' | 'positions, windows';

const table: { readonly [K in Windowed]: Operands } = {
  windowSum: 'input',
  windowSpread: 'windows',
  windowMax: 'distinct input',
  windowArgMax: 'distinct input',
  windowPick: 'positions, input',
  windowPlace: 'positions, windows',
};

export const windowSamples = fromTable(table, (_, operands) =>
  cases.map(({ name, geometry }): Sample<Windowed> => {
    const outer = windowShape(geometry);
    const values: SampleInput = { shape: operands.endsWith('input') ? geometry.inputShape : outer, ...(operands.startsWith('distinct') && { distinct: true }) };
    const at: SampleInput = { shape: outer, dtype: 'int32', values: somePositions(geometry, outer) };
    return sample(name, operands.startsWith('positions') ? [at, values] : [values], geometry);
  }),
);
