/** Files on a disk (Node, and Deno and Bun, which have its modules). */
import { access, copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail } from '../core/errors.ts';
import { fileError } from './file-error.ts';
import type { LogFile, NewFile, OpenFile } from './file-system.ts';

/** Makes a folder and its parents. (Level by level: Node 20's recursive mkdir never returns below /proc.) */
export async function makeFolder(path: string, operation: string): Promise<void> {
  const make = async (folder: string, parents: boolean): Promise<void> => {
    try {
      await mkdir(folder);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
      if (code !== 'ENOENT' || !parents || dirname(folder) === folder) fileError(operation, folder, error);
      await make(dirname(folder), true);
      await make(folder, false);
    }
  };
  await make(path, true);
}

const temporaryName = (path: string): string => join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);

/**
 * Writes files of one folder so that at every moment, also after a kill or a power cut, each path holds either the old contents or the new: temporary names in the
 * same folder, flushed to the disk, then renamed once all are there.
 */
export async function writeFiles(files: readonly NewFile[], operation: string): Promise<void> {
  const paths = files.flatMap(({ path, copies = [] }) => [path, ...copies]);
  let current = '';
  try {
    for (const { path, contents, copies = [] } of files) {
      current = path;
      await writeFlushed(temporaryName(path), contents);
      for (const copy of copies) await secondName(temporaryName(path), temporaryName(copy), () => writeFlushed(temporaryName(copy), contents));
    }
    for (const path of paths) {
      current = path;
      await rename(temporaryName(path), path);
    }
    await syncFolder(dirname(current));
  } catch (error) {
    for (const path of paths) await rm(temporaryName(path), { force: true }).catch(() => {});
    if ((error as { code?: string }).code === 'ENOENT')
      fail('file', operation, `the folder ${dirname(current)} does not exist`, 'Make it first, or choose another.', error);
    fileError(operation, current, error);
  }
}

async function writeFlushed(path: string, contents: NewFile['contents']): Promise<void> {
  let pieces = typeof contents === 'string' ? [new TextEncoder().encode(contents)] : contents instanceof Uint8Array ? [contents] : contents;
  const file = await open(path, 'w');
  try {
    // In one go: writeFile writes pieces, and between two of them waits for a turn of the event loop, which a training run makes rarely.
    while (pieces.length > 0) pieces = without(pieces, (await file.writev(pieces)).bytesWritten);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What is left of pieces after so many bytes. */
function without(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let done = bytes;
  return pieces.flatMap((piece) => {
    const skipped = Math.min(done, piece.length);
    done -= skipped;
    return skipped === piece.length ? [] : [piece.subarray(skipped)];
  });
}

/** A second name for a file's present contents; where the file system has no links, a copy. */
async function secondName(path: string, name: string, copy: () => Promise<void>): Promise<void> {
  await rm(name, { force: true });
  await link(path, name).catch(copy);
}

/** Flushes a folder's list of names, so that a rename outlives a power cut; where the system cannot (Windows), it does so by itself. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** Opens a file to append to after its first `keep` bytes; what follows them is cut off. Errors: it is shorter than that. */
export async function openLog(path: string, operation: string, keep: number): Promise<LogFile> {
  let length = keep;
  const file = await open(path, keep === 0 ? 'w' : 'r+').catch((error) => fileError(operation, path, error));
  try {
    const { size } = await file.stat();
    if (size < keep)
      fail('file', operation, `${path} has ${size} bytes, but ${keep} were written before`, 'It was changed since; move it away to begin a new one.');
    await file.truncate(keep);
  } finally {
    await file.close();
  }
  return {
    get length() {
      return length;
    },
    async append(contents) {
      const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
      const end = await open(path, 'a').catch((error) => fileError(operation, path, error));
      try {
        await end.writeFile(bytes);
        length += bytes.length;
      } catch (error) {
        fileError(operation, path, error);
      } finally {
        await end.close();
      }
    },
  };
}

/** Gives a file's present contents a second name, which stays when the first is replaced. */
export async function keepAs(path: string, name: string, operation: string): Promise<void> {
  await secondName(path, name, () => copyFile(path, name)).catch((error) => fileError(operation, name, error));
}

export async function removeFile(path: string, operation: string): Promise<void> {
  await rm(path, { force: true }).catch((error) => fileError(operation, path, error));
}

/** The names in a folder, sorted. */
export async function listFolder(path: string, operation: string): Promise<string[]> {
  return (await readdir(path).catch((error) => fileError(operation, path, error))).sort();
}

export async function readBytes(path: string | URL, operation: string): Promise<Uint8Array> {
  return readFile(path).catch((error) => fileError(operation, String(path), error));
}

export async function openFile(path: string | URL, operation: string): Promise<OpenFile> {
  const file = await open(path, 'r').catch((error) => fileError(operation, String(path), error));
  try {
    const { size } = await file.stat();
    return {
      size,
      async read(start, length) {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(bytes, done, length - done, start + done).catch((error) => fileError(operation, String(path), error));
          if (bytesRead === 0) fail('file', operation, `${path} ends after ${start + done} of ${start + length} bytes`, 'It is being changed.');
          done += bytesRead;
        }
        return bytes;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    return fileError(operation, String(path), error);
  }
}

export async function fileExists(path: string | URL): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
