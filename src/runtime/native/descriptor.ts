/** Encodes a program's steps as one flat list of numbers for the C walk (c/runtime.c says how it reads them). */
import { fail } from '../../core/errors.ts';
import type { Launch, Place, Program, Step } from '../../ir/program.ts';

const opcode = { launch: 1, sweep: 2, barrier: 3, loop: 4 } as const;

export interface Descriptor {
  readonly words: Float64Array;
  /** Kernel index of every launch, depth first. */
  readonly launches: readonly number[];
}

/** Time on one thread, roughly. */
const secondsOf = ({ flops, bytes }: { readonly flops: number; readonly bytes: number }): number => flops / 50e9 + bytes / 10e9;
export const estimatedSeconds = (program: Program): number => secondsOf(program);

/** Barriers that one run passes. */
const barriersIn = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => sum + (step.kind === 'barrier' ? 1 : step.kind === 'loop' ? step.count * barriersIn(step.body) : 0), 0);

/** Starting the other threads costs about 0.6 µs and a barrier 0.2 µs: a program that is not longer than that stays on the caller's thread. */
const worthThreads = (program: Program): boolean => estimatedSeconds(program) > 2e-6 + 0.5e-6 * barriersIn(program.steps);

/** Pieces of a launch that threads may take from each other are about so long, and no smaller than a quarter of a thread's share. */
const pieceSeconds = 200e-6;

/** Blocks of a piece; 0: every thread does its own share at once. */
function pieceOf(program: Program, launches: readonly Launch[], blocks: number, threads: number): number {
  const seconds = launches.reduce((sum, { kernel }) => sum + secondsOf(program.kernels[kernel]), 0) / threads;
  const pieces = Math.min(4, Math.floor(seconds / pieceSeconds));
  return pieces < 2 || blocks < 2 * threads || blocks >= 2 ** 28 ? 0 : Math.ceil(blocks / threads / pieces);
}

/** `addresses[k]` is the machine address of kernel k; `threads` is how many the device has. */
export function encodeProgram(program: Program, addresses: readonly number[], threads: number): Descriptor {
  const places: Place[] = [];
  const launches: number[] = [];
  const firstArgument: number[] = [];
  let savedArguments = 0;

  const launchWords = (launch: Launch): number[] => {
    firstArgument.push(places.length);
    const words = [addresses[launch.kernel], places.length, launches.length];
    launches.push(launch.kernel);
    places.push(...launch.arguments);
    return words;
  };

  /** `alone`: nothing runs beside the step, so that any thread may do any part of it. */
  const stepWords = (step: Step, alone: boolean): number[] => {
    switch (step.kind) {
      case 'launch': {
        const block = Math.max(1, step.align);
        const piece = alone ? pieceOf(program, [step], Math.ceil(step.units / block), threads) : 0;
        return [opcode.launch, ...launchWords(step), step.units, block, piece];
      }
      case 'sweep': {
        const piece = alone ? pieceOf(program, step.launches, step.blocks, threads) : 0;
        const launches = step.launches.flatMap((launch) => [...launchWords(launch), launch.align]);
        return [opcode.sweep, step.blocks, step.launches.length, piece, ...launches];
      }
      case 'barrier':
        return [opcode.barrier];
      case 'loop': {
        const [firstLaunch, first] = [launches.length, places.length];
        const before = savedArguments;
        savedArguments = 0;
        const body = stepsWords(step.body, false);
        const count = places.length - first;
        // The walk saves the arguments of a loop's body on a stack: as deep as the deepest nest of loops needs.
        savedArguments = Math.max(before, count + savedArguments);
        const moves = step.moves.flatMap(({ launch, argument, byteStride }) => [argumentOf(firstLaunch + launch, argument), byteStride]);
        return [opcode.loop, step.count, first, count, step.moves.length, body.length, ...moves, ...body];
      }
    }
  };

  const stepsWords = (steps: readonly Step[], outermost: boolean): number[] => {
    const isBarrier = (i: number): boolean => (steps[i] === undefined ? outermost : steps[i].kind === 'barrier');
    return steps.flatMap((step, i) => stepWords(step, isBarrier(i - 1) && isBarrier(i + 1)));
  };

  const argumentOf = (launch: number, index: number): number => {
    const at = firstArgument[launch] + index;
    if (!(at < (firstArgument[launch + 1] ?? places.length)))
      fail('internal', 'native', `a loop names argument ${index} of launch ${launch}, which does not exist`);
    return at;
  };

  const code = stepsWords(program.steps, true);
  const bindingOf = (place: Place): number => (place.kind === 'arena' ? -1 : place.kind === 'input' ? place.index : program.inputs.length + place.index);
  const bound = places.filter((p) => p.kind !== 'arena').length;
  const sizes = [places.length, savedArguments, launches.length, code.length, program.arenaBytes, bound];
  const head = [worthThreads(program) ? threads : 1, ...sizes, estimatedSeconds(program)];
  const words = Float64Array.from([...head, ...places.flatMap((p) => [bindingOf(p), p.byteOffset]), ...code]);
  return { words, launches };
}
