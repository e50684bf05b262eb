/**
 * A region: a graph lowered to tasks in stages. The program is one region; the body of a loop is a region of its own, whose parameters stand for
 * memory outside.
 */

import { debug } from '../core/debug.ts';
import { fail } from '../core/errors.ts';
import { sameShape, sizeOf } from '../core/shape.ts';
import { attributesOf, type Node, newNode } from '../graph/node.ts';
import type { Target } from '../ir/ir.ts';
import { fuse, type Item } from './fuse/fuse.ts';
import { chooseHomes, type Homes, throughReshape } from './fuse/homes.ts';
import { lowerItem } from './lower/lower.ts';
import { type Lowered, lowerGroup } from './lower/nest.ts';
import { blocksOf, makeStages } from './memory/schedule.ts';
import { describeItems } from './print.ts';
import { chunksOf } from './simplify/split.ts';
import { dependenciesFirst, type LoopTask, type Region, type Task } from './tasks.ts';
import { verifyKernel } from './verify.ts';

export interface RegionRequest {
  readonly outputs: readonly Node[];
  readonly inputs: readonly Node[];
  readonly aliases: readonly (number | undefined)[];
}

export interface RegionContext {
  readonly target: Target;
  readonly fusion: boolean;
  /** What the layout pass wants in memory as it is, here and in the bodies of loops. */
  readonly forced: ReadonlySet<Node>;
}

export function lowerRegion(request: RegionRequest, context: RegionContext): Region {
  const outputs = ownOutputs(request.outputs);
  const homes = chooseHomes(outputs, context.forced, context.fusion);
  const items = fuse(homes, outputs, context.forced, context.fusion);
  debug(3, () => describeItems(items, homes));
  const batches = batchSizes(request.inputs);
  const tasks = new Map<Item, Task>();
  for (const item of items) {
    if ([...item.stores.values()].flat().every((home) => sizeOf(home.buffer.shape) === 0)) continue;
    const after = new Set([...item.after].flatMap((x) => tasks.get(x) ?? []));
    if (item.core?.op === 'scan') {
      const loop = lowerLoop(item, homes, context);
      tasks.set(item, { lowered: loopBuffers(item, loop), after, blocks: 0, replaces: new Map(), loop });
      continue;
    }
    const lowered = lowerItem(item, homes, context.target, batches);
    verifyKernel(lowered.kernel);
    tasks.set(item, { lowered, after, blocks: blocksOf(lowered), replaces: new Map() });
  }
  const direct = placeAssignments(request, outputs, homes, [...tasks.values()]);
  return { outputs, homes, stages: makeStages(dependenciesFirst([...tasks.values()])), direct };
}

/** Outputs that are inputs, that appear twice, or that would be filled window by window into memory we do not own, are copied by a node of their own. */
function ownOutputs(outputs: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  return outputs.map((output) => {
    const root = throughReshape(output);
    const copied =
      root.op === 'leaf' || root.op === 'pad' || seen.has(root) || output !== root ? newNode('cast', [output], { dtype: output.dtype }, output) : output;
    seen.add(throughReshape(copied));
    return copied;
  });
}

/** Leading dimensions of the inputs that are not variables, and their chunks: kernels over them are divided along them. */
function batchSizes(inputs: readonly Node[]): Set<number> {
  const fixed = (leaf: Node): boolean => (leaf.attributes as { source: { kind: string } }).source.kind === 'variable';
  const batched = inputs.filter((leaf) => !fixed(leaf) && leaf.shape.length > 1 && leaf.shape[0] > 1);
  return new Set(batched.flatMap(({ shape: [size] }) => [size, chunksOf(size)]));
}

/** A kernel that copies `value` (read through `homeOf`) into the memory of a new node of the same type. */
export function copyKernel(value: Node, homeOf: Homes['homeOf'], target: Target): { copy: Node; lowered: Lowered } {
  const copy = newNode('cast', [value], { dtype: value.dtype }, value);
  const stores = new Map([[copy, [{ buffer: copy, start: undefined }]]]);
  const lowered = lowerGroup(
    { space: copy.shape, axes: [], members: [copy] },
    { target, homeInside: (node) => (node === copy ? undefined : homeOf(node)), stores, batches: new Set() },
  );
  return { copy, lowered };
}

