/**
 * Tar archives (POSIX.1-1988 ustar with GNU long names and pax paths) read in place: one walk over the headers makes an index, then any file is one read.
 * Links and devices are left out.
 */
import { fail } from '../../core/errors.ts';
import { type ByteSource, latin1, windowed } from './bytes.ts';
import { type FileEntry, type FileSet, fileSet, safePath } from './file-set.ts';

interface TarEntry extends FileEntry {
  readonly size: number;
  readonly start: number;
}

const block = 512;
/** Long names and pax headers are small; a larger one is a broken file. */
const maximumExtra = 1 << 20;

export async function indexTar(source: ByteSource): Promise<FileSet> {
  const headers = windowed(source);
  const entries = new Map<string, TarEntry>();
  const bad = (at: number, problem: string): never =>
    fail('data', 'tar', `${source.name}, byte ${at}: ${problem}`, 'The file is truncated, corrupt, or not a tar archive.');
  let next: { path?: string; size?: number } = {};
  let at = 0;
  let ended = false;
  while (at + block <= source.size) {
    const header = await headers.read(at, block);
    if (header.every((byte) => byte === 0)) {
      ended = true;
      break;
    }
    checkSum(header, (problem) => bad(at, problem));
    const size = next.size ?? number(header.subarray(124, 136)) ?? bad(at, 'the size of a file is not a number');
    const start = at + block;
    if (start + size > source.size) bad(at, `a file of ${size} bytes is announced, but only ${source.size - start} follow`);
    const type = header[156] === 0 ? '0' : String.fromCharCode(header[156]);
    if (type === 'L' || type === 'x') {
      if (size > maximumExtra) bad(at, `a name of ${size} bytes`);
      const extra = await headers.read(start, size);
      next = type === 'L' ? { ...next, path: text(extra) } : { ...next, ...pax(extra, (problem) => bad(at, problem)) };
    } else {
      const path = next.path ?? ustarPath(header);
      if (type === '0' || type === '7') {
        const clean = safePath(path, 'tar', source.name);
        entries.set(clean, { path: clean, size, start });
      }
      if (type !== 'g') next = {};
    }
    at = start + Math.ceil(size / block) * block;
  }
  if (!ended && at < source.size) bad(at, `${source.size - at} bytes are no whole header`);
  if (!ended && at === 0) bad(0, 'there is no header');
  return fileSet(source.name, entries, ({ start, size }) => source.read(start, size));
}

const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
};

function ustarPath(header: Uint8Array): string {
  const prefix = latin1(header.subarray(257, 262)) === 'ustar' ? text(header.subarray(345, 500)) : '';
  const name = text(header.subarray(0, 100));
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, or GNU's big-endian binary after a byte 0x80. */
function number(field: Uint8Array): number | undefined {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = latin1(field)
    .replace(/[\0 ]+$/, '')
    .trimStart();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined;
}

/** The sum of the header's bytes, its own field counted as spaces. */
function checkSum(header: Uint8Array, bad: (problem: string) => never): void {
  let sum = 8 * 32;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i];
  const said = number(header.subarray(148, 156));
  if (said !== sum) bad(`the header's checksum is ${said}, not ${sum}`);
}

/** Records of "length key=value\n"; path and size matter here. */
function pax(bytes: Uint8Array, bad: (problem: string) => never): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(32, at);
    const length = Number(latin1(bytes.subarray(at, Math.min(space, at + 12))));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at || at + length > bytes.length) return bad('a pax record is malformed');
    const record = new TextDecoder().decode(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') found.path = value;
    if (key === 'size') {
      found.size = Number(value);
      if (!/^\d+$/.test(value) || !Number.isSafeInteger(found.size)) return bad('a pax record is malformed');
    }
    at += length;
  }
  return found;
}
