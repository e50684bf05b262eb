/** Turns samples of ops (conformance/samples) into graphs and arrays: for gradient checks and for comparing devices. */
import { type DType, isFloating, type TypedArray } from '../../src/core/dtype.ts';
import { encodeArray } from '../../src/core/half.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { type Node, newNode, type TensorType } from '../../src/graph/node.ts';
import { part } from '../../src/ops/build.ts';
import type { Op } from '../../src/ops/op.ts';
import { make } from '../../src/ops/registry.ts';
import type { Sample, SampleInput } from '../conformance/samples/sample.ts';

export type Random = () => number;

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const inputLeaf = ({ shape, dtype }: TensorType): Node => newNode('leaf', [], { source: { kind: 'input' } }, { shape, dtype });

function valuesOf(input: SampleInput, dtype: DType, random: Random): readonly number[] {
  if (input.values) return input.values;
  const count = sizeOf(input.shape);
  const indices = Array.from({ length: count }, (_, i) => i);
  const { low = isFloating(dtype) || dtype === 'int32' ? -1 : 0, high = 1 } = input;
  if (dtype === 'bool') return indices.map(() => Math.floor(random() * 2));
  if (!isFloating(dtype)) return indices.map(() => low + Math.floor(random() * (high - low + 1)));
  if (!input.distinct) return indices.map(() => low + random() * (high - low));
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [indices[i], indices[j]] = [indices[j], indices[i]];
  }
  return indices.map((i) => low + ((i + 0.25 + random() / 2) / count) * (high - low));
}

export interface Materialized {
  /** Leaves, one per input. */
  readonly nodes: readonly Node[];
  readonly arrays: readonly TypedArray[];
}

/** Leaves and values for a sample's inputs. Inputs that name no dtype have `floating`. */
export function materialize(sample: Sample, seed = 1, floating: DType = 'float32'): Materialized {
  const random = seeded(seed);
  const types = sample.inputs.map(({ shape, dtype = floating }) => ({ shape, dtype }));
  return { nodes: types.map(inputLeaf), arrays: sample.inputs.map((input, i) => encodeArray(types[i].dtype, valuesOf(input, types[i].dtype, random))) };
}

/** The results of an op on these inputs: one, but for ops with several. */
export function resultsOf(op: Op, sample: Sample, inputs: readonly Node[]): Node[] {
  const node = make(op.name, inputs, sample.attributes);
  return op.inferParts ? op.inferParts(inputs, sample.attributes).map((_, i) => part(node, i)) : [node];
}
