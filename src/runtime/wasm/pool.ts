/** The device's threads: workers started from source text, so that no bundler needs to know of them. */
import { makeErf } from '../../core/special.ts';
import { controlBytes, type Heap } from './heap.ts';
import { hostFunctions, makeThread, type Thread, type ThreadSetup, type Walk, words } from './thread.ts';

/** A worker of the host. */
export interface HostWorker {
  /** While this is on, the worker keeps the process alive. */
  readonly keepAlive: (on: boolean) => void;
}

/** What a host must be able to do for the device to have threads. */
export interface WorkerHost {
  /** Starts a worker on the text of a module-less script, in which `receive(handler)` waits for the one message `setup` and `send(value)` answers. */
  readonly start: (source: string, setup: unknown, onMessage: (value: unknown) => void, onError: (error: unknown) => void) => HostWorker;
  /** Whether this thread may sleep in Atomics.wait (a page's main thread may not). */
  readonly maySleep: boolean;
}

/** The text that a worker runs. Some compilers mark functions with __name. */
const workerSource = (): string => `
const __name = (f) => f;
const erf = (${makeErf.toString()})();
const functions = (${hostFunctions.toString()})(erf);
receive(({ memory, words, role }) => {
  const thread = (${makeThread.toString()})({ memory, words, functions });
  if (role === 'member') thread.serve();
  else thread.deputize(send);
});`;

export interface RunWords {
  readonly program: number;
  readonly module: number;
  readonly moduleBytes: number;
  readonly threads: number;
}

export class Pool {
  readonly functions: ThreadSetup['functions'];
  private readonly heap: Heap;
  private readonly host: WorkerHost | undefined;
  private readonly control: Int32Array;
  private readonly thread: Thread;
  private deputy: HostWorker | undefined;
  private answered: ((sequence: number) => void) | undefined;
  private sequence = 0;
  /** Why threads stopped working. */
  private broken: unknown;

  /** `threads` counts the caller. */
  constructor(heap: Heap, host: WorkerHost | undefined, threads: number) {
    this.heap = heap;
    this.host = heap.shared ? host : undefined;
    this.control = new Int32Array(heap.memory.buffer, 0, controlBytes / 4);
    this.functions = hostFunctions(makeErf());
    this.thread = makeThread({ memory: heap.memory, words, functions: this.functions });
    for (let i = 1; i < threads && this.host; i++) this.start('member', () => undefined);
  }

  /** Whether runs can be done elsewhere while this thread goes on. */
  get canDelegate(): boolean {
    return this.host !== undefined && this.broken === undefined;
  }

  /** Workers that have started. */
  get ready(): number {
    return Atomics.load(this.control, words.ready);
  }

  private start(role: 'member' | 'deputy', onMessage: (value: unknown) => void): HostWorker | undefined {
    return this.host?.start(workerSource(), { memory: this.heap.memory, words, role }, onMessage, (error) => {
      this.broken ??= error;
    });
  }

  /** Describes the run; workers that have started since the last one take part from now on. */
  private describe(run: RunWords): void {
    const { control } = this;
    for (let rank = control[words.admitted] + 1; rank <= this.ready; rank++) {
      control[words.since + rank] = control[words.generation];
      Atomics.store(control, words.admitted, rank);
      Atomics.notify(control, words.admitted);
    }
    control[words.program] = run.program;
    control[words.module] = run.module;
    control[words.moduleBytes] = run.moduleBytes;
    control[words.threads] = run.threads;
  }

  /** Runs here, with the members' help, and returns when all is done. */
  run(walk: Walk, run: RunWords): void {
    if (!this.host) {
      walk(0, 1, 0);
      return;
    }
    this.describe(run);
    this.thread.conduct(walk, this.host.maySleep);
  }

  /** Has the run done by a worker; the event loop stays free. */
  delegate(run: RunWords): Promise<void> {
    this.deputy ??= this.start('deputy', (value) => {
      if (value === this.sequence) this.finish();
    });
    this.describe(run);
    this.deputy?.keepAlive(true);
    return new Promise((resolve) => {
      this.answered = () => {
        this.deputy?.keepAlive(false);
        resolve();
      };
      Atomics.store(this.control, words.deputy, ++this.sequence);
      Atomics.notify(this.control, words.deputy);
    });
  }

  /** Waits for the delegated run here; false where this thread may not. */
  waitForDelegated(): boolean {
    const done = (): number => Atomics.load(this.control, words.deputyDone);
    if (!this.host?.maySleep && done() !== this.sequence) return false;
    for (let seen = done(); seen !== this.sequence; seen = done()) Atomics.wait(this.control, words.deputyDone, seen);
    this.finish();
    return true;
  }

  private finish(): void {
    const { answered } = this;
    this.answered = undefined;
    answered?.(this.sequence);
  }
}
