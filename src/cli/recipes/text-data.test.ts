/** Streams go on from batch to batch; windows judge every character once, with context before it. */
import { expect, it } from 'vitest';
import type { Dataset } from '../../data/index.ts';
import { streamsOf, unjudged, windowsOf } from './text-data.ts';

const text = Int32Array.from({ length: 103 }, (_, i) => i); // each character tells its place
async function rowsOf(dataset: Dataset): Promise<{ readonly x: number[]; readonly y: number[] }[]> {
  const [x, y] = await dataset.read(Int32Array.from({ length: dataset.length }, (_, i) => i));
  const steps = dataset.fields[0].shape[0];
  return Array.from({ length: dataset.length }, (_, i) => ({ x: [...x.subarray(i * steps, (i + 1) * steps)], y: [...y.subarray(i * steps, (i + 1) * steps)] }));
}

it('streams: in batches of as many rows as there are streams, each row goes on where it stood in the batch before', async () => {
  const rows = await rowsOf(streamsOf(text, { streams: 3, steps: 8 }));
  expect(rows).toHaveLength(12);
  for (const { x, y } of rows) expect(y).toEqual(x.map((place) => place + 1));
  for (let i = 3; i < rows.length; i++) expect(rows[i].x[0]).toBe(rows[i - 3].y[7]);
  expect([0, 1, 2].map((stream) => rows[stream].x[0])).toEqual([0, 32, 64]);
});

it('windows: every character but the first is judged once, after enough others', async () => {
  for (const count of [1, 4, 7]) {
    const judged: number[] = [];
    for (const { x, y } of await rowsOf(windowsOf(text, { count, before: 5 }))) {
      y.forEach((target, step) => {
        if (target === unjudged) return;
        judged.push(target);
        expect(x[step]).toBe(target - 1);
        expect(step).toBeGreaterThanOrEqual(Math.min(5, x[step]));
      });
    }
    expect(judged.sort((a, b) => a - b)).toEqual(Array.from({ length: 102 }, (_, i) => i + 1));
  }
});
