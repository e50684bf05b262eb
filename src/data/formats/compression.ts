/** DEFLATE through the platform's own streams (Node and browsers), with a bound on what may come out; CRC-32 (ISO 3309), table-driven. */
import { fail } from '../../core/errors.ts';
import { joined } from './bytes.ts';

/** gzip, zlib (`deflate`) or bare DEFLATE. */
export type Compression = 'gzip' | 'deflate' | 'deflate-raw';

/** DEFLATE cannot expand further than this; whatever claims more is corrupt. */
export const maximumExpansion = 1032;

/** Passes bytes through a stream; stops as soon as more than `limit` bytes have come out and gives undefined. */
async function through(bytes: Uint8Array, stream: GenericTransformStream, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream).getReader();
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(pieces, total);
    total += value.length;
    if (total > limit) {
      await reader.cancel();
      return undefined;
    }
    pieces.push(value);
  }
}

/** Decompresses. Errors: corrupt data, or more than `limit` bytes of output (default: the most that DEFLATE can pack into the input). */
export async function inflate(
  bytes: Uint8Array,
  compression: Compression,
  { limit = bytes.length * maximumExpansion, name = 'the data' }: { readonly limit?: number; readonly name?: string } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  let inflated: Uint8Array<ArrayBuffer> | undefined;
  try {
    inflated = await through(bytes, new DecompressionStream(compression), limit);
  } catch (error) {
    fail('data', 'inflate', `${name} cannot be decompressed: its contents do not match its checks`, 'The file is truncated or corrupt.', error);
  }
  return inflated ?? fail('data', 'inflate', `${name} expands to more than the ${limit} bytes that it announces`, 'The file is corrupt.');
}

export async function deflate(bytes: Uint8Array, compression: Compression): Promise<Uint8Array<ArrayBuffer>> {
  return (await through(bytes, new CompressionStream(compression), Number.POSITIVE_INFINITY)) ?? new Uint8Array(0);
}
