/**
 * What the package hyparquet (optional, loaded when it is first needed) finds in a Parquet file, and what the file may cost: the decoder believes what a file
 * says about itself.
 */
import { fail, GradixError } from '../../core/errors.ts';
import type { ByteSource } from './bytes.ts';

/** What a file holds. Without `rows` or `columns` it was not read so far: it claims too many rows, or has not the columns that are wanted. */
export interface Contents {
  readonly claimed: number;
  readonly fields?: readonly { readonly name: string; readonly nested: boolean }[];
  readonly columns?: readonly { readonly name: string; readonly values: readonly unknown[] }[];
}

/** What a file may cost. */
export interface Limits {
  readonly rows: number;
  readonly seconds: number;
  /** Bytes. */
  readonly memory: number;
}

/** Every value takes at least a part of a bit; a count far beyond the file's size is a lie. */
const rowsPerByte = 1024;
/** A computer that is busy with other things still decodes a megabyte in a second. */
const secondsPerByte = 1e-6;
const leastSeconds = 20;
/** Values are small JavaScript objects on their way. */
const memoryPerByte = 64;
const leastMemory = 256 * 2 ** 20;

export const limitsOf = (size: number, seconds = leastSeconds + secondsPerByte * size): Limits => ({
  rows: rowsPerByte * size,
  seconds,
  memory: leastMemory + memoryPerByte * size,
});

type Hyparquet = Pick<typeof import('hyparquet'), 'parquetMetadataAsync' | 'parquetReadObjects' | 'parquetSchema'>;
interface AsyncFile {
  readonly byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** Decodes. Refers to nothing outside of itself, because its text runs in a process of its own. */
export async function contentsOf(hyparquet: Hyparquet, file: AsyncFile, wanted: readonly string[] | undefined, mostRows: number): Promise<Contents> {
  const metadata = await hyparquet.parquetMetadataAsync(file);
  const claimed = Number(metadata.num_rows);
  if (!(claimed >= 0 && claimed <= mostRows)) return { claimed };
  const fields = hyparquet.parquetSchema(metadata).children.map(({ element, children }) => ({
    name: element.name,
    nested: children.length > 0 || element.repetition_type === 'REPEATED',
  }));
  const columns = wanted ?? fields.map(({ name }) => name);
  if (columns.some((name) => fields.find((field) => field.name === name)?.nested !== false)) return { claimed, fields };
  const rows = await hyparquet.parquetReadObjects({ file, metadata, columns: [...columns] });
  return { claimed, fields, columns: columns.map((name) => ({ name, values: rows.map((row) => row[name]) })) };
}

/** Where nothing can be ended (browsers). */
export async function contentsHere(source: ByteSource, columns: readonly string[] | undefined): Promise<Contents> {
  const hyparquet = await import('hyparquet').catch((error: unknown) =>
    fail('state', 'parquet', 'Parquet files are read by the package hyparquet, which is not installed', 'Run: npm install hyparquet', error),
  );
  const file = {
    byteLength: source.size,
    slice: async (start: number, end = source.size) => {
      const from = start < 0 ? source.size + start : start;
      return new Uint8Array(await source.read(from, end - from)).buffer;
    },
  };
  try {
    return await contentsOf(hyparquet, file, columns, limitsOf(source.size).rows);
  } catch (error) {
    if (error instanceof GradixError) throw error;
    throw corrupt(source, `cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

export const corrupt = (source: ByteSource, problem: string, cause?: unknown): GradixError =>
  new GradixError('data', 'parquet', `${source.name} ${problem}`, 'The file is truncated, corrupt, or not Parquet.', cause);
