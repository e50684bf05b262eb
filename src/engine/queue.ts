/**
 * The order in which programs run. A large compiled step is only noted down when it is called and runs when something needs it: by an
 * asynchronous read off the main thread, by a synchronous read or the next step on it.
 * Asynchronous reads let the event loop turn every few milliseconds: a loop of small steps that awaits each of them would else hold up messages, signals and
 * the finalizers that give memory back.
 */
import { fail } from '../core/errors.ts';
import { turn } from '../core/turn.ts';

export interface Job {
  readonly run: () => void;
  readonly runAsync: () => Promise<void>;
}

const waiting: Job[] = [];
/** The job that is running off the main thread. */
let inFlight: Job | undefined;
/** Everything asynchronous, one after the other. */
let chain: Promise<unknown> = Promise.resolve();
const turnEveryMilliseconds = 8;
let lastTurn = 0;

/** True when no program is on its way: values that are there can be looked at. */
export const isSettled = (): boolean => inFlight === undefined && waiting.length === 0;

/** Runs a job now, or after the ones that are on their way. */
export function submit(job: Job, later: boolean): void {
  if (inFlight !== undefined) {
    waiting.push(job);
    return;
  }
  runWaiting();
  if (later) waiting.push(job);
  else job.run();
}

function runWaiting(): void {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) job.run();
}

/** Everything that was submitted has run when this returns. */
export function settleSync(operation: string): void {
  const hint = 'Await the result you asked for before you read synchronously, or use the asynchronous twin (data, array, item).';
  if (inFlight !== undefined) fail('state', operation, 'a program is still running off the main thread', hint);
  runWaiting();
}

/** Runs `task` after everything that was submitted before; tasks do not overlap. */
export function settled<T>(task: () => Promise<T> | T): Promise<T> {
  const result = chain.then(async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      inFlight = job;
      try {
        await job.runAsync();
      } finally {
        inFlight = undefined;
      }
    }
    if (performance.now() - lastTurn > turnEveryMilliseconds) {
      await turn();
      lastTurn = performance.now();
    }
    return task();
  });
  chain = result.catch(() => undefined);
  return result;
}
