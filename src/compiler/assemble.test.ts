/** How launches are divided over threads, and what memory a program needs. */
import { expect, test } from 'vitest';
import { newNode } from '../graph/node.ts';
import type { Target } from '../ir/ir.ts';
import { conv, matmul } from '../ops/build.ts';
import { convGeometry } from '../ops/conv-geometry.ts';
import '../ops/index.ts';
import { compileGraph } from './pipeline.ts';

const target: Target = {
  language: 'c',
  lanes: 8,
  registers: 16,
  fma: true,
  masks: true,
  threads: 2,
  l1Bytes: 32768,
  l2Bytes: 524288,
  identity: 'test',
};

const input = (shape: readonly number[]) => newNode('leaf', [], { source: { kind: 'input' } }, { shape, dtype: 'float32' });

test.each([
  [128, 9216, 4096],
  [1024, 1024, 1024],
  [64, 784, 256],
  [2048, 128, 1024],
])('every kernel of a product [%i, %i] · [%i columns] has work for all threads', (rows, depth, columns) => {
  const inputs = [input([rows, depth]), input([depth, columns])];
  const { steps } = compileGraph({ outputs: [matmul(inputs[0], inputs[1])], inputs, aliases: [undefined] }, target);
  const launches = steps.flatMap((step) => (step.kind === 'launch' ? [step] : step.kind === 'sweep' ? [...step.launches] : []));
  expect(launches.length).toBeGreaterThan(0);
  for (const { units, align } of launches) expect(Math.ceil(units / align)).toBeGreaterThanOrEqual(target.threads);
});

test.each([
  { name: 'small values: all layers of a part of the batch without a barrier', space: 8, barriers: 1 },
  { name: 'large values: memory that is dead behind a barrier is used again', space: 128, barriers: 8 },
])('$name', ({ space, barriers }) => {
  const [x, kernel] = [input([16, space, space, 32]), input([1, 1, 32, 32])];
  let y = x;
  for (let i = 0; i < 8; i++) y = conv(y, kernel, { role: 'output', ...convGeometry('conv2d', y.shape, kernel.shape) });
  const { steps, arenaBytes } = compileGraph({ outputs: [y], inputs: [x, kernel], aliases: [undefined] }, target);
  expect(steps.filter(({ kind }) => kind === 'barrier')).toHaveLength(barriers);
  const each = 4 * 16 * space * space * 32;
  if (barriers > 1) expect(arenaBytes).toBeLessThan(3 * each);
  else expect(arenaBytes).toBeGreaterThan(6 * each);
});
