/** The device's threads: workers started from source text, so that no bundler needs to know of them. */
import { GradixError } from '../../core/errors.ts';
import { makeErf } from '../../core/special.ts';
import { controlBytes, type Heap } from './heap.ts';
import { hostFunctions, makeThread, type Thread, type ThreadSetup, type Walk, words } from './thread.ts';

/** A worker of the host. */
export interface HostWorker {
  /** While this is on, the worker keeps the process alive. */
  readonly keepAlive: (on: boolean) => void;
  /** Ends it, whatever it does; resolves when it has ended. */
  readonly end: () => Promise<void>;
}

/** What a host must be able to do for the device to have threads. */
export interface WorkerHost {
  /** Starts a worker on the text of a module-less script, in which `receive(handler)` waits for the one message `setup` and `send(value)` answers. `onError` is called when it ends
   * for any reason. */
  readonly start: (source: string, setup: unknown, onMessage: (value: unknown) => void, onError: (error: unknown) => void) => HostWorker;
  /** Whether this thread may sleep in Atomics.wait (a page's main thread may not). */
  readonly maySleep: boolean;
  /** How many threads can run at the same time. */
  readonly processors: number;
  /** Seconds, on one thread, that a run may keep the caller's thread busy; longer ones are done by a deputy. */
  readonly mayBlock: number;
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
  /** How long it takes on one thread, roughly. */
  readonly seconds: number;
}

/** Seconds. */
const usualPatience = 60;
/** Leaving the caller's thread costs about 0.1 ms; shorter runs stay on it. */
export const worthLeaving = 200e-6;
/** A run may take so many times as long as was estimated: machines are slow, and busy with other things. */
const patienceFactor = 100;
/** After so many failures of workers there are no more of them. */
const mostFailures = 3;

interface Delegated {
  readonly run: RunWords;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Pool {
  private readonly heap: Heap;
  private readonly host: WorkerHost | undefined;
  private readonly threads: number;
  private readonly patience: number;
  private readonly control: Int32Array;
  private readonly thread: Thread;
  private workers: HostWorker[] = [];
  private deputy: HostWorker | undefined;
  private delegated: Delegated | undefined;
  private sequence = 0;
  private failures = 0;
  /** Workers have failed and new ones are not there yet: everything runs on the caller's thread. */
  private alone: boolean;

  /** `threads` counts the caller; after `patience` seconds without a sign of life a worker is given up. */
  constructor(heap: Heap, host: WorkerHost | undefined, threads: number, patience = usualPatience) {
    this.heap = heap;
    this.host = heap.shared ? host : undefined;
    this.threads = threads;
    this.patience = patience;
    this.control = new Int32Array(heap.memory.buffer, 0, controlBytes / 4);
    this.thread = makeThread({ memory: heap.memory, words, functions: hostFunctions(makeErf()) });
    this.alone = this.host === undefined;
    if (!this.alone) this.startMembers();
  }

  /** What modules import on this thread. */
  get functions(): ThreadSetup['functions'] {
    return this.thread.functions;
  }

  /** Whether a run of so many seconds is done elsewhere while this thread goes on. */
  delegates(seconds: number): boolean {
    return !this.alone && this.host !== undefined && seconds >= this.host.mayBlock;
  }

  /** Workers that have started. */
  get ready(): number {
    return this.alone ? 0 : Atomics.load(this.control, words.ready);
  }

  private startMembers(): void {
    this.control[words.patience] = Math.max(1, Math.ceil(10 * this.patience));
    for (let i = 1; i < this.threads; i++) this.start('member', () => undefined);
  }

  private start(role: 'member' | 'deputy', onMessage: (value: unknown) => void): HostWorker | undefined {
    const crew = this.workers;
    const setup = { memory: this.heap.memory, words, role };
    /** What workers say that were dismissed in the meantime is of no interest. */
    const ofCrew =
      <T>(handler: (value: T) => void) =>
      (value: T): void => {
        if (crew === this.workers) handler(value);
      };
    const worker = this.host?.start(
      workerSource(),
      setup,
      ofCrew(onMessage),
      ofCrew((error: unknown) => this.lose(role, error)),
    );
    if (worker) crew.push(worker);
    return worker;
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
    if (this.alone || !this.host) {
      walk(0, 1, 0);
      return;
    }
    this.describe(run);
    try {
      this.thread.conduct(walk, this.host.maySleep);
    } catch (error) {
      throw this.hasFault ? this.renew() : error;
    }
  }

  /** Starts the worker for delegated runs, which takes a while. */
  expectDelegation(): void {
    if (this.alone) return;
    this.deputy ??= this.start('deputy', (value) => {
      if (value === this.sequence) this.finish();
    });
  }

  /** Has the run done by a worker; the event loop stays free. */
  delegate(run: RunWords): Promise<void> {
    this.expectDelegation();
    this.describe(run);
    this.deputy?.keepAlive(true);
    return new Promise((resolve, reject) => {
      this.delegated = { run, resolve, reject };
      Atomics.store(this.control, words.deputy, ++this.sequence);
      Atomics.notify(this.control, words.deputy);
    });
  }

  /** Waits for the delegated run here; false where this thread may not. Errors: the run failed, or its conductor gives no sign of life, whose end cannot be heard of here. */
  waitForDelegated(): boolean {
    const { control, delegated, sequence } = this;
    if (delegated === undefined) return true;
    const done = (): number => Atomics.load(control, words.deputyDone);
    if (!this.host?.maySleep && done() !== sequence) return false;
    // Tenths of a second are counted, so that time in which this process is stopped does not count.
    let left = 10 * (this.patience + patienceFactor * delegated.run.seconds);
    for (let seen = done(); seen !== sequence && left > 0; seen = done()) if (Atomics.wait(control, words.deputyDone, seen, 100) === 'timed-out') left--;
    if (done() !== sequence) this.thread.stop('the thread that conducts it does not answer any more');
    const error = this.finish();
    if (error) throw error;
    return true;
  }

  private get hasFault(): boolean {
    return Atomics.load(this.control, words.fault) !== 0;
  }

  /** The delegated run is over; gives what went wrong. */
  private finish(): GradixError | undefined {
    const { delegated } = this;
    this.delegated = undefined;
    this.deputy?.keepAlive(false);
    if (!delegated) return undefined;
    const error = this.hasFault ? this.renew() : undefined;
    if (error) delegated.reject(error);
    else delegated.resolve();
    return error;
  }

  /** A worker has ended by itself: nobody may wait for it any more. */
  private lose(role: 'member' | 'deputy', error: unknown): void {
    this.thread.stop(error);
    // A deputy that lives answers when it has left the run.
    if (this.delegated === undefined) this.renew();
    else if (role === 'deputy') this.finish();
  }

  /** Dismisses all workers and starts others when they have ended; gives the error that says why. */
  private renew(): GradixError {
    const { control, workers } = this;
    const reason = String.fromCharCode(...control.subarray(words.reason + 1, words.reason + 1 + control[words.reason]));
    this.alone = true;
    this.workers = [];
    this.deputy = undefined;
    this.sequence = 0;
    const mayStart = ++this.failures <= mostFailures;
    if (!mayStart) console.warn(`gradix: one thread from now on, because workers fail again and again (${reason}).`);
    void Promise.all(workers.map((worker) => worker.end())).then(() => {
      control.fill(0);
      if (!mayStart) return;
      this.alone = false;
      this.startMembers();
    });
    const hint = 'New threads are started. What the run was to write, variables among it, may be half written: go on from a checkpoint.';
    return new GradixError('device', 'wasm', `a thread failed in the middle of a run: ${reason}`, hint);
  }
}
