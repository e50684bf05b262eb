/** The conformance suite on the WebAssembly device: alone, and with threads in shared memory. */
import { describe } from 'vitest';
import { openWasm } from '../support/wasm.ts';
import { conformanceOf } from './suite.ts';

describe('WebAssembly device, memory of its own', () => conformanceOf(openWasm({ shared: false })));
describe('WebAssembly device, three threads', () => conformanceOf(openWasm({ threads: 3 })));
