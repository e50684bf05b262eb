/** The file half of data (Node): files and folders as sources of bytes, IDX files, named data sets on disk. Node modules are loaded when first used. */
import { environmentVariable } from '../core/debug.ts';
import { fail, GradixError } from '../core/errors.ts';
import { fileError, fileExists, readBytes } from '../io/files.ts';
import { type ByteSource, tooShort } from './formats/bytes.ts';
import { maximumExpansion } from './formats/compression.ts';
import { type FileEntry, type FileSet, fileSet } from './formats/file-set.ts';
import { type IdxArray, parseIdx } from './idx.ts';

/** A file that is read in place. It stays open as long as the source is in use. */
export async function fileSource(path: string, operation: string): Promise<ByteSource> {
  const { close, closeSync, fstatSync, openSync, read } = await import('node:fs');
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
  const { readdir, stat } = await import('node:fs/promises');
  const { join } = await import('node:path');
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

/** True for a folder. */
export async function isFolder(path: string, operation: string): Promise<boolean> {
  const { stat } = await import('node:fs/promises');
  return (await stat(path).catch((error) => fileError(operation, path, error))).isDirectory();
}

/** A file's bytes, decompressed when they are gzip. At most what the gzip trailer promises is allocated. */
export async function readMaybeGzip(path: string, operation: string): Promise<Uint8Array> {
  const bytes = await readBytes(path, operation);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const promised = bytes.length < 18 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
  if (promised > bytes.length * maximumExpansion) corruptGzip(operation, path, `it promises ${promised} bytes from ${bytes.length}`);
  const { gunzipSync } = await import('node:zlib');
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(1, promised) });
  } catch (error) {
    return corruptGzip(
      operation,
      path,
      (error as { code?: string }).code === 'Z_BUF_ERROR' ? 'it ends too early' : 'its contents do not match its checks',
      error,
    );
  }
}

const corruptGzip = (operation: string, path: string, problem: string, cause?: unknown): never =>
  fail('data', operation, `${path} cannot be decompressed: ${problem}`, 'The file is truncated or corrupt; fetch it again.', cause);

/** Reads an IDX file, plain or gzip. */
export async function readIdx(path: string): Promise<IdxArray> {
  return parseIdx(await readMaybeGzip(path, 'idx'), path);
}

export interface FindOptions {
  readonly name: string;
  /** Folder names that may hold the files, below each root. */
  readonly folders: readonly string[];
  /** Every file under the names it may have. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  readonly root?: string;
  /** Where the files can be had. */
  readonly publisher: string;
}

/** The paths of a named set's files: in `root`, else in GRADIX_DATA, each itself or a folder of the set's name in it. */
export async function findFiles({ name, folders, files, root, publisher }: FindOptions): Promise<Record<string, string>> {
  const { join } = await import('node:path');
  const variable = environmentVariable('GRADIX_DATA');
  const roots = root !== undefined ? [root] : variable === undefined ? [] : [variable];
  const howTo = `Download them from ${publisher} and give the folder as --data or { root }, or in GRADIX_DATA.`;
  if (roots.length === 0) fail('data', name, 'no folder to look in', howTo);
  const places = roots.flatMap((base) => [base, ...folders.map((folder) => join(base, folder))]);
  for (const place of places) {
    const found: Record<string, string> = {};
    for (const [key, names] of Object.entries(files)) {
      for (const candidate of names) if (!(key in found) && (await fileExists(join(place, candidate)))) found[key] = join(place, candidate);
    }
    if (Object.keys(found).length === Object.keys(files).length) return found;
    const lacking = Object.keys(files).find((key) => !(key in found));
    if (Object.keys(found).length > 0 && lacking) fail('data', name, `${place} lacks ${files[lacking][0]}`, howTo);
  }
  return fail('data', name, `found no ${Object.values(files)[0][0]} in ${places.join(' or ')}`, howTo);
}

/** True where findFiles would succeed. */
export const hasFiles = (options: FindOptions): Promise<boolean> =>
  findFiles(options).then(
    () => true,
    (error) => (error instanceof GradixError ? false : Promise.reject(error)),
  );
