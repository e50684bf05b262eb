/** For reproductions: random values for the inputs, all ways compared; the first disagreement as text, or 'ok'. */
import { isFloating } from '../../src/core/dtype.ts';
import { encodeArray } from '../../src/core/half.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Node } from '../../src/graph/node.ts';
import type { CompiledDevice } from '../../src/runtime/device.ts';
import { nativeDevice } from '../../src/runtime/native/index.ts';
import { seeded } from '../support/samples.ts';
import { disagreement } from './harness.ts';

const open = (threads: number): CompiledDevice => nativeDevice({ threads }) as CompiledDevice;

export function check(outputs: readonly Node[], inputs: readonly Node[], aliases: readonly (number | undefined)[] = outputs.map(() => undefined)): string {
  const random = seeded(3);
  const value = (dtype: Node['dtype']) => (isFloating(dtype) ? random() * 2 - 1 : Math.floor(random() * 2));
  const arrays = inputs.map(({ dtype, shape }) =>
    encodeArray(
      dtype,
      Array.from({ length: sizeOf(shape) }, () => value(dtype)),
    ),
  );
  return disagreement({ outputs, inputs, arrays, aliases }, open(2), { fusionOff: true, planningOff: true, others: [open(1), open(3)] }) ?? 'ok';
}
