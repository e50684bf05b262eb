/** The conformance suite on the native device. */
import { describe, test } from 'vitest';
import { environmentVariable } from '../../src/core/debug.ts';
import type { CompiledDevice } from '../../src/runtime/device.ts';
import { nativeDevice } from '../../src/runtime/native/index.ts';
import { conformanceCases } from './suite.ts';

const opened = nativeDevice();
const required = environmentVariable('GRADIX_REQUIRE')?.includes('native');
const unavailable = 'unavailable' in opened ? opened.unavailable : undefined;
if (unavailable && required) throw new Error(`the native device is required: ${unavailable}`);

describe.skipIf(unavailable)(`native device${unavailable ? ` (skipped: ${unavailable})` : ''}`, () => {
  test.each(conformanceCases())('$name', ({ run }) => run(opened as CompiledDevice));
});
