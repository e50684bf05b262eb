/** Files from URLs, with progress. */
import { fail } from '../core/errors.ts';

/** How far a file has come. */
export interface Progress {
  readonly url: string;
  /** Bytes so far. */
  readonly done: number;
  /** Bytes in all, where the server says so. */
  readonly total: number | undefined;
}

export interface FetchOptions {
  /** Told after every piece that has come. */
  readonly onProgress?: (progress: Progress) => void;
  /** Aborting it breaks the transfer off; the promise then fails with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A URL that is fetched; other texts, and URLs of files, are paths. */
export const isAddress = (source: string | URL): boolean => (source instanceof URL ? source.protocol !== 'file:' : /^https?:\/\//.test(source));

/** The whole file. Errors: cannot be reached, refused (404 …), a page of HTML in its place, a connection that ends too early. */
export async function fetchBytes(source: string | URL, operation: string, { onProgress, signal }: FetchOptions = {}): Promise<Uint8Array> {
  const url = String(source);
  const failed = (error: unknown, problem: string): never => {
    signal?.throwIfAborted();
    return fail('file', operation, problem, 'Is the server there, and does it let this page read the file (CORS)?', error);
  };
  const response = await fetch(url, { ...(signal && { signal }) }).catch((error) => failed(error, `${url} could not be fetched: ${reasonOf(error)}`));
  if (!response.ok) fail('file', operation, `${url} answered ${`${response.status} ${response.statusText}`.trim()}`, 'Check the address.');
  // Servers of single-page applications answer so when there is no such file.
  if (response.headers.get('content-type')?.startsWith('text/html'))
    fail('file', operation, `${url} is a page of HTML, not a file of tensors`, 'Check the address.');
  const length = response.headers.get('content-length');
  const total = length === null || response.headers.get('content-encoding') !== null ? undefined : Number(length);
  const pieces: Uint8Array[] = [];
  let done = 0;
  const endedAt = (): string => `the connection to ${url} ended after ${done}${total === undefined ? '' : ` of ${total}`} bytes`;
  const reader = response.body?.getReader();
  for (;;) {
    const piece = await reader?.read().catch((error) => failed(error, endedAt()));
    if (piece === undefined || piece.done) break;
    pieces.push(piece.value);
    done += piece.value.length;
    onProgress?.({ url, done, total });
  }
  if (total !== undefined && done < total) fail('file', operation, endedAt(), 'Try again.');
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
};
