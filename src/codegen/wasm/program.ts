/** A program as one WebAssembly module: its kernels, the functions they call, and the walk over its steps. */
import type { Target } from '../../ir/ir.ts';
import type { Program } from '../../ir/program.ts';
import { FunctionBuilder, type FunctionText, get } from './function.ts';
import { type Code, call, f32x4, i32, load, op, store } from './instructions.ts';
import { renderKernel } from './kernel.ts';
import { exponentials, type MultiplyAdd } from './maths.ts';
import { wideFunctions } from './maths-wide.ts';
import { encodeModule, type Helpers, type ModuleText, type Signature } from './module.ts';
import { kernelName, renderWalk, type WalkPlaces } from './walk.ts';

/** float64 maths comes from the host. */
const unaryImports = ['exp', 'log', 'log1p', 'expm1', 'sin', 'cos', 'tan', 'tanh', 'sigmoid', 'erf'];
const imports: Record<string, Signature> = {
  ...Object.fromEntries(unaryImports.map((name): [string, Signature] => [name, { parameters: ['f64'], result: 'f64' }])),
  pow: { parameters: ['f64', 'f64'], result: 'f64' },
  mod: { parameters: ['f64', 'f64'], result: 'f64' },
  /** Milliseconds. */
  clock: { parameters: [], result: 'f64' },
  /** How often the barrier has slept; the host may throw. */
  waited: { parameters: ['i32'], result: 'i32' },
};

/** Bytes between the words of the barrier: each has a cache line of its own. */
const line = 128;
const spins = 20_000;
/** A thread that sleeps looks up this often. */
const sleepNanoseconds = 100_000_000;

/** Waits until all threads have come here: turns for a while, then sleeps where that is allowed. Traps when a thread has failed. */
function barrierFunction(address: number): FunctionText {
  const f = new FunctionBuilder('barrier');
  const [threads, maySleep] = [f.parameter('i32'), f.parameter('i32')].map(get);
  const [count, generation, sleepers] = [0, 1, 2].map((word) => address + word * line);
  const read = (word: number): Code => load('i32.atomic.load', i32(word));
  const add = (word: number, value: number): Code => store('i32.atomic.rmw.add', i32(word), i32(value));
  const seen = f.hold(read(generation), 'i32');
  const leave = (): void => {
    f.when(load('i32.atomic.load', i32(generation), 4), () => f.emit(op('unreachable')));
    f.emit({ op: 'return' });
  };
  f.when(load('i32.atomic.load', i32(generation), 4), () => f.emit(op('unreachable')));
  f.when(op('i32.eq', op('i32.add', add(count, 1), i32(1)), threads), () => {
    f.emit(store('i32.atomic.store', i32(count), i32(0)), add(generation, 1), op('drop'));
    f.when(read(sleepers), () => f.emit(store('memory.atomic.notify', i32(generation), i32(-1)), op('drop')));
    f.emit({ op: 'return' });
  });
  const turns = f.local('i32');
  f.set(turns, i32(0));
  f.whileTrue(() => {
    f.when(op('i32.ne', read(generation), seen), leave);
    f.set(turns, op('i32.add', get(turns), i32(1)));
    return op('i32.or', op('i32.eqz', maySleep), op('i32.lt_s', get(turns), i32(spins)));
  });
  f.emit(add(sleepers, 1), op('drop'));
  f.set(turns, i32(0));
  f.whileTrue(() => {
    f.emit(i32(generation), seen, { op: 'i64.const', number: sleepNanoseconds }, { op: 'memory.atomic.wait32', offset: 0 }, op('drop'));
    f.set(turns, op('i32.add', get(turns), i32(1)));
    f.emit(call('waited', get(turns)), op('drop'));
    return op('i32.eq', read(generation), seen);
  });
  f.emit(add(sleepers, -1), op('drop'));
  leave();
  return f.finish();
}

function helpersFor(target: Target, barrier: number | undefined): Helpers {
  const multiplyAdd =
    (shape: 'f32x4' | 'f64x2'): MultiplyAdd =>
    (a, b, c) =>
      target.fma ? op(`${shape}.relaxed_madd`, a, b, c) : op(`${shape}.add`, op(`${shape}.mul`, a, b), c);
  const fma = multiplyAdd('f32x4');
  return { ...exponentials(fma), ...wideFunctions(fma, multiplyAdd('f64x2')), ...(barrier === undefined ? {} : { barrier: () => barrierFunction(barrier) }) };
}

export interface RenderedProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly functions: readonly FunctionText[];
}

/** The module exports walk(thread, threads, maySleep). */
export function renderProgram(program: Program, target: Target, places: WalkPlaces): RenderedProgram {
  const kernels = program.kernels.map((kernel, k) => renderKernel(kernel, target, kernelName(k)));
  const walk = renderWalk(program, places);
  const text: ModuleText = {
    functions: [walk, ...kernels],
    exports: ['walk'],
    helpers: helpersFor(target, places.barrier),
    imports,
    memory: { shared: places.barrier !== undefined },
  };
  return { bytes: encodeModule(text), functions: text.functions };
}

/** Whether this engine takes relaxed multiply-adds: a module that uses one. */
export function relaxedProbe(): Uint8Array<ArrayBuffer> {
  const f = new FunctionBuilder('probe');
  f.emit(op('f32x4.relaxed_madd', f32x4(1), f32x4(1), f32x4(1)), op('drop'));
  return encodeModule({ functions: [f.finish()], exports: [], helpers: {}, imports: {}, memory: { shared: false } });
}
