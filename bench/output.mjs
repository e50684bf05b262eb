/** Where rows go: one JSON object per line, or a table of 80 columns for people; and to a record, a file of JSON lines, where one is asked for. */
import { appendFileSync } from 'node:fs';

/**
 * `columns` are [key, width] of a table, the first flush left; its head is printed before the first row, and `details` gives lines to follow a row. Without columns
 * a row is printed as pairs, which suits rows that stand alone.
 */
export function printer({ json, record }, columns, details = () => []) {
  let headed = false;
  const line = (values) => columns.map(([, width], i) => (i === 0 ? String(values[i] ?? '').padEnd(width) : String(values[i] ?? '').padStart(width))).join(' ');
  const show = (row) => {
    if (row.error) return `${row.workload ?? row.name}: ${row.error}`;
    if (columns === undefined) return pairs(row);
    const head = headed ? [] : [line(columns.map(([key]) => key))];
    headed = true;
    return [...head, line(columns.map(([key]) => row[key])), ...details(row)].map((text) => text.trimEnd()).join('\n');
  };
  return (row) => {
    const text = JSON.stringify(row);
    if (record) appendFileSync(record, `${text}\n`);
    console.log(json ? text : show(row));
  };
}

const pairs = (row) =>
  Object.entries(row)
    .map(([key, value]) => `${key} ${value}`)
    .join('  ');
