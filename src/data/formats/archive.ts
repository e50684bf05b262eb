/** Tar, tar.gz and zip, told apart by their first bytes. */
import { fail } from '../../core/errors.ts';
import { type ByteSource, bytesSource, latin1 } from './bytes.ts';
import { inflate } from './compression.ts';
import type { FileSet } from './file-set.ts';
import { indexTar } from './tar.ts';
import { indexZip } from './zip.ts';

/** Names that openArchive may be asked about. */
export const isArchiveName = (path: string): boolean => /\.(tar|tgz|tar\.gz|zip)$/i.test(path);

/**
 * The files of an archive, read in place. A compressed tar is decompressed into memory first, because gzip cannot be read from the middle;
 * unpack one that is larger than memory with gunzip. Errors: not an archive, corrupt, paths that lead outside.
 */
export async function openArchive(source: ByteSource): Promise<FileSet> {
  const first = await source.read(0, Math.min(4, source.size));
  if (first[0] === 0x1f && first[1] === 0x8b) {
    const unpacked = await inflate(await source.read(0, source.size), 'gzip', { name: source.name });
    return openedTar(bytesSource(unpacked, source.name));
  }
  return latin1(first.subarray(0, 2)) === 'PK' ? indexZip(source) : openedTar(source);
}

async function openedTar(source: ByteSource): Promise<FileSet> {
  if (source.size < 512) fail('data', 'archive', `${source.name} is ${source.size} bytes long, too short for an archive`, 'Expected tar, tar.gz or zip.');
  return indexTar(source);
}
