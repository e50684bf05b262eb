/** The conformance suite on the WebAssembly device: alone, and with threads in shared memory. */
import { describe, test } from 'vitest';
import { openWasm } from '../support/wasm.ts';
import { conformanceCases } from './suite.ts';

describe.each([
  ['memory of its own', { shared: false }],
  ['three threads', { threads: 3 }],
])('WebAssembly device, %s', (_, options) => {
  const device = openWasm(options);
  test.each(conformanceCases())('$name', ({ run }) => run(device));
});
