/**
 * Tables as text (RFC 4180: quotes, doubled quotes, line breaks within quotes), with a type found for every column: numbers or categories.
 * Pure functions; errors name the line and the column.
 */
import { fail } from '../../core/errors.ts';

export type ColumnKind = 'number' | 'category' | 'skip';

export interface CsvOptions {
  /** The first line names the columns. Default: it does when it holds a cell that is no number while the line below has a number there. */
  readonly header?: boolean;
  /** Default: comma, semicolon or tab, whichever the first line has most of. */
  readonly separator?: string;
  /** What columns are, where their cells would be read otherwise. */
  readonly columns?: Readonly<Record<string, ColumnKind>>;
  /** Lines before the table (default 0). */
  readonly skipLines?: number;
  /** Cells that stand for a missing value. */
  readonly missingWords?: readonly string[];
  /** What to do with missing numbers: stop (default), leave their rows out, or put the column's mean or a number in their place. */
  readonly missing?: 'error' | 'drop' | 'mean' | number;
  /** Names the file in errors. */
  readonly name?: string;
}

export interface NumberColumn {
  readonly kind: 'number';
  readonly name: string;
  readonly values: Float64Array;
}

export interface CategoryColumn {
  readonly kind: 'category';
  readonly name: string;
  /** Positions in `categories`. */
  readonly values: Int32Array;
  /** In alphabetical order, or by value where all are numbers. */
  readonly categories: readonly string[];
}

export type TableColumn = NumberColumn | CategoryColumn;

export interface Table {
  readonly rows: number;
  readonly columns: readonly TableColumn[];
  /** Rows left out because of missing values. */
  readonly dropped: number;
}

/** Numbers as people write them; hexadecimal, Infinity and blanks are not. */
const isNumber = (cell: string): boolean => /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(cell);
/** A column with a larger share of numbers among its cells is meant to hold numbers. */
const mostlyNumbers = 0.9;

interface Cells {
  readonly rows: readonly (readonly string[])[];
  /** The line each row begins at, from 1. */
  readonly lines: readonly number[];
}

