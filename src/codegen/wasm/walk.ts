/**
 * The walk over a program's steps as a function of WebAssembly: every thread calls it and does its share of each launch. Addresses of inputs and outputs
 * are read from a table when it begins; everything else is known when the module is written.
 */
import { fail } from '../../core/errors.ts';
import type { Launch, Place, Program, Step } from '../../ir/program.ts';
import { FunctionBuilder, type FunctionText, get } from './function.ts';
import { type Code, call, f64, i32, load, op, store } from './instructions.ts';

/** Where things are in memory. */
export interface WalkPlaces {
  readonly arena: number;
  /** One 32-bit address per input and output. */
  readonly bindings: number;
  /** The barrier's words; undefined where only one thread exists. */
  readonly barrier: number | undefined;
  /** With this, every launch is timed: per thread and launch its seconds (float64) and its calls (int32 in 8 bytes). */
  readonly times: number | undefined;
}

/** The walk's parameters: its thread, how many threads take part, and whether this thread may sleep. */
interface Threads {
  readonly thread: Code;
  readonly count: Code;
  readonly maySleep: Code;
}

export const kernelName = (kernel: number): string => `k${kernel}`;

/** Launches in depth-first order. */
export const launchesOf = (steps: readonly Step[]): Launch[] =>
  steps.flatMap((step) => (step.kind === 'launch' ? [step] : step.kind === 'sweep' ? step.launches : step.kind === 'loop' ? launchesOf(step.body) : []));

export function renderWalk(program: Program, places: WalkPlaces): FunctionText {
  const f = new FunctionBuilder('walk');
  const [thread, count, maySleep] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')].map(get);
  const bound = [...program.inputs, ...program.outputs].map((_, i) => f.hold(load('i32.load', i32(places.bindings), 4 * i), 'i32'));
  const addressOf = (place: Place): Code => {
    if (place.kind === 'arena') return i32(places.arena + place.byteOffset);
    const base = bound[place.kind === 'input' ? place.index : program.inputs.length + place.index];
    return place.byteOffset === 0 ? base : op('i32.add', base, i32(place.byteOffset));
  };
  const writer = new WalkWriter(f, { thread, count, maySleep }, places, launchesOf(program.steps).length);
  writer.steps(
    program.steps,
    launchesOf(program.steps).map((launch) => launch.arguments.map(addressOf)),
  );
  return f.finish();
}

class WalkWriter {
  private readonly f: FunctionBuilder;
  private readonly threads: Threads;
  private readonly places: WalkPlaces;
  private readonly launches: number;
  /** Position of the next launch in the depth-first list. */
  private at = 0;

  constructor(f: FunctionBuilder, threads: Threads, places: WalkPlaces, launches: number) {
    this.f = f;
    this.threads = threads;
    this.places = places;
    this.launches = launches;
  }

  /** `addresses` has the arguments of these steps' launches, depth first. */
  steps(steps: readonly Step[], addresses: readonly (readonly Code[])[]): void {
    let first = 0;
    for (const step of steps) {
      const own = addresses.slice(first, first + launchesOf([step]).length);
      first += own.length;
      switch (step.kind) {
        case 'launch':
          this.launch(step, own[0]);
          break;
        case 'sweep':
          this.sweep(step, own);
          break;
        case 'barrier':
          if (this.places.barrier !== undefined)
            this.f.when(op('i32.gt_s', this.threads.count, i32(1)), () => this.f.emit(call('barrier', this.threads.count, this.threads.maySleep)));
          break;
        case 'loop':
          this.loop(step, own);
      }
    }
  }

  /** Blocks from … to−1 of `blocks` for this thread. */
  private share(blocks: number): { readonly from: Code; readonly to: Code } {
    const { thread, count } = this.threads;
    const limit = (t: Code): Code => op('i32.div_u', op('i32.mul', i32(blocks), t), count);
    return { from: limit(thread), to: limit(op('i32.add', thread, i32(1))) };
  }

