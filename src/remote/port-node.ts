/** A worker thread's line to the thread that started it (Node, Deno and Bun). */
import { parentPort } from 'node:worker_threads';

export const port = parentPort;
