/** The samples themselves: every op has some or a reason why not, and they are such that the checks built on them mean something. */
import { describe, expect, it, test } from 'vitest';
import { isFloating } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { OpName } from '../../src/graph/attributes.ts';
import { ops } from '../../src/ops/index.ts';
import type { Op } from '../../src/ops/op.ts';
import { materialize, resultsOf } from '../support/samples.ts';
import { samples, samplesOf } from './samples/index.ts';

const names = Object.keys(ops) as OpName[];

test('every registered op has samples or says why not', () => {
  expect(Object.keys(samples).sort()).toEqual([...names].sort());
  for (const name of names) expect(samples[name].length, name).toBeGreaterThan(0);
});

describe.each(names.filter((name) => typeof samples[name] !== 'string'))('samples of %s', (name) => {
  const op = ops[name] as unknown as Op;
  it('have names of their own and make checked nodes', () => {
    const cases = samplesOf(name);
    expect(new Set(cases.map((sample) => sample.name)).size).toBe(cases.length);
    for (const sample of cases) for (const node of resultsOf(op, sample, materialize(sample).nodes)) expect(Number.isInteger(sizeOf(node.shape))).toBe(true);
  });
  if (!op.gradient && !op.gradientOfParts) return;
  it('are differentiable somewhere, with a value that is not empty', () => {
    const checked = samplesOf(name).filter(
      (sample) =>
        sample.differentiable !== false &&
        resultsOf(op, sample, materialize(sample, 1, 'float64').nodes).some(({ dtype, shape }) => isFloating(dtype) && sizeOf(shape) > 0),
    );
    expect(checked.length).toBeGreaterThan(0);
  });
});
