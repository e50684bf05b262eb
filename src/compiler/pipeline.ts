/**
 * The compiler: from a graph to a program. Reads as the list of its passes.
 *   merge loops    an augmented copy of a loop (made by differentiation) replaces the original
 *   simplify       equal nodes become one, identities and empty work disappear, constants are folded
 *   split          reductions over a batch become partial sums in chunks that the shape decides
 *   layout         borders, panels: layouts as nodes; every convolution has padding 0 afterwards
 *   homes          which values are kept in memory, and where
 *   fuse           kept values are grouped into kernels
 *   lower          every group becomes loop IR
 *   schedule       kernels get stages with barriers between them
 *   place          buffers get their places in one arena
 */
import { bytesOf } from '../core/dtype.ts';
import { debug, debugLevel } from '../core/debug.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { type Node, newNode } from '../graph/node.ts';
import type { Kernel, Target } from '../ir/ir.ts';
import type { Launch, Place, Program, Step } from '../ir/program.ts';
import { mergeScans } from '../ops/scan-merge.ts';
import { fuse, type Item } from './fuse/fuse.ts';
import { chooseHomes, type Homes, throughReshape } from './fuse/homes.ts';
import { lowerItem } from './lower/lower.ts';
import { type Lowered, lowerGroup } from './lower/nest.ts';
import { blocksOf, makeStages, placeBuffers, type Stage, type Task } from './memory/schedule.ts';
import { describeItems } from './print.ts';
import { chooseLayouts } from './simplify/layout.ts';
import { simplify } from './simplify/simplify.ts';
import { chunksOf, splitReductions } from './simplify/split.ts';
import { verifyGraph, verifyKernel } from './verify.ts';

export interface CompileRequest {
  readonly outputs: readonly Node[];
  /** The leaves, in binding order. */
  readonly inputs: readonly Node[];
  /** aliases[i]: the input whose memory output i overwrites. */
  readonly aliases: readonly (number | undefined)[];
}

export interface CompileOptions {
  /** false: every value in a kernel of its own. */
  readonly fusion?: boolean;
  /** false: no two values share memory. */
  readonly memoryPlanning?: boolean;
}

export function compileGraph(request: CompileRequest, target: Target, options: CompileOptions = {}): Program {
  const { fusion = true, memoryPlanning = true } = options;
  let outputs = mergeScans(request.outputs);
  const pass = (name: string, run: (outputs: readonly Node[]) => readonly Node[]): void => {
    outputs = [...run(outputs)];
    verifyGraph(name, outputs);
  };
  pass('simplify', simplify);
  pass('split', splitReductions);
  const forced = new Set<Node>();
  pass('layout', (graph) => {
    const layouts = chooseLayouts(graph, target);
    for (const node of layouts.forced) forced.add(node);
    return layouts.outputs;
  });
  outputs = ownOutputs(outputs);
  const homes = chooseHomes(outputs, forced, fusion);
  const items = fuse(homes, outputs, forced, fusion);
  debug(3, () => describeItems(items, homes));
  const batches = batchSizes(request.inputs, outputs);
  const tasks = lowerAll(items, homes, target, batches);
  const inPlace = placeAssignments(request, outputs, homes, tasks);
  const stages = makeStages(inPlace.tasks);
  return assemble({ request, outputs, homes, stages, direct: inPlace.direct, share: memoryPlanning, target });
}

/** Outputs that are inputs, or that appear twice, are copied by a node of their own. */
function ownOutputs(outputs: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  return outputs.map((output) => {
    const root = throughReshape(output);
    const copied = root.op === 'leaf' || seen.has(root) || output !== root ? newNode('cast', [output], { dtype: output.dtype }, output) : output;
    seen.add(throughReshape(copied));
    return copied;
  });
}

/** Leading dimensions of the inputs that are not variables, and their chunks: kernels over them are divided along them. */
function batchSizes(inputs: readonly Node[], outputs: readonly Node[]): Set<number> {
  const sizes = new Set<number>();
  for (const leaf of inputs) {
    const { source } = leaf.attributes as { source: { kind: string } };
    if (source.kind !== 'variable' && leaf.shape.length > 1 && leaf.shape[0] > 1) {
      sizes.add(leaf.shape[0]);
      sizes.add(chunksOf(leaf.shape[0]));
    }
  }
  void outputs;
  return sizes;
}

