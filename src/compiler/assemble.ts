/** From regions to a program: every buffer gets its place, every kernel its launch, loops their moving arguments. */
import { bytesOf } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import type { Kernel, Target } from '../ir/ir.ts';
import type { Launch, Move, Place, Program, Step } from '../ir/program.ts';
import type { Lowered } from './lower/nest.ts';
import { type Interval, placeBuffers } from './memory/schedule.ts';
import { copyKernel, type RegionRequest } from './region.ts';
import type { LoopTask, Region, Stage, Task } from './tasks.ts';

interface Resolved {
  readonly place: Place;
  /** For each loop around, by how much the address moves in a turn. */
  readonly moves: ReadonlyMap<LoopTask, number>;
}

type Resolve = (node: Node) => Resolved;

/** A launch with the moves of its arguments, until its loop is written. */
type Moving = Map<Launch, { argument: number; loop: LoopTask; byteStride: number }[]>;

export function assemble(request: RegionRequest, region: Region, target: Target, share: boolean): Program {
  const bound = new Map<Node, Place>();
  request.inputs.forEach((leaf, index) => bound.set(leaf, { kind: 'input', index, byteOffset: 0 }));
  const stages = [...region.stages];
  const late: Task[] = [];
  region.outputs.forEach((output, index) => {
    const buffer = region.homes.homeOf(output)?.buffer ?? fail('internal', 'compile', `output ${index} has no home`);
    const place: Place = { kind: 'output', index, byteOffset: 0 };
    if (request.aliases[index] === undefined || region.direct.has(buffer)) {
      bound.set(buffer, place);
      return;
    }
    const { copy, lowered } = copyKernel(output, region.homes.homeOf, target);
    bound.set(copy, place);
    late.push({ lowered, after: new Set(), blocks: lowered.units, replaces: new Map() });
  });
  if (late.length > 0) stages.push(late);
  const writer = new ProgramWriter(bound, placeArena(region, stages, bound, share));
  const steps = writer.region(stages, writer.top);
  const types = (nodes: readonly Node[]): Program['inputs'] => nodes.map(({ shape, dtype }) => ({ shape, dtype }));
  return {
    kernels: writer.kernels,
    steps,
    inputs: types(request.inputs),
    outputs: types(request.outputs),
    aliases: request.aliases,
    arenaBytes: writer.arena.bytes,
    flops: writer.flops,
    bytes: writer.bytes,
  };
}

interface Arena {
  readonly offsets: ReadonlyMap<Node, number>;
  readonly bytes: number;
}

/** Temporaries live from the first to the last stage that touches them; what a loop uses inside lives as long as the loop; borders stay. */
function placeArena(region: Region, stages: readonly Stage[], bound: ReadonlyMap<Node, Place>, share: boolean): Arena {
  const spans = new Map<Node, { from: number; to: number }>();
  const touch = (node: Node, at: number): void => {
    const span = spans.get(node);
    spans.set(node, { from: Math.min(span?.from ?? at, at), to: Math.max(span?.to ?? at, at) });
  };
  const zeroed = new Set(region.homes.zeroed);
  const outside = new Set<Node>();
  const inLoop = (loop: LoopTask, at: number): void => {
    for (const { leaf } of loop.outside) outside.add(leaf);
    for (const { leaf, result, rings } of loop.carries) {
      outside.add(leaf).add(result);
      for (const ring of rings) touch(ring, at);
    }
    for (const { result, part } of loop.ys) if (part) outside.add(result);
    for (const node of loop.body.homes.zeroed) zeroed.add(node);
    for (const stage of loop.body.stages) walk(stage, at);
  };
  const walk = (stage: Stage, at: number): void => {
    for (const task of stage) {
      for (const { node } of task.lowered.buffers) touch(node, at);
      if (task.loop) inLoop(task.loop, at);
    }
  };
  stages.forEach(walk);
  const intervals: Interval[] = [...spans]
    .filter(([node]) => !bound.has(node) && !outside.has(node))
    .map(([buffer, span]) => {
      const always = zeroed.has(buffer);
      return { buffer, bytes: sizeOf(buffer.shape) * bytesOf(buffer.dtype), from: always ? 0 : span.from, to: always ? stages.length : span.to };
    });
  return placeBuffers(intervals, share);
}

/** Neighbours in a stage that divide their work alike go over it together, block by block. */
function sweeps(tasks: readonly Task[]): Task[][] {
  const canSweep = ({ loop, blocks, lowered }: Task): boolean => !loop && blocks > 1 && lowered.aligned.size > 0 && lowered.units / blocks >= lowered.callUnits;
  const groups: Task[][] = [];
  for (const task of tasks) {
    const group = groups[groups.length - 1];
    if (group && canSweep(task) && canSweep(group[0]) && group[0].blocks === task.blocks) group.push(task);
    else groups.push([task]);
  }
  return groups;
}

/** Of what the ranges of a task's units are multiples: of its blocks, as its neighbours' are; alone, of as many units as it works best on, if it cares. */
const alignOf = ({ lowered, blocks }: Task, alone = false): number => (alone && lowered.callUnits > 1 ? lowered.callUnits : lowered.units / blocks);

class ProgramWriter {
  readonly kernels: Kernel[] = [];
  readonly arena: Arena;
  flops = 0;
  bytes = 0;
  private readonly texts = new Map<Kernel, string>();
  private readonly bound: ReadonlyMap<Node, Place>;
  private readonly moving: Moving = new Map();
  /** How often the steps being written run. */
  private times = 1;

