/**
 * Decodes Parquet in a child process (Node), which can be ended: the decoder hyparquet believes what a file says about itself, so that a damaged one makes it
 * loop for hours or fill the memory. A thread would not do: when V8 cannot give a thread more memory it often ends the whole process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { fail } from '../../core/errors.ts';
import type { ByteSource } from './bytes.ts';
import { type Contents, contentsOf, corrupt, type Limits } from './parquet-decoder.ts';

/** What the child asks for and tells. */
type FromChild = { readonly start: number; readonly end: number } | { readonly contents: Contents } | { readonly error: string };

/** Runs in the child: answers requests one after the other. Typed arrays are outside of V8's heap and its limit, so what is asked for is counted. */
const program = `
const memory = Number(process.argv[1]);
let asked = 0;
for (const name of ['ArrayBuffer', 'Uint8Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) {
  const width = globalThis[name].BYTES_PER_ELEMENT ?? 1;
  globalThis[name] = new Proxy(globalThis[name], {
    construct(original, given) {
      if (typeof given[0] === 'number' && (asked += given[0] * width) > memory) throw new RangeError('it claims more than it can hold');
      return Reflect.construct(original, given);
    },
  });
}
let answer;
process.on('message', async (message) => {
  if ('bytes' in message) return answer(message.bytes);
  const { module, size, columns, mostRows } = message;
  const read = (start, end = size) =>
    new Promise((resolve) => {
      answer = (bytes) => resolve(new Uint8Array(bytes).buffer);
      process.send({ start: start < 0 ? size + start : start, end });
    });
  let queue = Promise.resolve();
  const slice = (start, end) => (queue = queue.then(() => read(start, end)));
  asked = 0;
  try {
    process.send({ contents: await (${contentsOf})(await import(module), { byteLength: size, slice }, columns, mostRows) });
  } catch (error) {
    process.send({ error: String(error?.message ?? error) });
  }
});`;

export interface ParquetDecoder {
  /** Errors: corrupt, takes too long or too much memory (then the decoder is gone), the source's own. */
  contents(source: ByteSource, columns: readonly string[] | undefined, limits: Limits): Promise<Contents>;
  close(): void;
}

/** Starts a process that decodes files one at a time with at most so many bytes of memory. Errors: hyparquet is not installed. */
export function startDecoder(memory: number): ParquetDecoder {
  const module = findDecoder();
  const options = [`--max-old-space-size=${Math.ceil(memory / 2 ** 20)}`, '-e', program, String(memory)];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced', windowsHide: true });
  return {
    contents: (source, columns, limits) => decode(child, module, source, columns, limits),
    close: () => void child.kill('SIGKILL'),
  };
}

function findDecoder(): string {
  try {
    return pathToFileURL(createRequire(import.meta.url).resolve('hyparquet')).href;
  } catch (error) {
    return fail('state', 'parquet', 'Parquet files are read by the package hyparquet, which is not installed', 'Run: npm install hyparquet', error);
  }
}

function decode(child: ChildProcess, module: string, source: ByteSource, columns: readonly string[] | undefined, limits: Limits): Promise<Contents> {
  return new Promise<Contents>((resolve, reject) => {
    const kill = (): void => void child.kill('SIGKILL');
    const end = (settle: () => void): void => {
      clearInterval(timer);
      process.off('exit', kill);
      child.off('message', hear).off('error', lost).off('exit', lost);
      settle();
    };
    const refuse = (problem: string): void => end(() => reject(corrupt(source, problem)));
    const lost = (): void => refuse(`needs more than ${Math.round(limits.memory / 2 ** 20)} MB to be read`);
    let timer: NodeJS.Timeout | undefined;
    let left = limits.seconds;
    // Ticks are counted, so that time in which this process is stopped does not count.
    const tick = (): void => {
      if (--left > 0) return;
      kill();
      refuse(`cannot be read within ${limits.seconds} seconds`);
    };
    const hear = (message: FromChild): void => {
      timer ??= setInterval(tick, 1000); // not counted: how long a process takes to start
      if ('contents' in message) end(() => resolve(message.contents));
      else if ('error' in message) refuse(`cannot be read: ${message.error}`);
      else
        source.read(message.start, message.end - message.start).then(
          (bytes) => child.connected && child.send({ bytes }, unheard),
          (error: unknown) => {
            kill();
            end(() => reject(error));
          },
        );
    };
    const unheard = (error: unknown): void => void (error && lost());
    process.on('exit', kill);
    child.on('message', hear).on('error', lost).on('exit', lost);
    if (child.exitCode !== null || !child.connected) lost();
    else child.send({ module, size: source.size, columns, mostRows: limits.rows }, unheard);
  });
}
