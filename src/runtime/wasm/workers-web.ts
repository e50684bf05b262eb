/** Workers of web pages, from a blob of source text. */
import { type HostWorker, type WorkerHost, worthLeaving } from './pool.ts';

/** The few names of the web platform that are used here. */
interface WebWorker {
  postMessage(value: unknown): void;
  terminate(): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: unknown) => void) | null;
}
interface Web {
  readonly Worker: new (url: string) => WebWorker;
  readonly document?: unknown;
  readonly navigator: { readonly hardwareConcurrency: number };
}

const preamble = `
const receive = (handler) => { onmessage = (event) => handler(event.data); };
const send = (value) => postMessage(value);`;

const inPage = (globalThis as Partial<Web>).document !== undefined;

export const webWorkers: WorkerHost = {
  maySleep: !inPage,
  processors: (globalThis as Partial<Web>).navigator?.hardwareConcurrency ?? 1,
  // In a worker nobody waits for the thread but messages, and those for a moment only; starting a deputy would delay the first step.
  mayBlock: inPage ? worthLeaving : 0.1,
  start(source, setup, onMessage, onError): HostWorker {
    const url = URL.createObjectURL(new Blob([`${preamble}\n${source}`], { type: 'text/javascript' }));
    const worker = new (globalThis as unknown as Web).Worker(url);
    worker.onmessage = ({ data }) => onMessage(data);
    worker.onerror = onError;
    worker.postMessage(setup);
    return { keepAlive: () => undefined, end: async () => worker.terminate() };
  },
};
