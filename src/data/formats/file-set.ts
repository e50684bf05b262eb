/** A set of files under relative paths: a folder, a tar or a zip. What reads files of a folder reads them from an archive in the same way. */
import { fail } from '../../core/errors.ts';

export interface FileEntry {
  /** Relative, with slashes, without `..`. */
  readonly path: string;
}

/** A file's name, for errors, and its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface FileSet {
  /** For error messages. */
  readonly name: string;
  /** In the order of their paths. */
  readonly entries: readonly FileEntry[];
  /** The folders, where those without files are known too. */
  readonly folders?: readonly string[];
  read(path: string): Promise<Uint8Array>;
}

/** A set over an index of places; `read` fetches one of them. */
export function fileSet<Entry extends FileEntry>(name: string, index: ReadonlyMap<string, Entry>, read: (entry: Entry) => Promise<Uint8Array>): FileSet {
  return {
    name,
    entries: [...index.values()].map(({ path }) => ({ path })).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
    read: (path) => read(index.get(path) ?? fail('data', 'files', `${name} has no file ${path}`)),
  };
}

/** The path of an archive's entry, cleaned. Errors: it is absolute or leads outside through `..`. */
export function safePath(path: string, operation: string, archive: string): string {
  const parts = path.replaceAll('\\', '/').split('/');
  if (parts[0] === '' || /^[a-zA-Z]:$/.test(parts[0]) || parts.includes('..') || path.includes('\0'))
    fail('data', operation, `${archive} holds the path ${JSON.stringify(path)}, which leads outside the archive`, 'Such archives are refused.');
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

/** The files below one folder of a set, under paths relative to it. */
export function below(files: FileSet, folder: string): FileSet {
  const prefix = `${folder.replace(/\/+$/, '')}/`;
  const entries = files.entries.filter(({ path }) => path.startsWith(prefix)).map(({ path }) => ({ path: path.slice(prefix.length) }));
  if (entries.length === 0) fail('data', 'files', `${files.name} has no folder ${folder}`, `It holds ${topFolders(files)}.`);
  const folders = files.folders?.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  return { name: `${files.name}/${folder}`, entries, ...(folders && { folders }), read: (path) => files.read(prefix + path) };
}

function topFolders({ entries }: FileSet): string {
  const names = [...new Set(entries.map(({ path }) => path.split('/')[0]))];
  return names.length === 0 ? 'no files' : names.length <= 12 ? names.join(', ') : `${names.slice(0, 12).join(', ')}, …`;
}
