/**
 * What bounds each workload: for every launch of its program, the least time that its multiply-adds take at the measured peak, and its bytes at the measured rate of
 * the nearest level that holds them; the larger of the two is the launch's bound, and the sum over launches that of the program. Bytes count every buffer that a
 * launch touches once, wherever an earlier launch has left it, so the bound is a true lower bound for this division into launches.
 */
import { rounded, sum } from './numbers.mjs';
import { printer } from './output.mjs';
import { ask, cacheSizes, ceilings } from './probes.mjs';
import { workloads } from './workloads.mjs';

/** The part of the compiler's work that a launch belongs to. */
function kindOf({ comment, updates }) {
  if (comment.startsWith('conv')) return 'convolution';
  if (comment.startsWith('contract')) return 'contraction';
  if (updates) return 'optimizer';
  return comment.startsWith('fold') ? 'reduction' : 'elementwise';
}

/** Least seconds of a launch, and what they are spent on. */
function boundOf({ flops, bytes, calls }, peak, threads) {
  const { l2, l3 } = cacheSizes();
  const each = bytes / Math.max(1, calls);
  const level = each <= l2 * threads ? 'l2' : each <= l3 ? 'l3' : 'memory';
  const compute = flops / (peak.gflops * 1e9);
  const memory = bytes / (peak[`${level}_gbps`] * 1e9);
  return { compute, memory, seconds: Math.max(compute, memory), by: compute >= memory ? 'compute' : level };
}

/** `amounts` as whole per cents of their sum, largest first, by key; without those below one per cent. */
function shares(rows, keyOf, amountOf) {
  const totals = new Map();
  for (const row of rows) totals.set(keyOf(row), (totals.get(keyOf(row)) ?? 0) + amountOf(row));
  const whole = sum([...totals.values()]);
  const parts = [...totals].sort((a, b) => b[1] - a[1]).map(([key, amount]) => [key, Math.round((100 * amount) / whole)]);
  return Object.fromEntries(parts.filter(([, percent]) => percent > 0));
}

function analyse({ seconds, barriers, held, launches }, peak, threads) {
  const rows = launches.map((launch) => ({ ...launch, kind: kindOf(launch), bound: boundOf(launch, peak, threads) }));
  const total = (of) => sum(rows.map(of));
  const ms = (value) => rounded(value * 1e3, 3);
  const flops = total((row) => row.flops);
  const bound = total((row) => row.bound.seconds);
  const slowest = [...rows].sort((a, b) => b.seconds - a.seconds).slice(0, 6);
  return {
    ms: ms(seconds),
    bound_ms: ms(bound),
    of_bound: rounded(bound / seconds, 2),
    of_peak: rounded(flops / seconds / (peak.gflops * 1e9), 2),
    gflop: rounded(flops / 1e9, 3),
    mb: rounded(total((row) => row.bytes) / 1e6, 1),
    held_mb: rounded(held / 1e6, 1),
    compute_ms: ms(total((row) => row.bound.compute)),
    memory_ms: ms(total((row) => row.bound.memory)),
    bound_by: shares(
      rows,
      (row) => row.bound.by,
      (row) => row.bound.seconds,
    ),
    time_by: shares(
      rows,
      (row) => row.kind,
      (row) => row.seconds,
    ),
    kernels: rows.length,
    kernels_ms: ms(total((row) => row.seconds)),
    outside_ms: ms(Math.max(0, seconds - total((row) => row.seconds))),
    barriers,
    barriers_ms: ms(barriers * peak.barrier_us * 1e-6),
    slowest: slowest.map((row) => ({
      comment: row.comment,
      calls: row.calls,
      ms: ms(row.seconds),
      gflops: rounded(row.flops / row.seconds / 1e9, 1),
      gbps: rounded(row.bytes / row.seconds / 1e9, 1),
      of_bound: rounded(row.bound.seconds / row.seconds, 2),
      by: row.bound.by,
    })),
  };
}

export const percents = (parts) =>
  Object.entries(parts)
    .map(([key, percent]) => `${key} ${percent} %`)
    .join(', ');

const columns = [
  ['workload', 35],
  ['ms', 9],
  ['bound_ms', 9],
  ['of_bound', 8],
  ['of_peak', 7],
];
const details = (row) => [
  `  ${row.gflop} GFLOP, ${row.mb} MB; bound by ${percents(row.bound_by)}`,
  `  time: ${percents(row.time_by)}`,
  `  outside of kernels ${row.outside_ms} ms, of which ${row.barriers} barriers ${row.barriers_ms} ms`,
];

/** The best of each figure (of a barrier the shortest): a ceiling is what the processor can do when nothing disturbs it. */
const better = (a, b) =>
  Object.fromEntries(Object.entries(a).map(([key, value]) => [key, key === 'barrier_us' ? Math.min(value, b[key]) : Math.max(value, b[key])]));

export async function boundsReport(settings) {
  const { threads, names } = settings;
  let peak = await ceilings(threads);
  const profiles = [];
  for (const [i, workload] of names.entries()) {
    const calls = Math.min(31, settings.rounds ?? workloads[workload].rounds);
    profiles.push(await ask('profile.mjs', [workload, String(calls)], undefined, threads));
    if (i % 4 === 3 || i === names.length - 1) peak = better(peak, await ceilings(threads));
  }
  printer(settings)({ name: 'ceilings', threads, ...peak });
  const print = printer(settings, columns, details);
  for (const [i, workload] of names.entries()) print({ name: 'bounds', workload, ...analyse(profiles[i], peak, threads) });
  return true;
}
