/** Tables in Apache Parquet, through the package hyparquet (optional, loaded when it is first needed): plain columns of numbers, texts and truth values. */
import { fail, GradixError } from '../../core/errors.ts';
import type { ByteSource } from './bytes.ts';
import type { Table, TableColumn } from './csv.ts';

/** Reads all rows of some columns (default: all). Errors: corrupt, nested columns, missing values, integers beyond 2⁵³. */
export async function parseParquet(source: ByteSource, columns?: readonly string[]): Promise<Table> {
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import('hyparquet').catch((error: unknown) =>
    fail('state', 'parquet', 'Parquet files are read by the package hyparquet, which is not installed', 'Run: npm install hyparquet', error),
  );
  const file = {
    byteLength: source.size,
    slice: async (start: number, end = source.size) => {
      const from = start < 0 ? source.size + start : start;
      const bytes = await source.read(from, end - from);
      return bytes.slice().buffer as ArrayBuffer;
    },
  };
  try {
    const metadata = await parquetMetadataAsync(file);
    const rows = Number(metadata.num_rows);
    // Every value takes at least a part of a bit; a count far beyond the file's size is a lie that would cost memory.
    if (!(rows >= 0 && rows <= source.size * maximumRowsPerByte)) bad(source, `claims ${rows} rows in ${source.size} bytes`);
    const known = parquetSchema(metadata).children;
    const names = known.map(({ element }) => element.name);
    const wanted = columns ?? names;
    for (const name of wanted) {
      const column = known.find(({ element }) => element.name === name);
      if (column === undefined) fail('argument', 'parquet', `${source.name} has no column ${name}`, `It has ${names.join(', ')}.`);
      if (column.children.length > 0 || column.element.repetition_type === 'REPEATED')
        fail('data', 'parquet', `the column ${name} of ${source.name} is nested`, 'Choose others: { columns: […] }.');
    }
    const objects = await parquetReadObjects({ file, metadata, columns: [...wanted] });
    return { rows: objects.length, dropped: 0, columns: wanted.map((name) => toColumn(name, objects, source.name)) };
  } catch (error) {
    if (error instanceof GradixError) throw error;
    return bad(source, `cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

const maximumRowsPerByte = 1024;

const bad = (source: ByteSource, problem: string, cause?: unknown): never =>
  fail('data', 'parquet', `${source.name} ${problem}`, 'The file is truncated, corrupt, or not Parquet.', cause);

function toColumn(name: string, objects: readonly Record<string, unknown>[], file: string): TableColumn {
  const values = objects.map((row) => row[name]);
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
