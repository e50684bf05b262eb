/** Tables as datasets: CSV, Parquet and NPZ files. Numbers become features as they are, categories one feature per category. */
import { fail } from '../core/errors.ts';
import type { ArrayValue } from '../io/safetensors.ts';
import { fromColumns } from './arrays.ts';
import type { Dataset } from './dataset.ts';
import { type CategoryColumn, type CsvOptions, parseCsv, type Table, type TableColumn } from './formats/csv.ts';
import { parseNpz } from './formats/npy.ts';
import { parseParquet } from './formats/parquet.ts';
import { type FileLike, fileByteSource, fileBytes, nameOf } from './open.ts';

export interface TableOptions {
  /** The column to predict: its name, or its position from 0, or from the end with negative numbers (default −1, the last). */
  readonly target?: string | number;
  /** Names of the classes where the target's values are their numbers. */
  readonly classes?: readonly string[];
  /** Whether the target counts classes or is a quantity. Default: categories and whole numbers 0 … k − 1 (k ≤ 100, each at least twice) are classes. */
  readonly predict?: 'class' | 'number';
}

/** Fields x float32 [features] and y: int32 [] for classes, float32 [1] for numbers. */
export function tableDataset({ columns, rows }: Table, { target = -1, classes, predict }: TableOptions, name: string): Dataset {
  const at = typeof target === 'string' ? columns.findIndex((column) => column.name === target) : target < 0 ? columns.length + target : target;
  const goal =
    columns[at] ?? fail('argument', 'table', `${name} has no column ${target} to predict`, `It has ${columns.map((column) => column.name).join(', ')}.`);
  const features = columns.filter((column) => column !== goal).flatMap(featureColumns);
  if (features.length === 0) fail('data', 'table', `${name} has no column besides ${goal.name}, which is to be predicted`);
  const x = new Float32Array(rows * features.length);
  for (const [f, values] of features.entries()) for (let row = 0; row < rows; row++) x[row * features.length + f] = values[row];
  const input = { name: 'x', shape: [features.length], dtype: 'float32', values: x } as const;
  const asClasses = predict === undefined ? classes !== undefined || goal.kind === 'category' || countsClasses(goal.values) : predict === 'class';
  if (!asClasses) {
    if (goal.kind === 'category') fail('data', 'table', `the column ${goal.name} of ${name} holds words, not numbers`, "Predict a 'class', or another column.");
    return fromColumns([input, { name: 'y', shape: [1], dtype: 'float32', values: Float32Array.from(goal.values) }]);
  }
  const { categories, values } = classColumn(goal, classes, name);
  return fromColumns([input, { name: 'y', shape: [], dtype: 'int32', values }], categories);
}

function featureColumns(column: TableColumn): ArrayLike<number>[] {
  if (column.kind === 'number') return [column.values];
  return column.categories.map((_, code) => Float32Array.from(column.values, (value) => (value === code ? 1 : 0)));
}

function countsClasses(values: Float64Array): boolean {
  const counts = new Map<number, number>();
  for (const value of values) {
    if (!Number.isInteger(value) || value < 0 || value >= 100) return false;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts.values()].every((count) => count >= 2) && Math.max(...counts.keys()) === counts.size - 1;
}

function classColumn(goal: TableColumn, classes: readonly string[] | undefined, name: string): Pick<CategoryColumn, 'categories' | 'values'> {
  if (goal.kind === 'category') {
    if (classes === undefined) return goal;
    const codes = goal.categories.map((category) => {
      const code = classes.indexOf(category);
      return code >= 0 ? code : fail('data', 'table', `the class ${category} in the column ${goal.name} of ${name} is not among ${classes.join(', ')}`);
    });
    return { categories: classes, values: goal.values.map((value) => codes[value]) };
  }
  const most = goal.values.reduce((a, b) => Math.max(a, b), 0);
  const count = classes?.length ?? most + 1;
  const odd = goal.values.findIndex((value) => !Number.isInteger(value) || value < 0 || value >= count);
  if (odd >= 0) fail('data', 'table', `${goal.values[odd]} in row ${odd + 1} of the column ${goal.name} of ${name} is no class in 0 … ${count - 1}`);
  return { categories: classes ?? Array.from({ length: count }, (_, i) => String(i)), values: Int32Array.from(goal.values) };
}

/**
 * A CSV file (or .csv.gz) as a dataset: x float32 [features], y the last column or `target`.
 * Errors name the line and the column: cells that are no numbers, missing values, lines of unequal length.
 */
export async function csv(from: FileLike, options: CsvOptions & TableOptions = {}): Promise<Dataset> {
  const name = options.name ?? nameOf(from);
  const table = parseCsv(new TextDecoder().decode(await fileBytes(from, 'csv')), { ...options, name });
  if (table.dropped > 0) console.warn(`gradix: csv left out ${table.dropped} of ${table.dropped + table.rows} rows of ${name} with missing values`);
  return tableDataset(table, options, name);
}

export interface ParquetOptions extends TableOptions {
  /** Names of the columns to read (default: all). */
  readonly columns?: readonly string[];
  /** In Node: how long decoding may take (default 20, and one more for each megabyte). Damaged files can make the decoder loop. */
  readonly seconds?: number;
}

/** A Parquet file as a dataset, as csv(). Needs the package hyparquet. */
export async function parquet(from: FileLike, options: ParquetOptions = {}): Promise<Dataset> {
  return tableDataset(await parseParquet(await fileByteSource(from, 'parquet'), options.columns, options.seconds), options, nameOf(from));
}

/**
 * Arrays of an NPZ file as a dataset: by default x and y, or the names given. The first dimension counts the examples.
 * Errors: a name that is not there, unequal lengths.
 */
export async function npz(
  from: FileLike,
  { fields = ['x', 'y'], classes }: { readonly fields?: readonly string[]; readonly classes?: readonly string[] } = {},
): Promise<Dataset> {
  const file = nameOf(from);
  const arrays = await parseNpz(await fileBytes(from, 'npz'), file);
  const columns = fields.map((name) => {
    const value: ArrayValue = arrays.get(name) ?? fail('data', 'npz', `${file} has no array ${name}`, `It has ${[...arrays.keys()].join(', ')}.`);
    const [count, ...shape] = value.shape;
    if (count === undefined || count === 0) fail('data', 'npz', `the array ${name} of ${file} holds no examples`);
    return { name, shape, dtype: value.dtype, values: value.data, count };
  });
  const uneven = columns.find(({ count }) => count !== columns[0].count);
  if (uneven)
    fail(
      'data',
      'npz',
      `${columns[0].name} has ${columns[0].count} examples but ${uneven.name} has ${uneven.count}`,
      `${file} needs arrays of the same length.`,
    );
  return fromColumns(columns, classes);
}