function lowerAll(items: readonly Item[], homes: Homes, target: Target, batches: ReadonlySet<number>): Map<Item, Task> {
  const tasks = new Map<Item, Task>();
  for (const item of items) {
    if ([...item.stores.values()].flat().every((home) => sizeOf(home.buffer.shape) === 0)) continue;
    const lowered = lowerItem(item, homes, target, batches);
    verifyKernel(lowered.kernel);
    const after = [...item.after].flatMap((x) => tasks.get(x) ?? []);
    tasks.set(item, { lowered, after, blocks: blocksOf(lowered) });
  }
  return tasks;
}

interface InPlace {
  readonly tasks: readonly Task[];
  /** Outputs whose kernels write straight into the input they replace. */
  readonly direct: ReadonlySet<Node>;
}

/**
 * An output that replaces an input is written in place when every reader of the old value has run before (or is the writer itself, at the same
 * element); otherwise it gets memory of its own and is copied at the end.
 */
function placeAssignments(request: CompileRequest, outputs: Node[], homes: Homes, byItem: Map<Item, Task>): InPlace {
  const tasks = new Map(byItem);
  const direct = new Set<Node>();
  request.aliases.forEach((alias, i) => {
    if (alias === undefined) return;
    const leaf = request.inputs[alias];
    const buffer = homes.homeOf(outputs[i])?.buffer;
    const writer = [...tasks].find(([, t]) => t.lowered.buffers.some((b) => b.node === buffer && b.written));
    if (!buffer || !writer) return;
    const readers = [...tasks].filter(([item, t]) => item !== writer[0] && t.lowered.buffers.some((b) => b.node === leaf));
    const reaches = (from: Task, to: Task, seen = new Set<Task>()): boolean => {
      if (from === to) return true;
      if (seen.has(from)) return false;
      seen.add(from);
      return from.after.some((x) => reaches(x, to, seen));
    };
    if (readers.some(([, t]) => reaches(t, writer[1]))) return;
    if (writer[1].lowered.buffers.some((b) => b.node === leaf) && !writer[1].lowered.samePlace(leaf, buffer)) return;
    direct.add(buffer);
    const waiting: Task = { ...writer[1], after: [...writer[1].after, ...readers.map(([, t]) => t)] };
    for (const [item, t] of tasks) {
      if (t === writer[1]) tasks.set(item, waiting);
      else if (t.after.includes(writer[1])) tasks.set(item, { ...t, after: t.after.map((x) => (x === writer[1] ? waiting : x)) });
    }
    relink(tasks);
  });
  return { tasks: sortTasks([...tasks.values()]), direct };
}

/** After a task was replaced, everything that points to old versions points to the new ones. */
function relink(tasks: Map<Item, Task>): void {
  const current = new Map<Lowered, Task>();
  const fresh = new Map<Item, Task>();
  for (const [item, t] of tasks) {
    const renewed = { ...t, after: [] as Task[] };
    current.set(t.lowered, renewed);
    fresh.set(item, renewed);
  }
  for (const [item, t] of tasks) for (const x of t.after) (fresh.get(item) as Task & { after: Task[] }).after.push(current.get(x.lowered) as Task);
  for (const [item, t] of fresh) tasks.set(item, t);
}

function sortTasks(tasks: readonly Task[]): Task[] {
  const done = new Set<Task>();
  const out: Task[] = [];
  const visit = (task: Task): void => {
    if (done.has(task)) return;
    done.add(task);
    for (const x of task.after) visit(x);
    out.push(task);
  };
  for (const task of tasks) visit(task);
  return out;
}

interface Assembly {
  readonly request: CompileRequest;
  readonly outputs: readonly Node[];
  readonly homes: Homes;
  readonly stages: readonly Stage[];
  readonly direct: ReadonlySet<Node>;
  readonly share: boolean;
  readonly target: Target;
}

