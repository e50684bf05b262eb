/** Files: on the disk in Node, in the private file system of the origin in a page, and safetensors files there or behind a URL. */

import { type FetchOptions, fetchBytes, isAddress } from './fetch.ts';
import { fileError } from './file-error.ts';
import type { FileSystem, LogFile, NewFile } from './file-system.ts';
import {
  type ArrayValue,
  decodeSafetensors,
  encodeSafetensors,
  headerLength,
  parseHeader,
  type SafetensorsFile,
  type SafetensorsHeader,
} from './safetensors.ts';

export { fileError, type LogFile };

/** Whether Node's modules are there (Deno and Bun have them, too). Modules that import them are loaded behind it, and are left out of pages by `browser` in package.json. */
export const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
const system = (): Promise<FileSystem> => (isNode ? import('./files-node.ts') : import('./files-web.ts'));

/** Makes a folder and its parents. */
export const makeFolder = async (path: string, operation: string): Promise<void> => (await system()).makeFolder(path, operation);

/** The names in a folder, sorted. */
export const listFolder = async (path: string, operation: string): Promise<string[]> => (await system()).listFolder(path, operation);

export const fileExists = async (path: string | URL): Promise<boolean> => (await system()).fileExists(path);

/**
 * Writes files of one folder so that at every moment, also after a kill or a power cut, each path holds either the old contents or the new. On a disk all are written
 * before the first takes its name.
 */
export const writeFiles = async (files: readonly NewFile[], operation: string): Promise<void> => (await system()).writeFiles(files, operation);

/** Writes a file so that at every moment, also after a kill or a power cut, the path holds either the old contents or the new. */
export const writeFileAtomic = (path: string, contents: Uint8Array | string, operation = 'save'): Promise<void> => writeFiles([{ path, contents }], operation);

/** Opens a file to append to after its first `keep` bytes; what follows them is cut off. Errors: it is shorter than that. */
export const openLog = async (path: string, operation: string, keep = 0): Promise<LogFile> => (await system()).openLog(path, operation, keep);

/** Gives a file's present contents a second name, which stays when the first is replaced. */
export const keepAs = async (path: string, name: string, operation: string): Promise<void> => (await system()).keepAs(path, name, operation);

export const removeFile = async (path: string, operation: string): Promise<void> => (await system()).removeFile(path, operation);

export const readBytes = async (path: string | URL, operation: string): Promise<Uint8Array> => (await system()).readBytes(path, operation);

export async function readText(path: string, operation: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, operation));
}

export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, ArrayValue>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}

/** Only the header: names, dtypes, shapes and metadata. Reads no values, so it is quick on any size of file. */
export async function readSafetensorsHeader(path: string | URL): Promise<SafetensorsHeader> {
  const name = String(path);
  const file = await (await system()).openFile(path, 'load');
  try {
    const first = await file.read(0, Math.min(8, file.size));
    return parseHeader(await file.read(8, headerLength(first, file.size, name)), file.size, name);
  } finally {
    await file.close();
  }
}

/** Reads a file, or what a URL (http, https) answers. The header of a file is checked before the values are read. */
export async function readSafetensors(source: string | URL, options: FetchOptions = {}): Promise<SafetensorsFile> {
  if (isAddress(source)) return decodeSafetensors(await fetchBytes(source, 'load', options), String(source));
  await readSafetensorsHeader(source);
  return decodeSafetensors(await readBytes(source, 'load'), String(source));
}
