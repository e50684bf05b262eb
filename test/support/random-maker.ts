/** What the steps of random graphs work with. */
import type { Node, TensorType } from '../../src/graph/node.ts';

/** Elements of the largest value. */
export const largest = 70_000;

/** What a step may do: draw numbers, pick values, make leaves, add values. */
export interface Maker {
  /** A whole number below n; 0 when the recipe is short. */
  readonly draw: (n: number) => number;
  readonly any: () => Node;
  /** A float32 or float64 value. */
  readonly float: () => Node;
  /** A value that is no larger than `limit` by magnitude: squashed if it is. */
  readonly within: (x: Node, limit: number) => Node;
  readonly bound: (x: Node) => number;
  readonly leaf: (type: TensorType, low?: number, high?: number) => Node;
  readonly add: (x: Node, bound?: number) => Node;
  readonly pool: readonly Node[];
  /** Whether contractions and convolutions may be large enough for blocks, panels and several threads. */
  readonly large: boolean;
}

export type Step = (m: Maker) => void;
