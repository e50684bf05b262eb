/** The file half of io (Node): atomic writes and safetensors files. Node modules are loaded when first used, so that importing this file in a browser is harmless. */
import { fail } from '../core/errors.ts';
import {
  type ArrayValue,
  decodeSafetensors,
  encodeSafetensors,
  headerLength,
  parseHeader,
  type SafetensorsFile,
  type SafetensorsHeader,
} from './safetensors.ts';

const nodeFiles = () => import('node:fs/promises');
const nodePaths = () => import('node:path');

/** What went wrong with a file, in words, with what to do. */
export function fileError(operation: string, path: string, error: unknown): never {
  const code = (error as { code?: string }).code ?? '';
  const words: Record<string, readonly [string, string]> = {
    ENOENT: [`${path} does not exist`, 'Check the path.'],
    EACCES: [`no permission for ${path}`, 'Choose another folder or change its permissions.'],
    EPERM: [`no permission for ${path}`, 'Choose another folder or change its permissions.'],
    EROFS: [`${path} is on a read-only file system`, 'Choose another folder.'],
    ENOSPC: [`no space left on the disk of ${path}`, 'Free some space; what was saved before is untouched.'],
    EFBIG: [`${path} would be larger than this process may write`, 'Raise the limit (ulimit -f); what was saved before is untouched.'],
    EDQUOT: [`the disk quota for ${path} is used up`, 'Free some space; what was saved before is untouched.'],
    EISDIR: [`${path} is a folder`, 'Give the path of a file.'],
    ENOTDIR: [`a part of ${path} is a file, not a folder`, 'Choose another path.'],
    EEXIST: [`${path} exists and is not a folder`, 'Choose another path.'],
    EMFILE: [`too many files are open to open ${path}`, 'Raise the limit (ulimit -n).'],
  };
  const [problem, hint] = words[code] ?? [`${path}: ${error instanceof Error ? error.message : String(error)}`, undefined];
  return fail('file', operation, problem, hint, error);
}

/** Makes a folder and its parents. (Level by level: Node 20's recursive mkdir never returns below /proc.) */
export async function makeFolder(path: string, operation: string): Promise<void> {
  const { mkdir, stat } = await nodeFiles();
  const { dirname } = await nodePaths();
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

/**
 * Writes a file so that at every moment, also after a kill or a power cut, the path holds either the old contents or the new:
 * a temporary name in the same folder, flushed to the disk, then renamed.
 */
export async function writeFileAtomic(path: string, contents: Uint8Array | string, operation = 'save'): Promise<void> {
  const { open, rename, rm } = await nodeFiles();
  const { dirname, basename, join } = await nodePaths();
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if ((error as { code?: string }).code === 'ENOENT')
      fail('file', operation, `the folder ${dirname(path)} does not exist`, 'Make it first, or choose another.', error);
    fileError(operation, path, error);
  }
}

/** Flushes a folder's list of names, so that a rename outlives a power cut; where the system cannot (Windows), it does so by itself. */
async function syncFolder(path: string): Promise<void> {
  const folder = await (await nodeFiles()).open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** A file that grows. */
export interface LogFile {
  /** Its length, bytes. */
  readonly length: number;
  append(contents: Uint8Array | string): Promise<void>;
}

/** Opens a file to append to after its first `keep` bytes; what follows them is cut off. Errors: it is shorter than that. */
export async function openLog(path: string, operation: string, keep = 0): Promise<LogFile> {
  const { open } = await nodeFiles();
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

/** Gives a file's present contents a second name, which stays when the first is replaced. A copy where the file system has no links. */
export async function keepAs(path: string, name: string, operation: string): Promise<void> {
  const { link, copyFile, rm } = await nodeFiles();
  await rm(name, { force: true });
  await link(path, name)
    .catch(() => copyFile(path, name))
    .catch((error) => fileError(operation, name, error));
}

export async function removeFile(path: string, operation: string): Promise<void> {
  await (await nodeFiles()).rm(path, { force: true }).catch((error) => fileError(operation, path, error));
}

/** The names in a folder, sorted. */
export async function listFolder(path: string, operation: string): Promise<string[]> {
  return (await (await nodeFiles()).readdir(path).catch((error) => fileError(operation, path, error))).sort();
}

export async function readBytes(path: string, operation: string): Promise<Uint8Array> {
  return (await nodeFiles()).readFile(path).catch((error) => fileError(operation, path, error));
}

export async function readText(path: string, operation: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, operation));
}

export async function fileExists(path: string): Promise<boolean> {
  return (await nodeFiles()).access(path).then(
    () => true,
    () => false,
  );
}

export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, ArrayValue>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}

/** Only the header: names, dtypes, shapes and metadata. Reads no values, so it is quick on any size of file. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const file = await (await nodeFiles()).open(path, 'r').catch((error) => fileError('load', path, error));
  try {
    const { size } = await file.stat();
    const first = new Uint8Array(8);
    await file.read(first, 0, 8, 0);
    const json = new Uint8Array(headerLength(first, size, path));
    await file.read(json, 0, json.length, 8);
    return parseHeader(json, size, path);
  } catch (error) {
    return error instanceof Error && error.name === 'GradixError' ? Promise.reject(error) : fileError('load', path, error);
  } finally {
    await file.close();
  }
}

/** Reads a file; its header is checked before the values are read. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  await readSafetensorsHeader(path);
  return decodeSafetensors(await readBytes(path, 'load'), path);
}
