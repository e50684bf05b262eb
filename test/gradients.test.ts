/** The gradients of all ops against central differences: with the interpreter, and compiled to WebAssembly. */
import { describe, expect, test } from 'vitest';
import { computedOn, gradientCases, interpreted } from './conformance/gradients.ts';
import { openWasm } from './support/wasm.ts';

const cases = gradientCases();

test('there are cases', () => expect(cases.length).toBeGreaterThan(300));

describe('gradients, interpreter', () => {
  test.each(cases)('$name', ({ run }) => run(interpreted));
});

describe.each([
  ['memory of its own', { shared: false }],
  ['two threads', { threads: 2 }],
])('gradients, WebAssembly, %s', (_, options) => {
  const evaluate = computedOn(openWasm(options));
  test.each(cases)('$name', ({ run }) => run(evaluate));
});
