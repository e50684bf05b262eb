/** Workers of Node (and of Deno and Bun, which have its modules). They do not keep the process alive unless they work for somebody who waits. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type WorkerHost, worthLeaving } from './pool.ts';

const preamble = `
const { parentPort, workerData } = require('node:worker_threads');
const receive = (handler) => handler(workerData);
const send = (value) => parentPort.postMessage(value);`;

export const nodeWorkers: WorkerHost = {
  maySleep: true,
  processors: availableParallelism(),
  mayBlock: worthLeaving,
  start(source, setup, onMessage, onError) {
    const worker = new Worker(`${preamble}\n${source}`, { eval: true, workerData: setup, execArgv: [] });
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', () => onError(new Error('a worker ended')));
    worker.unref();
    return {
      keepAlive: (on) => (on ? worker.ref() : worker.unref()),
      end: async () => void (await worker.terminate()),
    };
  },
};
