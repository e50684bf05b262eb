/** The samples of every op, or why it has none. The type refuses an op without either. */
import type { OpName } from '../../../src/graph/attributes.ts';
import { binarySamples } from './binary.ts';
import { contractionSamples } from './contraction.ts';
import { indexedSamples } from './indexed.ts';
import { movementSamples } from './movement.ts';
import { reduceSamples } from './reduce.ts';
import { type Sample, sample } from './sample.ts';
import { scanSamples } from './scan.ts';
import { unarySamples } from './unary.ts';
import { windowSamples } from './windows.ts';

export const samples: { readonly [K in OpName]: readonly Sample<K>[] | string } = {
  leaf: 'it has no values of its own',
  constant: [sample('scalar', [], { value: 2.5 })],
  iota: 'its shape and dtype cannot be inferred; differential/patterns.test.ts builds one',
  part: 'it reads what the samples of scan compute',
  scan: scanSamples,
  ...{ ...unarySamples, ...binarySamples, ...movementSamples, ...reduceSamples, ...contractionSamples, ...windowSamples, ...indexedSamples },
};

export const samplesOf = (name: OpName): readonly Sample[] => {
  const found = samples[name];
  return typeof found === 'string' ? [] : found;
};