  constructor(bound: ReadonlyMap<Node, Place>, arena: Arena) {
    this.bound = bound;
    this.arena = arena;
  }

  readonly top: Resolve = (node) => {
    const byteOffset = this.arena.offsets.get(node);
    const place = this.bound.get(node) ?? (byteOffset === undefined ? fail('internal', 'compile', `${node.op} has no place`) : { kind: 'arena', byteOffset });
    return { place, moves: new Map() };
  };

  region(stages: readonly Stage[], resolve: Resolve): Step[] {
    const steps: Step[] = [];
    stages.forEach((stage, i) => {
      if (i > 0) steps.push({ kind: 'barrier' });
      for (const group of sweeps(stage)) {
        const [first] = group;
        if (first.loop) steps.push(...this.loop(first.loop, resolve));
        else if (group.length === 1) steps.push(this.launch(first.lowered, alignOf(first, stage.length === 1 && resolve === this.top), resolve));
        else steps.push({ kind: 'sweep', blocks: first.blocks, launches: group.map((task) => this.launch(task.lowered, alignOf(task), resolve)) });
      }
    });
    return steps;
  }

  /** Kernels that are called alike are compared by their texts, which take long to write. */
  private textOf(kernel: Kernel): string {
    const text = this.texts.get(kernel) ?? JSON.stringify([kernel.parameters, kernel.body]);
    this.texts.set(kernel, text);
    return text;
  }

  private launch(lowered: Lowered, align: number, resolve: Resolve): Launch {
    const same = (k: Kernel): boolean => k === lowered.kernel || (k.comment === lowered.kernel.comment && this.textOf(k) === this.textOf(lowered.kernel));
    let kernel = this.kernels.findIndex(same);
    if (kernel < 0) kernel = this.kernels.push(lowered.kernel) - 1;
    this.flops += lowered.kernel.flops * this.times;
    this.bytes += lowered.kernel.bytes * this.times;
    const resolved = lowered.buffers.map(({ node }) => resolve(node));
    const launch: Launch = { kind: 'launch', kernel, arguments: resolved.map((r) => r.place), units: lowered.units, align };
    this.moving.set(
      launch,
      resolved.flatMap(({ moves }, argument) => [...moves].map(([loop, byteStride]) => ({ argument, loop, byteStride }))),
    );
    return launch;
  }

  /** Two turns are written out, so that a carry alternates between two places; an odd turn follows at the end. */
  private loop(loop: LoopTask, resolve: Resolve): Step[] {
    const steps: Step[] = loop.carries.map((c) => this.launch(c.copy, 1, (node) => (node === c.copied ? resolve(c.rings[0]) : resolve(node))));
    if (loop.count === 0) return steps;
    steps.push({ kind: 'barrier' });
    const pairs = Math.floor(loop.count / 2);
    const between: Step[] = loop.apart ? [] : [{ kind: 'barrier' }];
    if (pairs > 0) {
      this.times *= pairs;
      const body = [...this.turn(loop, 0, true, resolve), ...between, ...this.turn(loop, 1, true, resolve), ...between];
      this.times /= pairs;
      steps.push({ kind: 'loop', count: pairs, body, moves: this.movesOf(loop, body) });
    }
    if (loop.count % 2 === 1) steps.push(...this.turn(loop, loop.count - 1, false, resolve));
    return steps;
  }

  private turn(loop: LoopTask, step: number, moves: boolean, outer: Resolve): Step[] {
    const t = loop.reverse ? loop.count - 1 - step : step;
    const direction = loop.reverse ? -2 : 2;
    const places = new Map<Node, Resolved>();
    const slice = (node: Node, buffer: Node): void => {
      const bytes = sizeOf(node.shape) * bytesOf(node.dtype);
      const { place, moves: around } = outer(buffer);
      const mine = new Map(around);
      if (moves) mine.set(loop, direction * bytes);
      places.set(node, { place: { ...place, byteOffset: place.byteOffset + t * bytes }, moves: mine });
    };
    for (const { leaf, buffer, sliced } of loop.outside) {
      if (sliced) slice(leaf, buffer);
      else places.set(leaf, outer(buffer));
    }
    for (const { leaf, result, rings } of loop.carries) {
      places.set(leaf, outer(rings[step % 2]));
      places.set(result, outer(rings[(step + 1) % 2]));
    }
    for (const { result, part } of loop.ys) if (part) slice(result, part);
    return this.region(loop.body.stages, (node) => places.get(node) ?? outer(node));
  }

  /** Moves of the launches in a loop's body, numbered depth first. */
  private movesOf(loop: LoopTask, body: readonly Step[]): Move[] {
    const out: Move[] = [];
    let number = 0;
    const walk = (steps: readonly Step[]): void => {
      for (const step of steps) {
        if (step.kind === 'loop') walk(step.body);
        const launches = step.kind === 'launch' ? [step] : step.kind === 'sweep' ? step.launches : [];
        for (const launch of launches) {
          for (const m of this.moving.get(launch) ?? []) if (m.loop === loop) out.push({ launch: number, argument: m.argument, byteStride: m.byteStride });
          number++;
        }
      }
    };
    walk(body);
    return out;
  }
}
