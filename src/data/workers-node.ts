/** Worker threads that run jobs (Node). There is one pool per process; jobs go to the worker with the fewest, and results come back by number. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, fail, GradixError } from '../core/errors.ts';
import { toMessage } from './job.ts';
import type { Arrays, Job } from './source.ts';

/** What a worker answers. */
export interface Answer {
  readonly number: number;
  readonly arrays?: Arrays;
  readonly error?: { readonly message: string; readonly code?: ErrorCode; readonly operation?: string };
}

interface Waiting {
  readonly resolve: (arrays: Arrays) => void;
  readonly reject: (error: unknown) => void;
}

class PoolWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();

  constructor(entry: string) {
    // Node's own options may be of a kind that only a main program can have (--input-type).
    this.#worker = new Worker(entry, { execArgv: [] });
    // Coming online, a worker takes hold of the process again; without work it must not.
    this.#worker.on('online', () => this.load === 0 && this.#worker.unref());
    this.#worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.number);
      this.#settle(answer.number);
      if (answer.arrays) waiting?.resolve(answer.arrays);
      else waiting?.reject(errorOf(answer));
    });
    this.#worker.on('error', (error) => this.#lost(error));
    this.#worker.on('exit', () => this.#lost(undefined));
  }

  get load(): number {
    return this.#waiting.size;
  }

  run(number: number, job: Job): Promise<Arrays> {
    const { message, buffers } = toMessage(job);
    return new Promise((resolve, reject) => {
      // While a job runs, the process stays; an idle worker keeps nobody.
      if (this.load === 0) this.#worker.ref();
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, message }, buffers);
    });
  }

  #settle(number: number): void {
    this.#waiting.delete(number);
    if (this.load === 0) this.#worker.unref();
  }

  #lost(cause: unknown): void {
    workers.splice(0, workers.length, ...workers.filter((worker) => worker !== this));
    for (const { reject } of this.#waiting.values())
      reject(new GradixError('data', 'loader', 'a worker thread ended unexpectedly', 'Is there enough memory? { workers: 0 } works without.', cause));
    this.#waiting.clear();
  }
}

const errorOf = ({ error }: Answer): Error => {
  const { message = 'no answer', code, operation } = error ?? {};
  const made = code === undefined || operation === undefined ? new Error(message) : new GradixError(code, operation, '');
  made.message = message;
  return made;
};

const workers: PoolWorker[] = [];
let jobs = 0;

/** Workers are started from built code (Node cannot start one from TypeScript): beside this file, or seen from the bundles or from the sources. */
const places = ['./worker-node.js', '../data/worker-node.js', '../../data/worker-node.js', '../../dist/data/worker-node.js'];

function entryPoint(): string {
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return paths.find(existsSync) ?? fail('state', 'loader', `worker threads need the built file ${paths[0]}`, 'Run npm run build, or leave workers out.');
}

/** Runs a job in one of `count` workers. */
export function runInWorker(job: Job, count: number): Promise<Arrays> {
  const idlest = workers.slice(0, count).reduce<PoolWorker | undefined>((best, worker) => (best && best.load <= worker.load ? best : worker), undefined);
  if (idlest && (idlest.load === 0 || workers.length >= count)) return idlest.run(jobs++, job);
  const fresh = new PoolWorker(entryPoint());
  workers.push(fresh);
  return fresh.run(jobs++, job);
}