function lowerLoop(item: Item, homes: Homes, context: RegionContext): LoopTask {
  const scan = item.core as Node;
  const { body, length, reverse } = attributesOf(scan, 'scan');
  const region = lowerRegion({ outputs: body.results, inputs: body.parameters, aliases: body.results.map(() => undefined) }, context);
  const outer = (node: Node): Node => homes.homeOf(node)?.buffer ?? fail('internal', 'scan', `an operand (${node.op}) is not in memory`);
  const partOf = (index: number): Node | undefined =>
    item.group.members.find((m) => m.op === 'part' && attributesOf(m, 'part').index === index && item.stores.has(m));
  const firstX = body.constants + body.carries;
  const outside = body.parameters.flatMap((leaf, i) =>
    i < body.constants || i >= firstX ? [{ leaf, buffer: outer(scan.inputs[i]), sliced: i >= firstX }] : [],
  );
  const carries = body.parameters.slice(body.constants, firstX).map((leaf, i) => {
    const initial = scan.inputs[body.constants + i];
    const { copy, lowered } = copyKernel(initial, homes.homeOf, context.target);
    const token = (): Node => newNode('leaf', [], { source: { kind: 'storage' } }, leaf);
    const final = partOf(i);
    const rings: [Node, Node] = [token(), token()];
    if (final) rings[length % 2] = final;
    return { leaf, result: region.outputs[i], initial: outer(initial), copy: lowered, copied: copy, rings };
  });
  const ys = region.outputs.slice(body.carries).map((result, i) => ({ result, part: partOf(body.carries + i) }));
  return { count: length, reverse, body: region, outside, carries, ys, apart: worksApart(region, carries) };
}

function worksApart(region: Region, carries: LoopTask['carries']): boolean {
  if (region.stages.length !== 1) return false;
  const [tasks] = region.stages;
  if (tasks.some((t) => t.loop || t.blocks < 2 || t.blocks !== tasks[0].blocks)) return false;
  const changing = new Set([...carries.map((c) => c.leaf), ...tasks.flatMap((t) => t.lowered.buffers.filter((b) => b.written).map((b) => b.node))]);
  return tasks.every((t) => t.lowered.buffers.every(({ node }) => !changing.has(node) || t.lowered.aligned.has(node)));
}

/** The loop as the scheduler sees it: what it reads and writes outside. */
function loopBuffers(item: Item, loop: LoopTask): Lowered {
  const reads = [...loop.outside.map((o) => o.buffer), ...loop.carries.map((c) => c.initial)];
  const writes = item.group.members.filter((m) => m.op === 'part' && item.stores.has(m));
  const read = [...new Set(reads)].filter((r) => !writes.includes(r)).map((node) => ({ node, written: false }));
  const written = writes.map((node) => ({ node, written: true }));
  const kernel = { name: '', parameters: [], body: [], comment: `loop of ${loop.count}`, flops: 0, bytes: 0 };
  return { kernel, buffers: [...read, ...written], units: 1, callUnits: 1, aligned: new Set(), samePlace: () => false };
}

/**
 * An output that replaces an input is written in place when every reader of the old value has run before (or is the writer itself, at the same
 * element); otherwise it gets memory of its own and is copied at the end. Readers become what the writer comes after. Returns what is written in place.
 */
function placeAssignments(request: RegionRequest, outputs: readonly Node[], homes: Homes, tasks: readonly Task[]): ReadonlySet<Node> {
  const direct = new Set<Node>();
  const reaches = (from: Task, to: Task): boolean => {
    const seen = new Set<Task>();
    const stack = [from];
    for (let at = stack.pop(); at; at = stack.pop()) {
      if (at === to) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      stack.push(...at.after);
    }
    return false;
  };
  const touching = (node: Node): Task[] => tasks.filter((t) => t.lowered.buffers.some((b) => b.node === node));
  request.aliases.forEach((alias, i) => {
    if (alias === undefined) return;
    const leaf = request.inputs[alias];
    const buffer = homes.homeOf(outputs[i])?.buffer;
    if (!buffer || !sameShape(buffer.shape, leaf.shape)) return;
    const writers = tasks.filter((t) => t.lowered.buffers.some((b) => b.node === buffer && b.written));
    const [writer] = writers;
    if (writers.length !== 1) return;
    const readers = touching(leaf).filter((t) => t !== writer);
    if (readers.some((t) => reaches(t, writer))) return;
    if (writer.lowered.buffers.some((b) => b.node === leaf) && !writer.lowered.samePlace(leaf, buffer)) return;
    direct.add(buffer);
    writer.replaces.set(buffer, leaf);
    for (const reader of readers) writer.after.add(reader);
  });
  return direct;
}
