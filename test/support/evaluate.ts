/** Small graphs for tests: leaves with values, and the reference evaluation of nodes. */
import type { DType, TypedArray } from '../../src/core/dtype.ts';
import { decodeArray, encodeArray } from '../../src/core/half.ts';
import { type Shape, sizeOf } from '../../src/core/shape.ts';
import type { AttributesOf, OpName } from '../../src/graph/attributes.ts';
import type { Node } from '../../src/graph/node.ts';
import { make } from '../../src/ops/build.ts';
import { evaluateGraph } from '../../src/ops/evaluate.ts';
import '../../src/ops/index.ts';
import { inputLeaf } from './samples.ts';

const bound = new WeakMap<Node, TypedArray>();

/** A leaf with these values; a vector unless a shape is given. */
export function given(values: readonly number[], { shape = [values.length], dtype = 'float32' }: { shape?: Shape; dtype?: DType } = {}): Node {
  if (values.length !== sizeOf(shape)) throw new Error(`given: ${values.length} values for shape [${shape}]`);
  const leaf = inputLeaf({ shape, dtype });
  bound.set(leaf, encodeArray(dtype, values));
  return leaf;
}

/** The values of nodes as numbers. */
export const allNumbersOf = (...nodes: Node[]): number[][] =>
  evaluateGraph(nodes, (leaf) => bound.get(leaf) as TypedArray).map((array, i) => Array.from(decodeArray(nodes[i].dtype, array)));

export const numbersOf = (node: Node): number[] => allNumbersOf(node)[0];

/** The values of one op on these inputs. */
export const run = <K extends OpName>(name: K, inputs: readonly Node[], attributes: AttributesOf[K]): number[] => numbersOf(make(name, inputs, attributes));
