/** Files and folders on a disk as sources of bytes (Node). */
import { close, closeSync, fstatSync, openSync, read } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fail } from '../core/errors.ts';
import { fileError, fileExists, readBytes } from '../io/files.ts';
import { type ByteSource, tooShort } from './formats/bytes.ts';
import { type FileEntry, type FileSet, fileSet } from './formats/file-set.ts';

export { join };

/** A file that is read in place. It stays open as long as the source is in use. */
export function fileSource(path: string, operation: string): ByteSource {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    return fileError(operation, path, error);
  }
  const facts = fstatSync(descriptor);
  if (!facts.isFile()) {
    closeSync(descriptor);
    fail('file', operation, `${path} is no file`);
  }
  const readAt = (bytes: Uint8Array, done: number, position: number) =>
    new Promise<number>((resolve, reject) =>
      read(descriptor, bytes, done, bytes.length - done, position + done, (error, count) => (error ? reject(error) : resolve(count))),
    );
  const source: ByteSource = {
    name: path,
    size: facts.size,
    read: async (start, length) => {
      if (start < 0 || length < 0 || start + length > facts.size) tooShort(path, start + length, facts.size);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const count = await readAt(bytes, done, start).catch((error) => fileError(operation, path, error));
        if (count === 0) tooShort(path, start + length, start + done);
        done += count;
      }
      return bytes;
    },
  };
  // Nobody says when a dataset is no longer needed; its file is closed when it is collected.
  openFiles ??= new FinalizationRegistry((unused) => close(unused, () => {}));
  openFiles.register(source, descriptor);
  return source;
}
let openFiles: FinalizationRegistry<number> | undefined;

/** All files below a folder. */
export async function folderFiles(folder: string, operation: string): Promise<FileSet> {
  const entries = new Map<string, FileEntry>();
  const folders: string[] = [];
  const walk = async (below: string): Promise<void> => {
    const here = join(folder, below);
    const found = await readdir(here, { withFileTypes: true }).catch((error) => fileError(operation, here, error));
    for (const entry of found) {
      if (entry.name.startsWith('.')) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const facts = entry.isSymbolicLink() ? await stat(join(folder, path)).catch(() => undefined) : entry;
      if (facts?.isDirectory()) {
        folders.push(path);
        if (!entry.isSymbolicLink()) await walk(path);
      } else if (facts?.isFile()) entries.set(path, { path });
    }
  };
  await walk('');
  const files = fileSet(folder, entries, async ({ path }) => {
    const full = join(folder, path);
    if (!(await fileExists(full)))
      fail('file', operation, `${full} was there when the folder was opened and is gone now`, 'Leave the folder alone while it is in use.');
    return readBytes(full, operation);
  });
  return { ...files, folders };
}

export async function isFolder(path: string, operation: string): Promise<boolean> {
  return (await stat(path).catch((error) => fileError(operation, path, error))).isDirectory();
}

/** At most so many bytes are allocated. */
export const gunzip = (bytes: Uint8Array, most: number): Uint8Array => gunzipSync(bytes, { maxOutputLength: Math.max(1, most) });
