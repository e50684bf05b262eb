/**
 * Zip archives (PKWARE APPNOTE 6.3, with the 64-bit extension) read in place through their central directory: stored and deflated files.
 * A file's CRC-32 is checked when it is read. Written archives are stored, not compressed.
 */

import { fail } from '../../core/errors.ts';
import { crc32 } from '../../io/crc.ts';
import { type ByteSource, joined, viewOf } from './bytes.ts';
import { inflate, maximumExpansion } from './compression.ts';
import { type FileEntry, type FileSet, fileSet, safePath } from './file-set.ts';

interface ZipEntry extends FileEntry {
  /** Bytes, decompressed. */
  readonly size: number;
  /** Where the local header stands. */
  readonly header: number;
  readonly packed: number;
  readonly method: number;
  readonly crc: number;
}

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const endSize = 22;
const hint = 'The file is truncated, corrupt, or not a zip archive.';

export async function indexZip(source: ByteSource): Promise<FileSet> {
  const bad = (problem: string): never => fail('data', 'zip', `${source.name} ${problem}`, hint);
  const { count, size, start } = await directory(source, bad);
  if (start + size > source.size) bad(`says that its directory of ${size} bytes begins at byte ${start}, but has ${source.size} bytes`);
  if (count * 46 > size) bad(`claims ${count} files in a directory of ${size} bytes`);
  const bytes = await source.read(start, size);
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== centralSignature) bad(`has a broken directory at entry ${i + 1} of ${count}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > size) bad(`has a broken directory at entry ${i + 1} of ${count}`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const [full, packed, header] = sizes64(
      view,
      at + 46 + nameLength,
      extraLength,
      [24, 20, 42].map((offset) => view.getUint32(at + offset, true)),
    );
    if (view.getUint16(at + 8, true) & 1) bad(`holds ${name} encrypted`);
    if (!name.endsWith('/')) {
      const path = safePath(name, 'zip', source.name);
      if (header + 30 + packed > source.size) bad(`says that ${path} lies outside of it`);
      if (full > packed * maximumExpansion) bad(`says that ${path} expands from ${packed} to ${full} bytes`);
      entries.set(path, { path, size: full, packed, header, method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true) });
    }
    at = end;
  }
  return fileSet(source.name, entries, (entry) => readEntry(source, entry));
}

/** The 64-bit extra field (id 1) replaces the values that are all ones, in the order full size, packed size, header offset. */
function sizes64(view: DataView, start: number, length: number, values: readonly number[]): number[] {
  const found = [...values];
  for (let at = start; at + 4 <= start + length; ) {
    const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    let from = at + 4;
    if (id === 1)
      for (let i = 0; i < found.length && from + 8 <= Math.min(at + 4 + size, start + length); i++) {
        if (values[i] !== 0xffffffff) continue;
        found[i] = Number(view.getBigUint64(from, true));
        from += 8;
      }
    at += 4 + size;
  }
  return found;
}

async function directory(source: ByteSource, bad: (problem: string) => never): Promise<{ count: number; size: number; start: number }> {
  if (source.size < endSize) return bad(`is ${source.size} bytes long, too short for a zip archive`);
  const tailSize = Math.min(source.size, endSize + 0xffff);
  const tailStart = source.size - tailSize;
  const view = viewOf(await source.read(tailStart, tailSize));
  let at = tailSize - endSize;
  while (at >= 0 && view.getUint32(at, true) !== endSignature) at--;
  if (at < 0) return bad('has no directory');
  const end = { count: view.getUint16(at + 10, true), size: view.getUint32(at + 12, true), start: view.getUint32(at + 16, true) };
  if (end.count !== 0xffff && end.size !== 0xffffffff && end.start !== 0xffffffff) return end;
  // The locator of the 64-bit record stands just before: signature, disk, offset, disks.
  if (at < 20 || view.getUint32(at - 20, true) !== 0x07064b50) return end;
  const recordStart = Number(view.getBigUint64(at - 12, true));
  if (recordStart + 56 > source.size) return bad('has its 64-bit directory record outside of it');
  const record = viewOf(await source.read(recordStart, 56));
  if (record.getUint32(0, true) !== end64Signature) return bad('has a broken 64-bit directory record');
  const [count, size, start] = [32, 40, 48].map((offset) => Number(record.getBigUint64(offset, true)));
  return { count, size, start };
}

async function readEntry(source: ByteSource, { path, size, packed, header, method, crc }: ZipEntry): Promise<Uint8Array> {
  const name = `${source.name}/${path}`;
  const bad = (problem: string): never => fail('data', 'zip', `${name} ${problem}`, hint);
  const local = viewOf(await source.read(header, 30));
  if (local.getUint32(0, true) !== localSignature) bad('has no header where the directory says');
  const start = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + packed > source.size) bad('lies outside of the archive');
  if (method !== 0 && method !== 8) bad(`is packed by method ${method}; 0 (stored) and 8 (deflated) are known`);
  if (method === 0 && packed !== size) bad(`is stored, but its sizes ${packed} and ${size} differ`);
  const bytes = await source.read(start, packed);
  const content = method === 0 ? bytes : await inflate(bytes, 'deflate-raw', { limit: size, name });
  if (content.length !== size) bad(`expands to ${content.length} bytes, not to ${size}`);
  if (crc32(content) !== crc) bad('does not match its checksum');
  return content;
}

/** A zip archive of stored files, with a fixed date, so that equal contents give equal bytes. */
export function encodeZip(files: Iterable<readonly [path: string, bytes: Uint8Array]>): Uint8Array {
  const pieces: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const [path, bytes] of files) {
    const name = new TextEncoder().encode(path);
    if (bytes.length > 0xfffffffe || at > 0xfffffffe) fail('data', 'zip', 'more than 4 GiB cannot be written', 'Write several files.');
    const common = new DataView(new ArrayBuffer(26));
    // Version 2.0, names in UTF-8, stored, 1 January 1980.
    [20, 0x0800, 0, 0, 0x21].forEach((value, i) => common.setUint16(2 * i, value, true));
    [crc32(bytes), bytes.length, bytes.length].forEach((value, i) => common.setUint32(10 + 4 * i, value, true));
    common.setUint16(22, name.length, true);
    const shared = new Uint8Array(common.buffer);
    const local = joined([signature(localSignature), shared, name, bytes]);
    const tail = new DataView(new ArrayBuffer(14));
    tail.setUint32(10, at, true);
    central.push(joined([signature(centralSignature), Uint8Array.of(20, 0), shared, new Uint8Array(tail.buffer), name]));
    pieces.push(local);
    at += local.length;
  }
  if (central.length > 0xfffe) fail('data', 'zip', `${central.length} files are more than a zip archive without extensions holds`, 'Write several files.');
  const size = central.reduce((sum, { length }) => sum + length, 0);
  const end = new DataView(new ArrayBuffer(endSize));
  end.setUint32(0, endSignature, true);
  end.setUint16(8, central.length, true);
  end.setUint16(10, central.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, at, true);
  return joined([...pieces, ...central, new Uint8Array(end.buffer)]);
}

function signature(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return new Uint8Array(view.buffer);
}
