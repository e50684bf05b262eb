/** The worker's end: functions that the other end may call. */
import { fail } from '../core/errors.ts';
import { checkPlain, type FromWorker, isOurs, isStand, mapped, send, sentError, type ToWorker } from './messages.ts';

interface Line {
  readonly post: (message: unknown) => void;
  readonly listen: (hear: (message: unknown) => void) => void;
}

/** The names of a web worker's global scope that are used here. */
interface Scope {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', hear: (event: { readonly data: unknown }) => void): void;
  readonly document?: unknown;
}

/** The line to whoever started this worker. */
async function lineOfWorker(): Promise<Line> {
  const node = typeof process !== 'undefined' && process.versions?.node !== undefined ? (await import('./port-node.ts')).port : undefined;
  if (node) return { post: (message) => node.postMessage(message), listen: (hear) => node.on('message', hear) };
  const scope = globalThis as unknown as Partial<Scope>;
  const { postMessage, addEventListener } = scope;
  if (scope.document !== undefined || postMessage === undefined || addEventListener === undefined)
    return fail('state', 'expose', 'this is not a worker', 'Call expose in the module that new Worker(…) starts.');
  return {
    post: (message) => postMessage.call(scope, message),
    listen: (hear) => addEventListener.call(scope, 'message', ({ data }: { readonly data: unknown }) => hear(data)),
  };
}

type CallMessage = ToWorker & { readonly gradix: 'call' };

export type Functions = Readonly<Record<string, (...values: never[]) => unknown>>;

/**
 * Lets the thread that started this worker call these functions by way of remote(). What they return, or what their promise gives, must be plain values or
 * typed arrays. `expose({ train, classify })`
 */
export function expose(functions: Functions): void {
  void lineOfWorker().then(({ post, listen }) => {
    const reply = (name: string, message: FromWorker) => send(name, post, message);
    /** Of the calls that are on their way, what their signals hang on. */
    const running = new Map<number, Map<number, AbortController>>();
    const ready = () => reply('expose', { gradix: 'ready', names: Object.keys(functions) });

    /** Arguments with functions and signals of this side in place of numbers. */
    const received = ({ call, name, values }: CallMessage, controllers: Map<number, AbortController>): unknown[] =>
      values.map((value) =>
        mapped(value, (inner) => {
          if (!isStand(inner)) return undefined;
          const { gradixStand: kind, number } = inner;
          if (kind === 'signal') {
            const controller = new AbortController();
            controllers.set(number, controller);
            return controller.signal;
          }
          return (...told: unknown[]) => {
            checkPlain(name, told);
            reply(name, { gradix: 'event', call, callback: number, values: told });
          };
        }),
      );

    const answer = async (message: CallMessage) => {
      const { call, name } = message;
      const controllers = new Map<number, AbortController>();
      running.set(call, controllers);
      try {
        const value = await functions[name](...(received(message, controllers) as never[]));
        checkPlain(name, value);
        reply(name, { gradix: 'result', call, value });
      } catch (error) {
        reply(name, { gradix: 'error', call, error: sentError(error) });
      } finally {
        running.delete(call);
      }
    };

    listen((message) => {
      if (!isOurs(message)) return;
      const said = message as ToWorker;
      if (said.gradix === 'hello') ready();
      else if (said.gradix === 'call') void answer(said);
      else running.get(said.call)?.get(said.signal)?.abort(said.reason);
    });
    ready();
  });
}
