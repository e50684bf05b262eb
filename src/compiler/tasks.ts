/** What regions consist of: tasks (kernel calls and loops) in stages. Types, and the order of what depends on each other. */
import type { Node } from '../graph/node.ts';
import type { Homes } from './fuse/homes.ts';
import type { Lowered } from './lower/nest.ts';

/** One kernel call. */
export interface Task {
  readonly lowered: Lowered;
  /** Tasks that must be finished, at least on the same part, before. */
  readonly after: Set<Task>;
  /** Parts its units are divided into: a thread gets whole parts. */
  readonly blocks: number;
  /** Buffers it writes that are, in memory, an input of the program: buffer → input. */
  readonly replaces: Map<Node, Node>;
  /** A loop instead of a kernel; `lowered` then only lists what it touches outside, and blocks is 0. */
  readonly loop?: LoopTask;
}

/** Tasks with no barrier between them. */
export type Stage = readonly Task[];

export interface Region {
  /** One node with memory of its own for every result. */
  readonly outputs: readonly Node[];
  readonly homes: Homes;
  readonly stages: readonly Stage[];
  /** Outputs whose kernels write straight into the input they replace. */
  readonly direct: ReadonlySet<Node>;
}

/** A loop in a region. */
export interface LoopTask {
  readonly count: number;
  readonly reverse: boolean;
  readonly body: Region;
  /** Body parameters that stand for outer memory: the same each turn (constants), or one slice per turn (xs). */
  readonly outside: readonly { readonly leaf: Node; readonly buffer: Node; readonly sliced: boolean }[];
  readonly carries: readonly {
    readonly leaf: Node;
    readonly result: Node;
    readonly initial: Node;
    readonly copy: Lowered;
    readonly copied: Node;
    readonly rings: readonly [Node, Node];
  }[];
  /** Results that go out slice by slice; without a part they go nowhere. */
  readonly ys: readonly { readonly result: Node; readonly part: Node | undefined }[];
  /** Whether threads never touch each other's part of anything, so that turns need no barrier. */
  readonly apart: boolean;
}

/** Dependencies first; otherwise in the given order. */
export function dependenciesFirst<T extends { readonly after: ReadonlySet<T> }>(items: readonly T[]): T[] {
  const done = new Set<T>();
  const visit = (item: T): void => {
    if (done.has(item)) return;
    for (const before of item.after) visit(before);
    done.add(item);
  };
  items.forEach(visit);
  return [...done];
}
