/** The page's end: the functions that a worker exposes, as functions that return promises. */
import { didYouMean, fail, GradixError } from '../core/errors.ts';
import { checkPlain, type FromWorker, isOurs, mapped, receivedError, type Stand, send, type ToWorker } from './messages.ts';

/** A worker of the web or of Node. */
export type AnyWorker = { postMessage(message: unknown): void } & (
  | { addEventListener(type: 'message' | 'error', hear: (event: { readonly data?: unknown; readonly message?: string }) => void): void }
  | { on(type: 'message' | 'error' | 'exit', hear: (value: unknown) => void): unknown }
);

/** The functions of a worker as another thread has them. */
export type Remote<F> = {
  readonly [K in keyof F]: F[K] extends (...values: infer A) => infer R ? (...values: A) => Promise<Awaited<R>> : never;
};

interface Call {
  readonly name: string;
  readonly functions: readonly ((...values: unknown[]) => unknown)[];
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  /** Ends the listening to signals. */
  readonly done: AbortController;
}

/**
 * The functions that the module of a worker has given to expose(). A call returns a promise. Arguments and results are copied: plain values, arrays, records and
 * typed arrays. Functions and AbortSignals among the arguments stay here and work from there: a call of the function comes back as an event, aborting the signal
 * aborts the one that the worker's function has. Errors are those of the worker's function; the worker cannot start; there is no such function.
 * `const net = remote<Trainer>(new Worker(new URL('./train.js', import.meta.url), { type: 'module' })); await net.train({ epochs: 3, onProgress, signal });`
 */
export function remote<F = Readonly<Record<string, (...values: unknown[]) => unknown>>>(worker: AnyWorker): Remote<F> {
  const calls = new Map<number, Call>();
  /** Messages until the worker is ready. */
  let waiting: ToWorker[] | undefined = [];
  let names: readonly string[] | undefined;
  /** Why the worker is no more. */
  let lost: GradixError | undefined;
  let count = 0;
  const post = (message: unknown) => worker.postMessage(message);

  const settle = (number: number): Call | undefined => {
    const call = calls.get(number);
    calls.delete(number);
    call?.done.abort();
    return call;
  };
  const lose = (problem: string, hint: string, cause?: unknown) => {
    lost ??= new GradixError('state', 'remote', problem, hint, cause);
    for (const number of [...calls.keys()]) settle(number)?.reject(lost);
  };

  const hear = (message: unknown) => {
    if (!isOurs(message)) return;
    const said = message as FromWorker;
    switch (said.gradix) {
      case 'ready': {
        names = said.names;
        const ready = waiting ?? [];
        waiting = undefined;
        for (const first of ready) deliver(first);
        return;
      }
      case 'event':
        calls.get(said.call)?.functions[said.callback]?.(...said.values);
        return;
      case 'result':
        settle(said.call)?.resolve(said.value as never);
        return;
      case 'error':
        settle(said.call)?.reject(receivedError(said.error));
    }
  };

  /** Sends a message, or keeps it until there is somebody to hear it. */
  const deliver = (message: ToWorker) => {
    if (waiting) {
      waiting.push(message);
      return;
    }
    const call = message.gradix === 'call' ? message : undefined;
    try {
      if (call && names && !names.includes(call.name))
        fail('argument', 'remote', `the worker exposes no function ${call.name}`, didYouMean(call.name, names) ?? `It exposes ${names.join(', ')}.`);
      send(call?.name ?? 'remote', post, message);
    } catch (error) {
      if (call) settle(call.call)?.reject(error);
    }
  };

  const start = (name: string, values: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => {
      if (lost) return reject(lost);
      const number = count++;
      const functions: Call['functions'][number][] = [];
      const signals: AbortSignal[] = [];
      const stand = (kind: Stand['gradixStand'], list: unknown[], value: unknown): Stand => ({ gradixStand: kind, number: list.push(value) - 1 });
      checkPlain(name, values);
      const sent = values.map((value) =>
        mapped(value, (inner) => {
          if (typeof inner === 'function') return stand('function', functions, inner);
          return inner instanceof AbortSignal ? stand('signal', signals, inner) : undefined;
        }),
      );
      const done = new AbortController();
      calls.set(number, { name, functions, resolve, reject, done });
      deliver({ gradix: 'call', call: number, name, values: sent });
      for (const [signal, { aborted }] of signals.entries()) {
        const abort = () => deliver({ gradix: 'abort', call: number, signal, reason: String(signals[signal].reason) });
        if (aborted) abort();
        else signals[signal].addEventListener('abort', abort, { signal: done.signal });
      }
    });

  if ('on' in worker) {
    worker.on('message', hear);
    worker.on('error', (error) => lose(`the worker failed: ${error instanceof Error ? error.message : String(error)}`, 'Start a new one.', error));
    worker.on('exit', () => lose('the worker has ended', 'Start a new one.'));
  } else {
    worker.addEventListener('message', ({ data }) => hear(data));
    worker.addEventListener('error', ({ message }) => {
      // Later errors, of timers say, do not end a worker.
      if (names === undefined) lose(`the worker could not start${message ? `: ${message}` : ''}`, "Is its URL right? The browser's console says more.");
    });
  }
  // To a worker that was ready before somebody listened.
  post({ gradix: 'hello' } satisfies ToWorker);
  // A promise that is resolved with this object looks for a method then; it has none.
  return new Proxy(
    {},
    { get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : (...values: unknown[]) => start(name, values)) },
  ) as Remote<F>;
}
