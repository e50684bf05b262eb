/** Bytes that are read piece by piece: from memory, from a browser's Blob or, in data/files.ts, from a file. */
import { fail } from '../../core/errors.ts';

export interface ByteSource {
  /** For error messages. */
  readonly name: string;
  readonly size: number;
  /** `length` bytes from `start`. Errors: fewer are there. */
  read(start: number, length: number): Promise<Uint8Array>;
}

/** Bytes in memory; pieces are views, not copies. */
export const bytesSource = (bytes: Uint8Array, name = 'the data'): ByteSource => ({
  name,
  size: bytes.length,
  read: async (start, length) => {
    if (start < 0 || length < 0 || start + length > bytes.length) tooShort(name, start + length, bytes.length);
    return bytes.subarray(start, start + length);
  },
});

/** A File or Blob of a browser. */
export const blobSource = (blob: Blob, name = 'the file'): ByteSource => ({
  name,
  size: blob.size,
  read: async (start, length) => {
    if (start < 0 || length < 0 || start + length > blob.size) tooShort(name, start + length, blob.size);
    return new Uint8Array(await blob.slice(start, start + length).arrayBuffer());
  },
});

export const tooShort = (name: string, needed: number, size: number): never =>
  fail('data', 'read', `${name} ends at byte ${size}, but byte ${needed} is needed`, 'The file is truncated, or became shorter while it was read.');

const windowBytes = 1 << 18;

/** Reads small neighbouring pieces through one larger window, so that a walk over headers costs few reads. */
export function windowed(source: ByteSource): ByteSource {
  let [from, held] = [0, new Uint8Array(0)];
  return {
    name: source.name,
    size: source.size,
    read: async (start, length) => {
      if (start < from || start + length > from + held.length) {
        const wanted = Math.max(length, Math.min(windowBytes, source.size - start));
        [from, held] = [start, new Uint8Array(await source.read(start, wanted))];
      }
      return held.subarray(start - from, start - from + length);
    },
  };
}

/** Joins pieces to `total` bytes. */
export function joined(pieces: readonly Uint8Array[], total = pieces.reduce((sum, { length }) => sum + length, 0)): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Text of bytes that stand for one character each. */
export const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};