export function parseCsv(text: string, options: CsvOptions = {}): Table {
  const { skipLines = 0, columns: kinds = {}, missing = 'error', missingWords = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', '?'], name = 'the table' } = options;
  const separator = options.separator ?? guessSeparator(text);
  const cells = splitCells(text.startsWith('\ufeff') ? text.slice(1) : text, separator, skipLines, name);
  const { rows, lines } = cells;
  if (rows.length === 0) fail('data', 'csv', `${name} holds no rows`);
  const header = options.header ?? (rows.length > 1 && rows[0].some((cell, c) => !isNumber(cell) && rows[1][c] !== undefined && isNumber(rows[1][c])));
  const names = header ? rows[0].map((cell) => cell.trim()) : rows[0].map((_, c) => `column${c + 1}`);
  const first = header ? 1 : 0;
  if (rows.length === first) fail('data', 'csv', `${name} holds only its header`);
  for (const asked of Object.keys(kinds)) if (!names.includes(asked)) fail('argument', 'csv', `${name} has no column ${asked}`, `It has ${names.join(', ')}.`);
  const empty = new Set(missingWords);
  const isMissing = (cell: string) => empty.has(cell.trim());
  const place = (row: number, column: number) => `${name} line ${lines[row]}, column ${column + 1} (${names[column]})`;

  const plan = names
    .map((column, c) => ({ column, c, kind: kinds[column] ?? guessKind(rows, first, c, isMissing, place) }))
    .filter(({ kind }) => kind !== 'skip');
  const kept: number[] = [];
  for (let r = first; r < rows.length; r++) {
    const lacking = plan.find(({ c }) => isMissing(rows[r][c]));
    if (lacking === undefined || (missing !== 'error' && missing !== 'drop')) kept.push(r);
    else if (missing === 'error')
      fail(
        'data',
        'csv',
        `${place(r, lacking.c)}: the value is missing (${JSON.stringify(rows[r][lacking.c])})`,
        "Give missing: 'drop', 'mean' or a number, or skip the column.",
      );
  }
  if (kept.length === 0) fail('data', 'csv', `${name}: every row has a missing value`);
  const columns = plan.map(({ column, c, kind }): TableColumn => {
    const cellsOf = kept.map((r) => rows[r][c]);
    if (kind === 'category') return categoryColumn(column, cellsOf);
    return { kind: 'number', name: column, values: numbers(cellsOf, isMissing, missing, (i) => place(kept[i], c)) };
  });
  return { rows: kept.length, columns, dropped: rows.length - first - kept.length };
}

function guessSeparator(text: string): string {
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  const count = (separator: string) => line.split(separator).length;
  return [';', '\t'].reduce((best, separator) => (count(separator) > count(best) ? separator : best), ',');
}

/** Splits into cells; every row must have as many as the first. Empty lines are passed over. */
function splitCells(text: string, separator: string, skipLines: number, name: string): Cells {
  if (separator.length !== 1 || separator === '"') fail('argument', 'csv', `separator must be one character, got ${JSON.stringify(separator)}`);
  const rows: string[][] = [];
  const lines: number[] = [];
  let [at, line] = [0, 1];
  for (let skipped = 0; skipped < skipLines && at < text.length; skipped++, line++) {
    const end = text.indexOf('\n', at);
    at = end < 0 ? text.length : end + 1;
  }
  while (at < text.length) {
    const [row, began] = [[] as string[], line];
    for (;;) {
      let cell = '';
      if (text[at] === '"') {
        const opened = line;
        for (;;) {
          const close = text.indexOf('"', ++at);
          if (close < 0) return fail('data', 'csv', `${name} line ${opened}, column ${row.length + 1}: a quote is never closed`);
          const piece = text.slice(at, close);
          cell += piece;
          line += piece.split('\n').length - 1;
          at = close + 1;
          if (text[at] !== '"') break;
          cell += '"';
        }
        if (at < text.length && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r')
          fail(
            'data',
            'csv',
            `${name} line ${line}, column ${row.length + 1}: ${JSON.stringify(text[at])} follows a closing quote`,
            'Double quotes within quotes.',
          );
      } else {
        const from = at;
        while (at < text.length && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') at++;
        cell = text.slice(from, at);
      }
      row.push(cell);
      if (text[at] !== separator) break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    if (row.length === 1 && row[0].trim() === '') continue;
    if (rows.length > 0 && row.length !== rows[0].length)
      fail('data', 'csv', `${name} line ${began} has ${row.length} cells, but line ${lines[0]} has ${rows[0].length}`, 'Quote cells that hold the separator.');
    rows.push(row);
    lines.push(began);
  }
  return { rows, lines };
}

function guessKind(
  rows: Cells['rows'],
  first: number,
  column: number,
  isMissing: (cell: string) => boolean,
  place: (row: number, column: number) => string,
): ColumnKind {
  let [numeric, other, odd] = [0, 0, first];
  for (let r = first; r < rows.length; r++) {
    const cell = rows[r][column];
    if (isMissing(cell)) continue;
    if (isNumber(cell)) numeric++;
    else if (other++ === 0) odd = r;
  }
  if (other === 0) return 'number';
  if (numeric > mostlyNumbers * (numeric + other))
    fail(
      'data',
      'csv',
      `${place(odd, column)}: ${JSON.stringify(rows[odd][column])} is not a number, as ${numeric} other cells of the column are`,
      "Mend the cell, add its text to missingWords, or say that the column is a 'category'.",
    );
  return 'category';
}

function numbers(cells: readonly string[], isMissing: (cell: string) => boolean, missing: CsvOptions['missing'], place: (i: number) => string): Float64Array {
  const values = Float64Array.from(cells, (cell, i) => {
    if (isMissing(cell)) return Number.NaN;
    const value = isNumber(cell) ? Number(cell) : Number.NaN;
    return Number.isFinite(value)
      ? value
      : fail('data', 'csv', `${place(i)}: ${JSON.stringify(cell)} is not a finite number`, "Say that the column is a 'category'.");
  });
  const present = values.filter((value) => !Number.isNaN(value));
  const mean = present.length === 0 ? 0 : present.reduce((sum, value) => sum + value, 0) / present.length;
  return values.map((value) => (Number.isNaN(value) ? (typeof missing === 'number' ? missing : mean) : value));
}

function categoryColumn(name: string, cells: readonly string[]): CategoryColumn {
  const trimmed = cells.map((cell) => cell.trim());
  const distinct = [...new Set(trimmed)];
  const categories = distinct.every(isNumber) ? distinct.sort((a, b) => Number(a) - Number(b)) : distinct.sort();
  const codes = new Map(categories.map((category, code) => [category, code]));
  return { kind: 'category', name, categories, values: Int32Array.from(trimmed, (cell) => codes.get(cell) ?? 0) };
}
