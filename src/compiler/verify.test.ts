/** The kernel verifier sees what it must. */
import { describe, expect, test } from 'vitest';
import { type Expr, type Kernel, type Stmt, unitsFrom } from '../ir/ir.ts';
import { verifyKernel } from './verify.ts';

const kernel = (...body: Stmt[]): Kernel => ({
  name: '',
  parameters: [{ scalar: 'f32', name: 'b0', written: true }],
  body,
  comment: 'under test',
  flops: 0,
  bytes: 0,
});

const one: Expr = { kind: 'const', type: { scalar: 'f32', lanes: 8 }, value: 1 };
const unknown: Expr = { kind: 'var', type: { scalar: 'index', lanes: 1 }, name: 'left' };
const indices: Expr = { kind: 'lanes', type: { scalar: 'i32', lanes: 8 } };

describe('verifyKernel', () => {
  test('accepts a store at a unit', () => {
    expect(() => verifyKernel(kernel({ kind: 'store', buffer: 0, index: unitsFrom, value: one, stride: 1 }))).not.toThrow();
  });

  test.each<[string, Stmt]>([
    ['index of a store', { kind: 'store', buffer: 0, index: unknown, value: one, stride: 1 }],
    ['number of lanes of a store', { kind: 'store', buffer: 0, index: unitsFrom, value: one, stride: 1, count: unknown }],
    ['number of lanes of a scatter', { kind: 'scatter', buffer: 0, indices, value: one, count: unknown }],
  ])('finds a variable that nothing declares: the %s', (_what, statement) => {
    expect(() => verifyKernel(kernel(statement))).toThrow(/left is used before it is declared/);
  });
});
