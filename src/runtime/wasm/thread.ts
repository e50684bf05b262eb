/**
 * What every thread of the device runs: starting the others, its share of the walk, and waiting. The functions here are complete in themselves, because
 * workers are started from their text. All words that threads share lie in the first bytes of the memory.
 */

/** Numbers of 32-bit words, each in a cache line of its own where threads wait on it. */
export const words = {
  /** Of the walk's barrier: count, generation and sleepers, 32 words apart; next to the generation, whether a thread has failed. */
  barrier: 32,
  barrierGeneration: 64,
  fault: 65,
  /** Of runs: a change starts the members. */
  generation: 128,
  sleepers: 160,
  /** Members that have finished this run. */
  done: 192,
  /** Workers that have started, and those that take part from now on. */
  ready: 224,
  admitted: 256,
  /** A change starts the thread that stands in for the caller; it answers with the same number. */
  deputy: 288,
  deputyDone: 320,
  /** The run: number of the program, address and length of its module, threads that are worth it. */
  program: 352,
  module: 353,
  moduleBytes: 354,
  threads: 355,
  /** Tenths of a second that a conductor waits for the others before it takes them for lost. */
  patience: 356,
  /** Generation from which a member counts, by its rank. */
  since: 384,
  /** Why a thread has failed: number of characters, and they. */
  reason: 1536,
} as const;

export type Walk = (thread: number, threads: number, maySleep: number) => void;
export type HostFunctions = Record<string, (...x: number[]) => number>;

/** float64 maths for the modules, and the clock. */
export function hostFunctions(erf: (x: number) => number): HostFunctions {
  const { exp, log, log1p, expm1, sin, cos, tan, tanh, pow } = Math;
  const sigmoid = (x: number): number => {
    const e = exp(-Math.abs(x));
    return (x < 0 ? e : 1) / (1 + e);
  };
  const mod = (a: number, b: number): number => {
    const r = a % b;
    return r !== 0 && r < 0 !== b < 0 ? r + b : r;
  };
  return { exp, log, log1p, expm1, sin, cos, tan, tanh, pow, sigmoid, mod, erf, clock: () => performance.now() };
}

export interface ThreadSetup {
  readonly memory: WebAssembly.Memory;
  readonly words: typeof words;
  readonly functions: HostFunctions;
}

export interface Thread {
  /** What modules import on this thread. */
  readonly functions: HostFunctions;
  /** Makes all threads leave the run. The first reason counts. */
  readonly stop: (reason: unknown) => void;
  /** Does the run that is described in the words, with the members' help. Throws when any thread failed. */
  readonly conduct: (walk: Walk, maySleep: boolean) => void;
  /** Takes part in runs until one fails. */
  readonly serve: () => void;
  /** Stands in for the caller until a run fails; `finished` is called after each run. */
  readonly deputize: (finished: (sequence: number) => void) => void;
}

