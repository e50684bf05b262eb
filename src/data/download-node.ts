/** Downloads (Node): into a temporary name, resumed where a broken connection left off, checked, then renamed, so that a file that is there is whole. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { environmentVariable } from '../core/debug.ts';
import { fail, GradixError } from '../core/errors.ts';
import type { Progress } from '../io/fetch.ts';
import { fileError, makeFolder } from '../io/files.ts';

export interface Remote {
  readonly url: string;
  /** In hexadecimal; absent where the publisher's file changes with time. */
  readonly checksum?: { readonly kind: 'md5' | 'sha256'; readonly value: string };
}

export interface DownloadOptions {
  /** Names the operation in errors. */
  readonly operation: string;
  /** What to do instead, for errors. */
  readonly alternative: string;
  readonly onProgress?: (progress: Progress) => void;
  /** Connections that are tried without any progress before giving up (default 3). */
  readonly attempts?: number;
  /** Milliseconds without a byte after which a connection counts as broken (default 30,000). */
  readonly patience?: number;
}

/** Where downloads go: GRADIX_DATA, else data in the cache folder (GRADIX_CACHE, XDG_CACHE_HOME/gradix or ~/.cache/gradix). */
export function downloadFolder(): string {
  const cache = environmentVariable('GRADIX_CACHE') ?? join(environmentVariable('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'gradix');
  return resolve(environmentVariable('GRADIX_DATA') ?? join(cache, 'data'));
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** Fetches a file. Errors: cannot be reached, refused, broken off again and again, wrong checksum (the file is thrown away then). */
export async function download({ url, checksum }: Remote, path: string, options: DownloadOptions): Promise<void> {
  const { operation, alternative, attempts = 3 } = options;
  await makeFolder(dirname(path), operation);
  const part = `${path}.part`;
  let left = attempts;
  while (left > 0) {
    const before = await sizeOf(part);
    try {
      await transfer(url, part, before, options);
      break;
    } catch (error) {
      if (error instanceof GradixError) throw error;
      // As long as something comes, it is worth going on.
      left = (await sizeOf(part)) > before ? attempts : left - 1;
      if (left === 0) fail('data', operation, `${url} could not be fetched: ${reasonOf(error)}`, alternative, error);
    }
  }
  if (checksum) {
    const found = await digestOf(part, checksum.kind);
    if (found !== checksum.value) {
      await rm(part, { force: true });
      fail(
        'data',
        operation,
        `${url} has the ${checksum.kind} checksum ${found}, not ${checksum.value}`,
        `The download was thrown away; try again. ${alternative}`,
      );
    }
  }
  await rename(part, path).catch((error) => fileError(operation, path, error));
}

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
};

/** One connection: the rest of the file after `have` bytes, or all of it from a server that cannot give the rest. */
async function transfer(url: string, part: string, have: number, { operation, alternative, onProgress, patience = 30_000 }: DownloadOptions): Promise<void> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(new Error('nothing came for a while')), patience);
  try {
    const response = await fetch(url, { signal: abort.signal, headers: have > 0 ? { range: `bytes=${have}-` } : {} });
    if (response.status === 416) {
      // The file on the server ends where ours does, or before: whole, or of another version. The checksum would tell; without one start again.
      await response.body?.cancel();
      const whole = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
      if (whole === have) return;
      await rm(part, { force: true });
      throw new Error('the server has another version of the file');
    }
    if (!response.ok || response.body === null) return fail('data', operation, `${url} answered ${response.status} ${response.statusText}`.trim(), alternative);
    const start = response.status === 206 ? have : 0;
    const length = response.headers.get('content-length');
    const total = length === null || response.headers.get('content-encoding') ? undefined : start + Number(length);
    const file = createWriteStream(part, { flags: start > 0 ? 'a' : 'w' });
    const failed = new Promise<never>((_, reject) => file.once('error', reject));
    failed.catch(() => {});
    let done = start;
    try {
      for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(new Error('nothing came for a while')), patience);
        if (!file.write(piece)) await Promise.race([new Promise<void>((ready) => file.once('drain', () => ready())), failed]);
        done += piece.length;
        onProgress?.({ url, done, total });
      }
    } finally {
      await Promise.race([new Promise<void>((ready) => file.end(() => ready())), failed]).catch((error) => fileError(operation, part, error));
    }
    if (total !== undefined && done < total) throw new Error(`the connection ended after ${done} of ${total} bytes`);
  } finally {
    clearTimeout(timer);
  }
}

async function digestOf(path: string, kind: 'md5' | 'sha256'): Promise<string> {
  const hash = createHash(kind);
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}

/** Says on stderr what is being fetched: a line that counts up in a terminal, else one line per file. */
export function terminalProgress(target: string): (progress: Progress) => void {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  let last = 0;
  let announced = '';
  return ({ url, done, total }) => {
    const { stderr } = process;
    if (!stderr.isTTY) {
      if (announced !== url) stderr.write(`gradix: fetching ${url} into ${target}\n`);
      announced = url;
      return;
    }
    const finished = done === total;
    if (!finished && Date.now() - last < 100) return;
    last = Date.now();
    stderr.write(`\r\x1b[Kfetching ${url}: ${megabytes(done)}${total === undefined ? '' : ` of ${megabytes(total)}`} MB${finished ? ` into ${target}\n` : ''}`);
  };
}