  private launch({ kernel, units, align }: Launch, addresses: readonly Code[]): void {
    const { f } = this;
    const launch = this.at++;
    const block = Math.max(1, align);
    const blocks = Math.ceil(units / block);
    this.countCall(launch);
    // A single block stays on the caller.
    if (blocks <= 1) {
      f.when(op('i32.eqz', this.threads.thread), () => this.call(launch, kernel, addresses, i32(0), i32(units)));
      return;
    }
    const code = f.scope(() => {
      const share = this.share(blocks);
      const from = f.hold(op('i32.mul', share.from, i32(block)), 'i32');
      const end = f.hold(op('i32.mul', share.to, i32(block)), 'i32');
      const to = blocks * block === units ? end : f.hold(op('select', end, i32(units), op('i32.lt_s', end, i32(units))), 'i32');
      f.when(op('i32.lt_s', from, to), () => this.call(launch, kernel, addresses, from, to));
    });
    f.emit(code);
  }

  private sweep({ blocks, launches }: Extract<Step, { kind: 'sweep' }>, addresses: readonly (readonly Code[])[]): void {
    const { f } = this;
    const first = this.at;
    this.at += launches.length;
    for (let i = 0; i < launches.length; i++) this.countCall(first + i);
    const code = f.scope(() => {
      const share = this.share(blocks);
      const block = f.local('i32');
      f.loop(block, { from: share.from, to: f.hold(share.to, 'i32'), step: i32(1) }, () => {
        launches.forEach(({ kernel, align }, i) => {
          const from = f.hold(op('i32.mul', get(block), i32(align)), 'i32');
          this.call(first + i, kernel, addresses[i], from, op('i32.add', from, i32(align)));
        });
      });
    });
    f.emit(code);
  }

  /** Arguments that move from turn to turn are variables of their own; they begin anew each time the loop is reached. */
  private loop({ count, body, moves }: Extract<Step, { kind: 'loop' }>, addresses: readonly (readonly Code[])[]): void {
    const { f } = this;
    const inside = addresses.map((launch) => [...launch]);
    const code = f.scope(() => {
      const moved = moves.map(({ launch, argument, byteStride }) => {
        const initial =
          addresses[launch]?.[argument] ?? fail('internal', 'wasm', `a loop names argument ${argument} of launch ${launch}, which does not exist`);
        const local = f.local('i32');
        f.set(local, initial);
        inside[launch][argument] = get(local);
        return { local, byteStride };
      });
      f.loop(f.local('i32'), { from: i32(0), to: i32(count), step: i32(1) }, () => {
        this.steps(body, inside);
        for (const { local, byteStride } of moved) f.set(local, op('i32.add', get(local), i32(byteStride)));
      });
    });
    f.emit(code);
  }

  private call(launch: number, kernel: number, addresses: readonly Code[], from: Code, to: Code): void {
    const { f } = this;
    const run = call(kernelName(kernel), ...addresses, from, to);
    if (this.places.times === undefined) {
      f.emit(run);
      return;
    }
    const start = f.local('f64');
    f.set(start, call('clock'));
    f.emit(run);
    const at = this.timesOf();
    const seconds = op('f64.mul', op('f64.sub', call('clock'), get(start)), f64(1e-3));
    f.emit(store('f64.store', at, op('f64.add', load('f64.load', at, 16 * launch), seconds), 16 * launch));
  }

  private countCall(launch: number): void {
    if (this.places.times === undefined) return;
    const at = this.timesOf();
    this.f.emit(store('i32.store', at, op('i32.add', load('i32.load', at, 16 * launch + 8), i32(1)), 16 * launch + 8));
  }

  private timesOf(): Code {
    return op('i32.add', i32(this.places.times as number), op('i32.mul', this.threads.thread, i32(16 * this.launches)));
  }
}
