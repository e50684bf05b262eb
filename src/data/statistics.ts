/** Figures of a set's first field, read once in order: means and deviations for normalisation, principal components of the colours for lighting. */
import { fail, showShape } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import type { ColorComponents } from './augment/color.ts';
import { type Dataset, range } from './dataset.ts';

export interface Statistics {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

const rowsAtOnce = 256;

async function forEachValue(dataset: Dataset, visit: (values: ArrayLike<number>, start: number) => void): Promise<number> {
  if (dataset.length === 0) fail('data', 'statistics', 'the dataset has no examples');
  const size = sizeOf(dataset.fields[0].shape);
  for (let start = 0; start < dataset.length; start += rowsAtOnce) {
    const [values] = await dataset.read(range(start, Math.min(dataset.length, start + rowsAtOnce)));
    for (let i = 0; i < values.length; i += size) visit(values, i);
  }
  return size;
}

/**
 * Mean and standard deviation of the first field over all examples: one figure per channel (default), or one per value of an example, for zero-centring
 * with the mean picture. Fit them to the training examples only: `augment.normalize(await statistics(train))`.
 */
export async function statistics(dataset: Dataset, { per = 'channel' }: { readonly per?: 'channel' | 'value' } = {}): Promise<Statistics> {
  const { shape } = dataset.fields[0];
  const figures = per === 'value' ? sizeOf(shape) : shape.length === 3 ? shape[2] : 1;
  const [sum, squares] = [new Float64Array(figures), new Float64Array(figures)];
  // Differences from the first example: squares of large numbers would drown a small deviation.
  let shift: Float64Array | undefined;
  const size = await forEachValue(dataset, (values, start) => {
    shift ??= Float64Array.from({ length: figures }, (_, c) => values[start + c]);
    for (let i = 0; i < sizeOf(shape); i++) {
      const difference = values[start + i] - shift[i % figures];
      sum[i % figures] += difference;
      squares[i % figures] += difference * difference;
    }
  });
  const count = (dataset.length * size) / figures;
  return {
    mean: sum.map((total, c) => total / count + (shift?.[c] ?? 0)),
    deviation: squares.map((total, c) => Math.sqrt(Math.max(0, total / count - (sum[c] / count) ** 2))),
  };
}

/** The principal components of the colours of all pixels of [height, width, 3] pictures, for augment.lighting. */
export async function colorComponents(dataset: Dataset): Promise<ColorComponents> {
  const { shape } = dataset.fields[0];
  if (shape.length !== 3 || shape[2] !== 3) fail('shape', 'colorComponents', `examples have the shape ${showShape(shape)}, not [height, width, 3]`);
  const { mean } = await statistics(dataset);
  const covariance = [0, 1, 2].map(() => [0, 0, 0]);
  const size = await forEachValue(dataset, (values, start) => {
    for (let i = start; i < start + sizeOf(shape); i += 3)
      for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) covariance[a][b] += (values[i + a] - mean[a]) * (values[i + b] - mean[b]);
  });
  const count = (dataset.length * size) / 3;
  return eigen(covariance.map((row) => row.map((value) => value / count)));
}

/** Eigenvalues, largest first, and eigenvectors of a small symmetric matrix by Jacobi's rotations. */
function eigen(matrix: readonly (readonly number[])[]): ColorComponents {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)));
  const rotate = (m: number[][], p: number, q: number, c: number, s: number) => {
    for (const row of m) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  };
  for (let sweep = 0; sweep < 50; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p][q] === 0) continue;
        const theta = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]);
        const [c, s] = [Math.cos(theta), Math.sin(theta)];
        rotate(a, p, q, c, s);
        for (let j = 0; j < n; j++) [a[p][j], a[q][j]] = [c * a[p][j] - s * a[q][j], s * a[p][j] + c * a[q][j]];
        rotate(v, p, q, c, s);
      }
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i]);
  return { values: order.map((i) => a[i][i]), vectors: order.map((i) => v.map((row) => row[i])) };
}
