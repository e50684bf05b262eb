/**
 * Files of a page: the private file system of its origin (fs.spec.whatwg.org), which outlives the tab and no other origin sees. Paths are as on a disk, from its
 * root. A file is replaced by way of a writable stream: the browser writes elsewhere and puts the new contents in place when the stream is closed.
 */
import { fail } from '../core/errors.ts';
import { fileError } from './file-error.ts';
import type { LogFile, NewFile, OpenFile } from './file-system.ts';

const namesIn = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

async function root(operation: string): Promise<FileSystemDirectoryHandle> {
  const storage = globalThis.navigator?.storage as StorageManager | undefined;
  if (storage?.getDirectory === undefined)
    fail('file', operation, 'this page has no file system of its own', 'Browsers give one to pages over https and from localhost.');
  return storage.getDirectory();
}

async function folderAt(names: readonly string[], operation: string, create = false): Promise<FileSystemDirectoryHandle> {
  let folder = await root(operation);
  for (const name of names) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}

/** A file's handle, with the folder and the name. */
async function fileAt(path: string, operation: string, create = false): Promise<FileSystemFileHandle> {
  const names = namesIn(path);
  const name = names.pop() ?? fail('file', operation, `"${path}" is not the path of a file`);
  return (await folderAt(names, operation)).getFileHandle(name, { create });
}

/** The contents now. A file that is new is empty until its first contents are in place: it is not there yet. */
async function contentsAt(path: string, operation: string): Promise<File> {
  const file = await (await fileAt(path, operation)).getFile();
  if (file.size === 0) throw new DOMException(`${path} is empty`, 'NotFoundError');
  return file;
}

/** Runs `body`; what it throws is told in words. */
async function told<T>(path: string, operation: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    return error instanceof Error && error.name === 'GradixError' ? Promise.reject(error) : fileError(operation, path, error);
  }
}

export function makeFolder(path: string, operation: string): Promise<void> {
  return told(path, operation, async () => {
    const folder = await folderAt(namesIn(path), operation, true);
    // What streams that were never closed have left.
    for await (const name of folder.keys()) if (name.endsWith('.crswap')) await folder.removeEntry(name).catch(() => undefined);
  });
}

export function listFolder(path: string, operation: string): Promise<string[]> {
  return told(path, operation, async () => {
    const names: string[] = [];
    for await (const name of (await folderAt(namesIn(path), operation)).keys()) names.push(name);
    return names.sort();
  });
}

export const fileExists = (path: string | URL): Promise<boolean> =>
  contentsAt(String(path), 'file').then(
    () => true,
    () => false,
  );

/** Writes at the end of what is kept of the file: `keep` bytes, or nothing of it. */
async function writeAfter(path: string, operation: string, contents: NewFile['contents'], keep?: number): Promise<void> {
  const stream = await (await fileAt(path, operation, true)).createWritable({ keepExistingData: keep !== undefined });
  try {
    if (keep !== undefined) await stream.truncate(keep);
    await stream.write({ type: 'write', position: keep ?? 0, data: new Blob(Array.isArray(contents) ? contents : [contents]) });
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
  await stream.close();
}

export async function writeFiles(files: readonly NewFile[], operation: string): Promise<void> {
  for (const { path, contents, copies = [] } of files)
    for (const name of [path, ...copies]) await told(name, operation, () => writeAfter(name, operation, contents));
}

export async function openLog(path: string, operation: string, keep: number): Promise<LogFile> {
  const size = keep === 0 ? 0 : await told(path, operation, async () => (await contentsAt(path, operation)).size);
  if (size < keep)
    fail('file', operation, `${path} has ${size} bytes, but ${keep} were written before`, 'It was changed since; move it away to begin a new one.');
  await told(path, operation, () => writeAfter(path, operation, '', keep));
  let length = keep;
  return {
    get length() {
      return length;
    },
    async append(contents) {
      const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
      await told(path, operation, () => writeAfter(path, operation, bytes, length));
      length += bytes.length;
    },
  };
}

export async function readBytes(from: string | URL, operation: string): Promise<Uint8Array> {
  const file = await openFile(from, operation);
  return file.read(0, file.size);
}

export async function openFile(from: string | URL, operation: string): Promise<OpenFile> {
  const path = String(from);
  const file = await told(path, operation, () => contentsAt(path, operation));
  return {
    size: file.size,
    read: (start, length) => told(path, operation, async () => new Uint8Array(await file.slice(start, start + length).arrayBuffer())),
    close: async () => undefined,
  };
}

export const keepAs = (path: string, name: string, operation: string): Promise<void> =>
  told(name, operation, async () => writeAfter(name, operation, new Uint8Array(await (await contentsAt(path, operation)).arrayBuffer())));

export const removeFile = (path: string, operation: string): Promise<void> =>
  told(path, operation, async () => {
    const names = namesIn(path);
    const name = names.pop() ?? '';
    await (await folderAt(names, operation)).removeEntry(name).catch((error) => (error.name === 'NotFoundError' ? undefined : Promise.reject(error)));
  });
