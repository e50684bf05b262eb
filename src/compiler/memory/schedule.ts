/**
 * From kernels in order to steps: kernels are put in stages with a barrier between them. Two kernels that divide their work over the same parts and
 * touch a buffer only part by part need no barrier: each thread reads what it wrote itself.
 */
import { sizeOf } from '../../core/shape.ts';
import type { Node } from '../../graph/node.ts';
import type { Lowered } from '../lower/nest.ts';
import { chunksOf } from '../simplify/split.ts';
import type { Stage, Task } from '../tasks.ts';

export const blocksOf = (lowered: Lowered): number => (lowered.units > 1 && lowered.aligned.size > 0 ? chunksOf(lowered.units) : lowered.units);

/** Whether `later` may follow `earlier` without a barrier: all memory they share is touched part by part by both. */
function sameParts(earlier: Task, later: Task): boolean {
  if (earlier.blocks !== later.blocks || earlier.blocks < 2) return earlier.blocks === 1 && later.blocks === 1;
  const memory = (task: Task, node: Node): Node => task.replaces.get(node) ?? node;
  for (const mine of later.lowered.buffers) {
    for (const other of earlier.lowered.buffers) {
      if (memory(later, mine.node) !== memory(earlier, other.node) || (!mine.written && !other.written)) continue;
      if (!earlier.lowered.aligned.has(other.node) || !later.lowered.aligned.has(mine.node)) return false;
    }
  }
  return true;
}

/** A stage that writes more gets a barrier: what is dead behind it makes room. */
const mostStageBytes = 32 * 2 ** 20;

export function makeStages(tasks: readonly Task[]): Stage[] {
  const levels = new Map<Task, number>();
  const bytes: number[] = [];
  for (const task of tasks) {
    let level = 0;
    for (const before of task.after) {
      const at = levels.get(before) as number;
      level = Math.max(level, at + (sameParts(before, task) && (bytes[at] ?? 0) < mostStageBytes ? 0 : 1));
    }
    levels.set(task, level);
    const written = task.lowered.buffers.filter((buffer) => buffer.written);
    bytes[level] = written.reduce((sum, { node }) => sum + 4 * sizeOf(node.shape), bytes[level] ?? 0);
  }
  const stages: Task[][] = [];
  for (const task of tasks) {
    const level = levels.get(task) as number;
    while (stages.length <= level) stages.push([]);
    stages[level].push(task);
  }
  return stages;
}

export interface Interval {
  readonly buffer: Node;
  readonly bytes: number;
  /** First and last stage that touches it. */
  readonly from: number;
  readonly to: number;
}

/** Offsets in one arena such that buffers alive in the same stage do not overlap: largest first, at the lowest free place. */
export function placeBuffers(intervals: readonly Interval[], share: boolean): { offsets: Map<Node, number>; bytes: number } {
  const offsets = new Map<Node, number>();
  const placed: (Interval & { offset: number })[] = [];
  let total = 0;
  for (const interval of [...intervals].sort((a, b) => b.bytes - a.bytes || a.buffer.id - b.buffer.id)) {
    const size = roundUp(interval.bytes);
    let offset = share ? 0 : total;
    if (share) {
      const busy = placed.filter((p) => p.from <= interval.to && p.to >= interval.from).sort((a, b) => a.offset - b.offset);
      for (const p of busy) {
        if (p.offset - offset >= size) break;
        offset = Math.max(offset, p.offset + roundUp(p.bytes));
      }
    }
    placed.push({ ...interval, offset });
    offsets.set(interval.buffer, offset);
    total = Math.max(total, offset + size);
  }
  return { offsets, bytes: total };
}

/** Cache lines are not shared; 64 more bytes keep vector loads at a buffer's end inside the arena. */
const roundUp = (bytes: number): number => Math.ceil((bytes + 64) / 128) * 128;
