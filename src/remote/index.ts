/** gradix/remote: training in a worker, called from a page (or from another thread of Node) as if it were here. Knows nothing of the engine, so that a page stays light. */
export { expose, type Functions } from './expose.ts';
export { type AnyWorker, type Remote, remote } from './remote.ts';
