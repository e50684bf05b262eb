/** How launches are divided over threads. */
import { expect, test } from 'vitest';
import { newNode } from '../graph/node.ts';
import type { Target } from '../ir/ir.ts';
import { matmul } from '../ops/build.ts';
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

test.each([
  [128, 9216, 4096],
  [1024, 1024, 1024],
  [64, 784, 256],
  [2048, 128, 1024],
])('every kernel of a product [%i, %i] · [%i columns] has work for all threads', (rows, depth, columns) => {
  const input = (shape: readonly number[]) => newNode('leaf', [], { source: { kind: 'input' } }, { shape, dtype: 'float32' });
  const inputs = [input([rows, depth]), input([depth, columns])];
  const { steps } = compileGraph({ outputs: [matmul(inputs[0], inputs[1])], inputs, aliases: [undefined] }, target);
  const launches = steps.flatMap((step) => (step.kind === 'launch' ? [step] : step.kind === 'sweep' ? [...step.launches] : []));
  expect(launches.length).toBeGreaterThan(0);
  for (const { units, align } of launches) expect(Math.ceil(units / align)).toBeGreaterThanOrEqual(target.threads);
});