export function makeThread({ memory, words, functions: maths }: ThreadSetup): Thread {
  const spins = 20_000;
  const most = 256;
  const mostCharacters = 400;
  const control = new Int32Array(memory.buffer, 0, 2048);
  const walks = new Map<number, Walk>();
  let conducting = false;

  const failed = (): boolean => Atomics.load(control, words.fault) !== 0;
  const lost = 'a thread does not answer any more';

  const stop = (reason: unknown): void => {
    if (Atomics.compareExchange(control, words.fault, 0, 1) === 0) {
      const text = String((reason as Partial<Error> | undefined)?.message ?? reason).slice(0, mostCharacters);
      for (let i = 0; i < text.length; i++) control[words.reason + 1 + i] = text.charCodeAt(i);
      Atomics.store(control, words.reason, text.length);
    }
    // A thread in the barrier sees the generation change, and then the fault.
    Atomics.add(control, words.barrierGeneration, 1);
    Atomics.notify(control, words.barrierGeneration);
  };

  /** Called by the barrier after every tenth of a second of sleep. Members wait for as long as it takes: the conductor may have much to do alone. */
  const waited = (tenths: number): number => {
    if (conducting && tenths >= control[words.patience]) throw new Error(lost);
    return tenths;
  };
  const functions = { ...maths, waited };

  /** The walk of the current run. The least recently loaded modules are forgotten. */
  const currentWalk = (): Walk => {
    const program = control[words.program];
    const known = walks.get(program);
    if (known) return known;
    const bytes = new Uint8Array(memory.buffer, control[words.module] >>> 0, control[words.moduleBytes]).slice();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory, ...functions } });
    const walk = instance.exports.walk as Walk;
    if (walks.size >= most) walks.delete(walks.keys().next().value as number);
    walks.set(program, walk);
    return walk;
  };

  /** Until the word is no longer `seen`: turns for a while, then sleeps. */
  const change = (word: number, seen: number, turns: number, sleepers?: number): void => {
    for (let i = 0; i < turns; i++) if (Atomics.load(control, word) !== seen) return;
    if (sleepers !== undefined) Atomics.add(control, sleepers, 1);
    while (Atomics.load(control, word) === seen) Atomics.wait(control, word, seen);
    if (sleepers !== undefined) Atomics.sub(control, sleepers, 1);
  };

  /** Until all members have left the run. Of a failed run, those that have died will not. */
  const gather = (members: number, maySleep: boolean): void => {
    let limit = maySleep ? spins + 100 * control[words.patience] : Number.POSITIVE_INFINITY;
    for (let i = 0, seenFault = false; ; i++) {
      const done = Atomics.load(control, words.done);
      if (done === members) return;
      if (!seenFault && failed()) {
        seenFault = true;
        limit = maySleep ? Math.min(limit, Math.max(i, spins) + 2000) : i + 1e8;
      }
      if (i > limit) {
        stop(lost);
        return;
      }
      if (maySleep && i > spins) Atomics.wait(control, words.done, done, 1);
    }
  };

  const conduct = (walk: Walk, maySleep: boolean): void => {
    const admitted = Atomics.load(control, words.admitted);
    const threads = Math.min(control[words.threads], 1 + admitted);
    if (threads <= 1) {
      walk(0, 1, 0);
      return;
    }
    conducting = true;
    Atomics.add(control, words.generation, 1);
    if (Atomics.load(control, words.sleepers) > 0) Atomics.notify(control, words.generation);
    try {
      walk(0, threads, maySleep ? 1 : 0);
    } catch (error) {
      stop(error);
    }
    gather(admitted, maySleep);
    Atomics.store(control, words.done, 0);
    conducting = false;
    if (failed()) throw new Error('a thread failed');
  };

  const serve = (): void => {
    const rank = Atomics.add(control, words.ready, 1) + 1;
    for (let admitted = Atomics.load(control, words.admitted); admitted < rank; admitted = Atomics.load(control, words.admitted))
      Atomics.wait(control, words.admitted, admitted);
    for (let seen = control[words.since + rank]; !failed(); seen = (seen + 1) | 0) {
      change(words.generation, seen, spins, words.sleepers);
      try {
        const threads = Math.min(control[words.threads], 1 + Atomics.load(control, words.admitted));
        if (rank < threads) currentWalk()(rank, threads, 1);
      } catch (error) {
        stop(error);
      }
      Atomics.add(control, words.done, 1);
      Atomics.notify(control, words.done);
    }
  };

  const deputize = (finished: (sequence: number) => void): void => {
    for (let seen = 0; !failed(); ) {
      change(words.deputy, seen, 0);
      seen = Atomics.load(control, words.deputy);
      try {
        conduct(currentWalk(), true);
      } catch (error) {
        stop(error);
      }
      Atomics.store(control, words.deputyDone, seen);
      Atomics.notify(control, words.deputyDone);
      finished(seen);
    }
  };

  return { functions, stop, conduct, serve, deputize };
}
