/** Writes the generated parts of docs/performance.md, between its markers, and its charts, from a record of `npm run bench -- --record FILE`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { percents } from './bounds.mjs';
import { bars, curves } from './charts.mjs';

const docs = join(import.meta.dirname, '../docs');

const table = (head, rows) => [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
/** Three figures that count. */
const figure = (value) => (value === undefined ? '–' : value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3))));
const percent = (fraction) => `${Math.round(100 * fraction)} %`;
const code = (name) => `\`${name}\``;

function machineText([row]) {
  const { date, processor, cores, memory_gb, system, gradix, node, compiler, torch } = row;
  return `Measured on ${date}: ${processor}, ${cores} cores, ${memory_gb} GB, ${system}; gradix ${gradix}, Node ${node}, ${compiler}; PyTorch ${torch}.`;
}

const comparisonTable = (rows) =>
  table(
    ['workload', 'gradix, ms', 'PyTorch, ms', 'ratio', 'GFLOP/s'],
    rows.map((row) => [code(row.name), figure(row.ms), figure(row.peer_ms), figure(row.ratio), row.gflops === undefined ? '' : figure(row.gflops)]),
  );

const ceilingsTable = (rows) =>
  table(
    ['', ...rows.map(({ threads }) => (threads === 1 ? '1 thread' : `${threads} threads`))],
    [
      ['multiply-add from the first-level cache, GFLOP/s', 'gflops'],
      ['read the second-level cache, GB/s', 'l2_gbps'],
      ['read the third-level cache, GB/s', 'l3_gbps'],
      ['read memory, GB/s', 'memory_gbps'],
      ['write memory, GB/s', 'memory_write_gbps'],
      ['copy memory, GB/s read and written', 'memory_copy_gbps'],
      ['a barrier, µs', 'barrier_us'],
    ].map(([label, key]) => [label, ...rows.map((row) => figure(row[key]))]),
  );

const causes = { compute: 'compute', l2: 'second-level cache', l3: 'third-level cache', memory: 'memory' };
const named = (parts) => percents(Object.fromEntries(Object.entries(parts).map(([key, share]) => [causes[key] ?? key, share])));

const boundsTable = (rows) =>
  table(
    ['workload', 'GFLOP', 'MB', 'bound, ms', 'measured, ms', 'of bound', 'of peak', 'bound by', 'time in kernels', 'outside, ms', 'barriers'],
    rows.map((row) => [
      code(row.workload),
      figure(row.gflop),
      figure(row.mb),
      figure(row.bound_ms),
      figure(row.ms),
      percent(row.of_bound),
      percent(row.of_peak),
      named(row.bound_by),
      named(row.time_by),
      figure(row.outside_ms),
      row.barriers,
    ]),
  );

const kernelsTable = (rows) =>
  table(
    ['workload', 'kernel', 'calls', 'ms', 'GFLOP/s', 'GB/s', 'of bound', 'bound by'],
    rows.flatMap(({ workload, slowest }) =>
      slowest
        .slice(0, 4)
        .map((kernel, i) => [
          i === 0 ? code(workload) : '',
          kernel.comment.length > 60 ? `${kernel.comment.slice(0, 59)}…` : kernel.comment,
          kernel.calls,
          figure(kernel.ms),
          figure(kernel.gflops),
          figure(kernel.gbps),
          percent(kernel.of_bound),
          causes[kernel.by],
        ]),
    ),
  );

const tinyTable = (rows) =>
  table(
    ['program', 'gradix, µs', 'PyTorch, µs', 'ratio'],
    rows.map((row) => [code(row.name), figure(row.us), figure(row.peer_us), figure(row.ratio)]),
  );

const compileTable = (rows) =>
  table(
    ['training step', 'cold, ms', 'warm, ms', 'first call, ms'],
    rows.map((row) => [code(row.workload), figure(row.cold_ms), figure(row.warm_ms), figure(row.first_call_ms)]),
  );

const memoryTable = (rows) =>
  table(
    ['', 'gradix, MB', 'PyTorch, MB', 'of PyTorch'],
    rows.map((row) => [code(row.workload), row.peak_mb, row.peer_peak_mb ?? '–', row.of_peer === undefined ? '–' : percent(row.of_peer)]),
  );

