/** Where data come from: a path (Node), a browser's File, or a set of files that is open already. */

import { openArchive } from './formats/archive.ts';
import { type ByteSource, blobSource } from './formats/bytes.ts';
import { inflate } from './formats/compression.ts';
import { below, type FileSet } from './formats/file-set.ts';

/** A path, or what a file input of a page gives. */
export type FileLike = string | Blob;

export const nameOf = (from: FileLike): string => (typeof from === 'string' ? from : 'name' in from && typeof from.name === 'string' ? from.name : 'the file');

export const fileByteSource = async (from: FileLike, operation: string): Promise<ByteSource> =>
  typeof from === 'string' ? (await import('./files.ts')).fileSource(from, operation) : blobSource(from, nameOf(from));

/** The whole file, decompressed when it is gzip. */
export async function fileBytes(from: FileLike, operation: string): Promise<Uint8Array> {
  if (typeof from === 'string') return (await import('./files.ts')).readMaybeGzip(from, operation);
  const source = blobSource(from, nameOf(from));
  const bytes = await source.read(0, source.size);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? inflate(bytes, 'gzip', { name: source.name }) : bytes;
}

/** The files of a folder or an archive, or of one folder in it. */
export async function openFiles(from: FileLike | FileSet, under: string | undefined, operation: string): Promise<FileSet> {
  const files = await opened(from, operation);
  return under === undefined || under === '' ? files : below(files, under);
}

async function opened(from: FileLike | FileSet, operation: string): Promise<FileSet> {
  if (typeof from === 'object' && 'entries' in from) return from;
  if (typeof from === 'string') {
    const { folderFiles, isFolder } = await import('./files.ts');
    if (await isFolder(from, operation)) return folderFiles(from, operation);
  }
  return openArchive(await fileByteSource(from, operation));
}
