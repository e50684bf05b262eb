/** The file half of data (Node): files and folders as sources of bytes, IDX files, named data sets on disk. What touches the disk is in disk-node.ts. */
import { environmentVariable } from '../core/debug.ts';
import { fail, GradixError } from '../core/errors.ts';
import type { Progress } from '../io/fetch.ts';
import { fileExists, isNode, readBytes } from '../io/files.ts';
import type { Remote } from './download-node.ts';
import type { ByteSource } from './formats/bytes.ts';
import { maximumExpansion } from './formats/compression.ts';
import type { FileSet } from './formats/file-set.ts';
import { type IdxArray, parseIdx } from './idx.ts';

function requireNode(operation: string): void {
  if (!isNode) fail('device', operation, 'paths are read in Node only', 'In a browser give a File, or bytes to a parser.');
}

/** What is on the disk. Errors: this is no Node. */
async function disk(operation: string): Promise<typeof import('./disk-node.ts')> {
  requireNode(operation);
  return import('./disk-node.ts');
}

/** A file that is read in place. It stays open as long as the source is in use. */
export const fileSource = async (path: string, operation: string): Promise<ByteSource> => (await disk(operation)).fileSource(path, operation);

/** All files below a folder. */
export const folderFiles = async (folder: string, operation: string): Promise<FileSet> => (await disk(operation)).folderFiles(folder, operation);

/** True for a folder. */
export const isFolder = async (path: string, operation: string): Promise<boolean> => (await disk(operation)).isFolder(path, operation);

/** A file's bytes, decompressed when they are gzip. At most what the gzip trailer promises is allocated. */
export async function readMaybeGzip(path: string, operation: string): Promise<Uint8Array> {
  const { gunzip } = await disk(operation);
  const bytes = await readBytes(path, operation);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const promised = bytes.length < 18 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
  if (promised > bytes.length * maximumExpansion) corruptGzip(operation, path, `it promises ${promised} bytes from ${bytes.length}`);
  try {
    return gunzip(bytes, promised);
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

/** A file of a named set: the names it may have, and where it can be fetched under the first of them. */
export interface NamedFile {
  readonly names: readonly string[];
  readonly remote?: Remote;
}

export interface NamedFiles {
  readonly name: string;
  /** Folder names that may hold the files, below each root. Downloads go into the first. */
  readonly folders: readonly string[];
  readonly files: Readonly<Record<string, NamedFile>>;
  /** Where the files can be had. */
  readonly publisher: string;
  /** The files' names are common: look for them in folders of the set's own name only, unless `root` is given. */
  readonly ownFolder?: boolean;
}

/** Where a named set's files are looked for. */
export interface NamedOptions {
  /** The folder of the files, or its parent. Default: GRADIX_DATA, then the folder of downloads. */
  readonly root?: string;
  /** Fetch files that are not found (default: unless `root` is given). */
  readonly download?: boolean;
  /** Told how a download goes. Default: progress on stderr. */
  readonly onProgress?: (progress: Progress) => void;
}

const alternative = ({ publisher }: NamedFiles): string => `Download them from ${publisher} and give the folder as --data or { root }, or in GRADIX_DATA.`;

/** The paths of a named set's files: in `root`, else in GRADIX_DATA, else among the downloads. Errors: not found, or only a part of them. */
export async function findFiles(set: NamedFiles, root?: string): Promise<Record<string, string>> {
  const { join } = await disk(set.name);
  const { name, folders, files, ownFolder = false } = set;
  const variable = environmentVariable('GRADIX_DATA');
  const roots = root !== undefined ? [root] : variable === undefined ? [] : [variable];
  const downloads = (await import('./download-node.ts')).downloadFolder();
  if (root === undefined && !roots.includes(downloads)) roots.push(downloads);
  const itself = root !== undefined || !ownFolder;
  const places = roots.flatMap((base) => [...(itself ? [base] : []), ...folders.map((folder) => join(base, folder))]);
  for (const place of places) {
    const found: Record<string, string> = {};
    for (const [key, { names }] of Object.entries(files)) {
      for (const candidate of names) if (!(key in found) && (await fileExists(join(place, candidate)))) found[key] = join(place, candidate);
    }
    if (Object.keys(found).length === Object.keys(files).length) return found;
    const lacking = Object.keys(files).find((key) => !(key in found));
    if (Object.keys(found).length > 0 && lacking) fail('data', name, `${place} lacks ${files[lacking].names[0]}`, alternative(set));
  }
  return fail('data', name, `found no ${Object.values(files)[0].names[0]} in ${places.join(' or ')}`, alternative(set));
}

/** As findFiles; files that are not there are fetched from their publisher. */
export async function obtainFiles(set: NamedFiles, options: NamedOptions): Promise<Record<string, string>> {
  const { join } = await disk(set.name);
  const { root, download: wanted = root === undefined } = options;
  if (!wanted) return findFiles(set, root);
  const { download, downloadFolder, terminalProgress } = await import('./download-node.ts');
  const folder = join(root ?? downloadFolder(), set.folders[0]);
  try {
    return await findFiles(set, root);
  } catch (error) {
    if (!(error instanceof GradixError) || !Object.values(set.files).every(({ remote }) => remote)) throw error;
  }
  const { onProgress = terminalProgress(folder) } = options;
  const found: Record<string, string> = {};
  for (const [key, { names, remote }] of Object.entries(set.files)) {
    const path = join(folder, names[0]);
    if (remote && !(await fileExists(path))) await download(remote, path, { operation: set.name, alternative: alternative(set), onProgress });
    found[key] = path;
  }
  return found;
}

/** True where findFiles would succeed. */
export const hasFiles = (set: NamedFiles, root?: string): Promise<boolean> =>
  findFiles(set, root).then(
    () => true,
    (error) => (error instanceof GradixError ? false : Promise.reject(error)),
  );
