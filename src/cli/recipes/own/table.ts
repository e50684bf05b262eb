/** Tables: which column holds the classes, which others are of use, and the same columns again for prediction. */
import { fail } from '../../../core/errors.ts';
import { type CategoryColumn, type CsvOptions, parseCsv, type Table, type TableColumn } from '../../../data/formats/csv.ts';
import type { Dataset } from '../../../data/index.ts';
import { fileBytes } from '../../../data/open.ts';
import { tableDataset } from '../../../data/table.ts';
import { operation } from './files.ts';
import type { SavedColumn, TableInput } from './plan.ts';

export interface TableLook {
  readonly rows: number;
  readonly input: TableInput;
  readonly classes: readonly string[];
  /** What a user should know: rows and columns left out. */
  readonly notes: readonly string[];
}

/** A category column with more categories says too little about each of them. */
const mostCategories = 50;

/** Reads a table for training. Errors: those of parseCsv; no column of classes, one class, no other column. */
export async function lookAtTable(path: string): Promise<TableLook> {
  const { text, options, classNames } = await readTable(path);
  const first = parseCsv(text, { ...options, missing: 'drop' });
  const target = first.columns.find(({ name }) => /^(class|label|target|species)$/i.test(name)) ?? first.columns[first.columns.length - 1];
  checkClasses(target, first.rows, path);
  const wordy = (column: TableColumn): boolean => column.kind === 'category' && column.categories.length > Math.min(mostCategories, first.rows / 2);
  const [skipped, columns] = [true, false].map((skip) => first.columns.filter((column) => column !== target && wordy(column) === skip));
  if (columns.length === 0) fail('data', operation, `${path} has no column besides ${target.name} that could tell the class`);
  const classes = classNames ?? categoriesOf(target);
  if (classes.length < 2) fail('data', operation, `the column ${target.name} of ${path} has the value ${classes[0]} alone`, 'Two classes or more are needed.');
  return {
    rows: first.rows,
    input: { kind: 'table', header: !columns.every(({ name }) => /^column\d+$/.test(name)), target: target.name, columns: columns.map(saved) },
    classes,
    notes: [
      ...(first.dropped > 0 ? [`${first.dropped} of ${first.dropped + first.rows} rows have missing values and are left out`] : []),
      ...(skipped.length > 0 ? [`words that hardly repeat are left out: ${skipped.map(({ name }) => name).join(', ')}`] : []),
    ],
  };
}

/** The classes of a column; numbers that stand for classes are classes by their numbers. */
const categoriesOf = (target: TableColumn): readonly string[] =>
  target.kind === 'category' ? target.categories : [...new Set(target.values)].sort((a, b) => a - b).map(String);

const saved = (column: TableColumn): SavedColumn =>
  column.kind === 'number' ? { name: column.name, kind: 'number' } : { name: column.name, kind: 'category', categories: column.categories };

function checkClasses(target: TableColumn, rows: number, path: string): void {
  const distinct = new Set(target.values).size;
  const whole = target.kind === 'category' || target.values.every(Number.isInteger);
  if (!whole || distinct > rows / 2)
    fail(
      'data',
      operation,
      `the column ${target.name} of ${path} has ${distinct} values in ${rows} rows: these are no classes`,
      'The classes are looked for in a column called class, label, target or species, else in the last one.',
    );
}

/** A table's text. scikit-learn's files begin with a line of their own: rows, features, names of the classes. */
async function readTable(path: string): Promise<{ readonly text: string; readonly options: CsvOptions; readonly classNames?: readonly string[] }> {
  const text = new TextDecoder().decode(await fileBytes(path, operation));
  const [first = '', second = ''] = text.split(/\r?\n/, 2);
  const [rows, features, ...names] = first.split(',');
  const counted = /^\d+$/.test(rows ?? '') && /^\d+$/.test(features ?? '') && names.length > 1 && names.every((name) => Number.isNaN(Number(name)));
  if (!counted || second.split(',').length !== Number(features) + 1) return { text, options: { name: path } };
  return { text, options: { name: path, header: false, skipLines: 1 }, classNames: names };
}

/** The rows of a table as a run takes them, with their classes; rows with missing values are left out. Errors: a column or a class is not the run's. */
export async function labelledRows(path: string, input: TableInput, classes: readonly string[]): Promise<Dataset> {
  const { text, options, classNames } = await readTable(path);
  const target: SavedColumn = { name: input.target, kind: 'category', categories: classNames?.map((_, code) => String(code)) ?? classes };
  const table = parseCsv(text, { ...options, header: input.header, missing: 'drop', columns: kindsOf([...input.columns, target]) });
  const labels = { ...recoded(target, table, path), ...(classNames && { categories: classNames }) };
  return tableDataset({ ...table, columns: [...input.columns.map((column) => recoded(column, table, path)), labels] }, { classes, predict: 'class' }, path);
}

/** The rows of a table without their classes (all have the label 0). Errors: a column is missing, a category that was not there in training. */
export async function readRows(path: string, { columns, header }: TableInput, classes: readonly string[]): Promise<Dataset> {
  const { text, options } = await readTable(path);
  const table = parseCsv(text, { ...options, header, columns: kindsOf(columns) });
  const label: TableColumn = { kind: 'number', name: 'label', values: new Float64Array(table.rows) };
  return tableDataset({ ...table, columns: [...columns.map((column) => recoded(column, table, path)), label] }, { classes, predict: 'class' }, path);
}

const kindsOf = (columns: readonly SavedColumn[]) => Object.fromEntries(columns.map(({ name, kind }) => [name, kind]));

function recoded(column: SavedColumn, table: Table, path: string): TableColumn {
  const found = table.columns.find(({ name, kind }) => name === column.name && kind === column.kind);
  if (found === undefined) return fail('internal', operation, `${path} lost its column ${column.name}`);
  if (column.kind === 'number' || found.kind === 'number') return found;
  return { ...found, categories: column.categories, values: found.values.map((code, row) => codeOf(column.categories, found, code, `${path} row ${row + 1}`)) };
}

function codeOf(known: readonly string[], { name, categories }: CategoryColumn, code: number, place: string): number {
  const at = known.indexOf(categories[code]);
  return at >= 0 ? at : fail('data', 'predict', `${place}: the run knows no ${name} "${categories[code]}"`, `It knows ${known.slice(0, 12).join(', ')}.`);
}
