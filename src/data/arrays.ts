/** Datasets over arrays in memory. */
import { type DType, isFloating, newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { Tensor, tensor } from '../tensor/index.ts';
import { Dataset, type Field, type Rows } from './dataset.ts';
import type { Arrays, Resident } from './source.ts';

/** Nested lists of numbers, or a tensor. The first dimension counts the examples. */
export type ArrayLikeData = Tensor | readonly unknown[];

/** One field over stored values: read as value × scale in `dtype`. */
export interface Column extends Omit<Field, 'stored'> {
  readonly values: TypedArray;
  readonly scale?: number;
}

/** Gathers rows of a column into a new array: as its values are, scaled, or with `stored` as they are kept. */
export function gather({ shape, dtype, values, scale }: Column, rows: Rows, stored = false): TypedArray {
  const size = sizeOf(shape);
  const kept = stored && scale !== undefined;
  const out = newArray(kept ? storedDType(values) : dtype, rows.length * size);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * size;
    if (size === 1) out[i] = values[from];
    else out.set(values.subarray(from, from + size), i * size);
  }
  if (scale !== undefined && !kept) for (let i = 0; i < out.length; i++) out[i] *= scale;
  return out;
}

const storedDType = (values: TypedArray): DType => (values instanceof Uint8Array ? 'uint8' : values instanceof Int32Array ? 'int32' : 'float32');

/** What a dataset says of a column. */
export const fieldOf = ({ name, shape, dtype, values, scale }: Column): Field => ({
  name,
  shape,
  dtype,
  ...(scale !== undefined && { stored: { dtype: storedDType(values), scale } }),
});

/** Columns as they lie; values that are kept in another type than the field's are converted when somebody first asks. */
export function residentColumns(columns: readonly Column[]): (rows: Rows) => Resident {
  let arrays: Arrays | undefined;
  const whole = ({ dtype, values, scale }: Column): TypedArray => {
    const kind = newArray(scale === undefined ? dtype : storedDType(values), 0).constructor;
    return values.constructor === kind ? values : newArray(dtype, values.length).map((_, i) => values[i]);
  };
  return (rows) => {
    arrays ??= columns.map(whole);
    return { arrays, rows: rows instanceof Int32Array ? rows : Int32Array.from(rows) };
  };
}

/** A dataset over columns of equal length. The last column of whole numbers and one value per example counts as the labels. */
export function fromColumns(columns: readonly Column[], classes?: readonly string[]): Dataset {
  const lengths = columns.map(({ values, shape }) => values.length / sizeOf(shape));
  const labels = columns.length > 1 ? columns[columns.length - 1] : undefined;
  return new Dataset({
    length: lengths[0] ?? 0,
    fields: columns.map(fieldOf),
    ...(classes && { classes }),
    read: (rows) => columns.map((column) => gather(column, rows)),
    readStored: (rows) => columns.map((column) => gather(column, rows, true)),
    resident: residentColumns(columns),
    ...(labels && !isFloating(labels.dtype) && sizeOf(labels.shape) === 1 && { labels: () => labels.values }),
  });
}

/**
 * A dataset from arrays or tensors: inputs `x` [n, …] and, unless there is nothing to predict, targets `y` [n, …].
 * Lists become float32; a list of whole numbers for y becomes int32 labels. Errors: unequal lengths, no examples.
 */
export function fromArrays(x: ArrayLikeData, y?: ArrayLikeData, { classes }: { readonly classes?: readonly string[] } = {}): Dataset {
  const columns = [toColumn('x', x)];
  if (y !== undefined) columns.push(toColumn('y', y));
  const counts = columns.map(({ values, shape }) => values.length / Math.max(1, sizeOf(shape)));
  if (counts.length === 2 && counts[0] !== counts[1])
    fail('shape', 'fromArrays', `x has ${counts[0]} examples but y has ${counts[1]}`, 'They must have the same length.');
  return fromColumns(columns, classes);
}

function toColumn(name: string, value: ArrayLikeData): Column {
  if (!(value instanceof Tensor) && !Array.isArray(value))
    fail(
      'argument',
      'fromArrays',
      `${name} must be a tensor or a list, got ${typeof value}`,
      'Make a tensor of a typed array first: tensor(values, { shape }).',
    );
  const labels = name === 'y' && Array.isArray(value) && value.every((v) => Number.isInteger(v));
  const whole: Tensor = value instanceof Tensor ? value : tensor(value as number[], { dtype: labels ? 'int32' : 'float32' });
  const shape: Shape = whole.shape;
  if (shape.length === 0 || shape[0] === 0)
    fail('shape', 'fromArrays', `${name} has the shape ${showShape(shape)}, so it holds no examples`, 'The first dimension counts the examples.');
  const dtype: DType = whole.dtype;
  return { name, shape: shape.slice(1), dtype, values: whole.dataSync() };
}
