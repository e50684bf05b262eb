/** The code of a worker thread: runs the jobs it is sent and hands the arrays back. */
import { parentPort } from 'node:worker_threads';
import { GradixError } from '../core/errors.ts';
import { fromMessage, type Message, runJob } from './job.ts';
import type { Answer } from './workers-node.ts';

parentPort?.on('message', async ({ number, message }: { readonly number: number; readonly message: Message }) => {
  try {
    const arrays = await runJob(fromMessage(message));
    const answer: Answer = { number, arrays };
    parentPort?.postMessage(answer, [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const answer: Answer = {
      number,
      error: error instanceof GradixError ? { message: text, code: error.code, operation: error.operation } : { message: text },
    };
    parentPort?.postMessage(answer);
  }
});
