/**
 * Tables in Apache Parquet: plain columns of numbers, texts and truth values. In Node they are decoded in a process of its own with limits on time and memory
 * (parquet-node.ts), in a browser on the spot.
 */
import { fail } from '../../core/errors.ts';
import { isNode } from '../../io/files.ts';
import type { ByteSource } from './bytes.ts';
import type { Table, TableColumn } from './csv.ts';
import { type Contents, contentsHere, corrupt, limitsOf } from './parquet-decoder.ts';

/** Reads all rows of some columns (default: all). Errors: corrupt, nested columns, missing values, integers beyond 2⁵³, more time or memory needed than allowed. */
export async function parseParquet(source: ByteSource, columns?: readonly string[], seconds?: number): Promise<Table> {
  if (!isNode) return tableOf(source, await contentsHere(source, columns), columns);
  const limits = limitsOf(source.size, seconds);
  const decoder = (await import('./parquet-node.ts')).startDecoder(limits.memory);
  try {
    return tableOf(source, await decoder.contents(source, columns, limits), columns);
  } finally {
    decoder.close();
  }
}

/** The table of what was read. Errors: columns that are not there, nested, or hold missing or other values. */
export function tableOf(source: ByteSource, { claimed, fields, columns }: Contents, wanted: readonly string[] | undefined): Table {
  if (fields === undefined) throw corrupt(source, `claims ${claimed} rows in ${source.size} bytes`);
  for (const name of wanted ?? fields.map((field) => field.name)) {
    const field = fields.find((one) => one.name === name);
    if (field === undefined) fail('argument', 'parquet', `${source.name} has no column ${name}`, `It has ${fields.map((one) => one.name).join(', ')}.`);
    if (field.nested) fail('data', 'parquet', `the column ${name} of ${source.name} is nested`, 'Choose others: { columns: […] }.');
  }
  const read = columns ?? [];
  return { rows: read[0]?.values.length ?? 0, dropped: 0, columns: read.map(({ name, values }) => toColumn(name, values, source.name)) };
}

function toColumn(name: string, values: readonly unknown[], file: string): TableColumn {
  const missing = values.findIndex((value) => value === null || value === undefined || Number.isNaN(value));
  if (missing >= 0) fail('data', 'parquet', `${file}, row ${missing + 1}, column ${name}: the value is missing`, 'Leave the column out: { columns: […] }.');
  if (values.every((value) => typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')) {
    const numbers = Float64Array.from(values, Number);
    const large = values.findIndex((value, i) => typeof value === 'bigint' && !Number.isSafeInteger(numbers[i]));
    if (large >= 0) fail('data', 'parquet', `${file}, row ${large + 1}, column ${name}: ${values[large]} is beyond 2⁵³`);
    return { kind: 'number', name, values: numbers };
  }
  const texts = values.map((value) =>
    typeof value === 'string' ? value : fail('data', 'parquet', `the column ${name} of ${file} holds neither numbers nor texts`),
  );
  const categories = [...new Set(texts)].sort();
  const codes = new Map(categories.map((category, code) => [category, code]));
  return { kind: 'category', name, categories, values: Int32Array.from(texts, (text) => codes.get(text) ?? 0) };
}