/** A row per batch size; for each number of threads our rate and the ratio. */
const scalingTable = (rows) => {
  const threads = [...new Set(rows.map((row) => row.threads))];
  return [...new Set(rows.map((row) => row.workload))]
    .map((workload) => {
      const mine = rows.filter((row) => row.workload === workload);
      const head = ['batch', ...threads.flatMap((count) => [`images/s, ${count} thread${count > 1 ? 's' : ''}`, 'of PyTorch’s'])];
      const lines = [...new Set(mine.map((row) => row.batch))].map((batch) => [
        batch,
        ...threads.flatMap((count) => {
          const row = mine.find((candidate) => candidate.batch === batch && candidate.threads === count);
          return [row?.images_per_s ?? '–', figure(row?.ratio)];
        }),
      ]);
      return `${code(workload)}\n\n${table(head, lines)}`;
    })
    .join('\n\n');
};

function scalingChart(rows) {
  const threads = [...new Set(rows.map((row) => row.threads))];
  const panels = [...new Set(rows.map((row) => row.workload))].map((workload) => {
    const curve = (count, ours) => ({
      name: `${ours ? 'gradix' : 'PyTorch'}, ${count}`,
      ours,
      thin: count === 1,
      points: rows
        .filter((row) => row.workload === workload && row.threads === count && (ours || row.peer_ms))
        .map((row) => [row.batch, ours ? row.images_per_s : (1000 * row.batch) / row.peer_ms]),
    });
    return { title: workload, curves: threads.flatMap((count) => [curve(count, true), curve(count, false)]).filter(({ points }) => points.length > 0) };
  });
  return curves('images/s, training, by threads', 'batch size', panels);
}

const ratioChart = (rows) =>
  bars(
    'times as fast as PyTorch (dashed: as fast)',
    rows.map((row) => ({ label: row.name, value: row.ratio, note: `${figure(row.ratio)} × (${figure(row.ms)} ms)` })),
  );

/** The generated parts: which rows they show, and how. */
const parts = {
  machine: { rows: ({ name }) => name === 'machine', text: machineText },
  comparison: { rows: (row) => row.ratio !== undefined && row.peer_setting !== undefined, text: comparisonTable, chart: ['performance-ratio.svg', ratioChart] },
  ceilings: { rows: ({ name }) => name === 'ceilings', text: ceilingsTable },
  bounds: { rows: ({ name }) => name === 'bounds', text: boundsTable },
  kernels: { rows: ({ name }) => name === 'bounds', text: kernelsTable },
  tiny: { rows: ({ name }) => name.startsWith('tiny-'), text: tinyTable },
  compile: { rows: ({ name }) => name === 'compile', text: compileTable },
  'peak-memory': { rows: ({ name }) => name === 'peak-memory', text: memoryTable },
  scaling: { rows: ({ name }) => name === 'scaling', text: scalingTable, chart: ['performance-scaling.svg', scalingChart] },
};

/** Of rows about the same thing the last counts, so that a part of a record can be measured again and appended. */
function newest(rows) {
  const identity = ({ name, workload, batch, threads }) => JSON.stringify([name, workload, batch, threads]);
  return [...new Map(rows.map((row) => [identity(row), row])).values()];
}

/** A part of which the record has nothing stays as it is. */
export function writeDocs(record) {
  const lines = readFileSync(record, 'utf8').split('\n');
  const rows = newest(lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))).filter((row) => row.error === undefined);
  const page = join(docs, 'performance.md');
  let content = readFileSync(page, 'utf8');
  for (const [name, part] of Object.entries(parts)) {
    const chosen = rows.filter(part.rows);
    if (chosen.length === 0) continue;
    const [begin, end] = [`<!-- ${name}: written by npm run bench -- --write-docs -->`, '<!-- end -->'];
    const from = content.indexOf(begin);
    const to = content.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`docs/performance.md has no place for the part ${name}`);
    content = `${content.slice(0, from + begin.length)}\n\n${part.text(chosen)}\n\n${content.slice(to)}`;
    if (part.chart) writeFileSync(join(docs, part.chart[0]), part.chart[1](chosen));
  }
  writeFileSync(page, content);
  return true;
}