/** A last kernel that copies an output to the input it replaces, when it could not be written there at once. */
function copyBack(output: Node, homes: Homes, target: Target): { copy: Node; task: Task } {
  const copy = newNode('cast', [output], { dtype: output.dtype }, output);
  const home = { buffer: copy, start: undefined };
  const lowered = lowerGroup({ space: copy.shape, axes: [], members: [copy] }, { target, homeInside: (node) => (node === copy ? undefined : homes.homeOf(node)), stores: new Map([[copy, [home]]]), batches: new Set() });
  return { copy, task: { lowered, after: [], blocks: lowered.units } };
}

function assemble({ request, outputs, homes, stages: computed, direct, share, target }: Assembly): Program {
  const stages = [...computed];
  const bound = new Map<Node, Place>();
  request.inputs.forEach((leaf, index) => bound.set(leaf, { kind: 'input', index, byteOffset: 0 }));
  const copies: Task[] = [];
  outputs.forEach((output, index) => {
    const buffer = homes.homeOf(output)?.buffer ?? fail('internal', 'compile', `output ${index} has no home`);
    if (request.aliases[index] === undefined || direct.has(buffer)) bound.set(buffer, { kind: 'output', index, byteOffset: 0 });
    else {
      const { copy, task } = copyBack(output, homes, target);
      bound.set(copy, { kind: 'output', index, byteOffset: 0 });
      copies.push(task);
    }
  });
  if (copies.length > 0) stages.push({ tasks: copies });
  const spans = new Map<Node, { from: number; to: number }>();
  stages.forEach((stage, at) => {
    for (const task of stage.tasks) {
      for (const { node } of task.lowered.buffers) {
        const span = spans.get(node);
        spans.set(node, { from: span?.from ?? at, to: at });
      }
    }
  });
  const intervals = [...spans].filter(([node]) => !bound.has(node)).map(([buffer, span]) => {
    const whole = homes.zeroed.has(buffer);
    return { buffer, bytes: sizeOf(buffer.shape) * bytesOf(buffer.dtype), from: whole ? 0 : span.from, to: whole ? stages.length : span.to };
  });
  const arena = placeBuffers(intervals, share);
  const placeOf = (node: Node): Place => bound.get(node) ?? { kind: 'arena', byteOffset: arena.offsets.get(node) ?? fail('internal', 'compile', `${node.op} has no place`) };
  const kernels: Kernel[] = [];
  const kernelIndex = new Map<string, number>();
  const launch = (lowered: Lowered, blocks: number): Launch => {
    const text = JSON.stringify([lowered.kernel.parameters, lowered.kernel.body]);
    let kernel = kernelIndex.get(text);
    if (kernel === undefined) {
      kernel = kernels.length;
      kernelIndex.set(text, kernel);
      kernels.push(lowered.kernel);
    }
    return { kind: 'launch', kernel, arguments: lowered.buffers.map(({ node }) => placeOf(node)), units: lowered.units, align: lowered.units / blocks };
  };
  const steps: Step[] = [];
  stages.forEach((stage, i) => {
    if (i > 0) steps.push({ kind: 'barrier' });
    for (const task of stage.tasks) steps.push(launch(task.lowered, task.blocks));
  });
  const types = (nodes: readonly Node[]): { shape: readonly number[]; dtype: Node['dtype'] }[] => nodes.map(({ shape, dtype }) => ({ shape, dtype }));
  const launches = steps.filter((s): s is Launch => s.kind === 'launch');
  const flops = launches.reduce((sum, l) => sum + kernels[l.kernel].flops, 0);
  const bytes = launches.reduce((sum, l) => sum + kernels[l.kernel].bytes, 0);
  if (debugLevel() >= 4) debug(4, () => kernels.map((k) => `${k.comment}\n${JSON.stringify(k.body)}`).join('\n'));
  return { kernels, steps, inputs: types(request.inputs), outputs: types(request.outputs), aliases: request.aliases, arenaBytes: arena.bytes, flops, bytes };
}
