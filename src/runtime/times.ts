/** The kernels of one run as a table, slowest first. */
import type { KernelTime } from './device.ts';

export function showTimes(device: string, times: readonly KernelTime[], total: number): string {
  const rows = [...times]
    .sort((a, b) => b.seconds - a.seconds)
    .map((t) => {
      const rate = (amount: number) => (t.seconds > 0 ? (amount / t.seconds / 1e9).toFixed(1) : '-');
      return [t.name, String(t.calls), (t.seconds * 1e6).toFixed(1), rate(t.flops), rate(t.bytes), t.comment];
    });
  const table = [['kernel', 'calls', 'µs', 'GFLOP/s', 'GB/s', ''], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const lines = table.map((row) => row.map((cell, i) => (i === 0 || i === 5 ? cell.padEnd(i === 5 ? 0 : widths[i]) : cell.padStart(widths[i]))).join('  '));
  const inKernels = times.reduce((sum, t) => sum + t.seconds, 0);
  return [`${device}: one run, ${(total * 1e6).toFixed(0)} µs, ${(inKernels * 1e6).toFixed(0)} µs in kernels`, ...lines].join('\n');
}
