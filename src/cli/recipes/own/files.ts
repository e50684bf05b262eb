/** Finds out what --data is: pictures or recordings in a folder or an archive, with or without folders for training and testing, or a table. */
import { basename, dirname } from 'node:path';
import { fail } from '../../../core/errors.ts';
import { isFolder } from '../../../data/files.ts';
import { isArchiveName } from '../../../data/formats/archive.ts';
import { below, type FileSet } from '../../../data/formats/file-set.ts';
import { isImageName } from '../../../data/images/header.ts';
import { openFiles } from '../../../data/open.ts';
import { readBytes } from '../../../io/files.ts';

export const operation = 'classifier';

export type Part = 'train' | 'validation' | 'test';

/** Files with one folder per class. */
export interface OwnFolder {
  readonly kind: 'pictures' | 'sounds';
  readonly name: string;
  /** `train` holds everything where there are no folders for the parts. */
  readonly parts: { readonly train: FileSet } & Partial<Record<Part, FileSet>>;
}

export interface OwnTable {
  readonly kind: 'table';
  readonly name: string;
}

export type OwnFiles = OwnFolder | OwnTable;

export const isSoundName = (path: string): boolean => /\.wave?$/i.test(path);
export const isTableName = (path: string): boolean => /\.(csv|tsv)(\.gz)?$/i.test(path);

const partNames: Readonly<Record<string, Part>> = {
  ...{ train: 'train', training: 'train', test: 'test', testing: 'test' },
  ...{ val: 'validation', valid: 'validation', validation: 'validation', dev: 'validation' },
};

/** Errors: nothing there, another kind of file, neither pictures nor recordings within, a test folder without one to train on. */
export async function openOwn(path: string): Promise<OwnFiles> {
  const folder = await isFolder(path, operation);
  if (!folder && isTableName(path)) return { kind: 'table', name: path };
  if (!folder && !isArchiveName(path))
    fail('data', operation, `${path} is neither a folder nor an archive nor a table`, 'Folders, .tar, .tar.gz, .zip, .csv and .tsv (also .gz) can be read.');
  const all = withoutOuterFolder(await openFiles(path, undefined, operation));
  const count = (wanted: (name: string) => boolean) => all.entries.filter((entry) => wanted(entry.path)).length;
  const [pictures, sounds] = [count(isImageName), count(isSoundName)];
  if (pictures + sounds === 0)
    fail(
      'data',
      operation,
      `${path} holds no pictures (JPEG, PNG, PGM, PPM) and no recordings (WAV)`,
      'Put them into one folder per class; for a table give its CSV file.',
    );
  if (pictures > 0 && sounds > 0)
    fail('data', operation, `${path} holds ${pictures} pictures and ${sounds} recordings`, 'A classifier learns from one kind: keep the others elsewhere.');
  return { kind: pictures > 0 ? 'pictures' : 'sounds', name: path, parts: partsOf(all) };
}

const topFolders = ({ entries, folders = [] }: FileSet): string[] => [
  ...new Set([...entries.map(({ path }) => path), ...folders].map((path) => path.split('/')[0])),
];

/** Archives often hold one folder that holds everything. */
function withoutOuterFolder(files: FileSet): FileSet {
  const [outer, ...others] = topFolders(files);
  const inside = files.entries.every(({ path }) => path.split('/').length > 2);
  return outer !== undefined && others.length === 0 && inside ? withoutOuterFolder(below(files, outer)) : files;
}

function partsOf(files: FileSet): OwnFolder['parts'] {
  const names = topFolders(files);
  const found = new Map(names.map((name) => [partNames[name.toLowerCase()], name]));
  if (names.length === 0 || found.has(undefined as never) || found.size < names.length) return { train: files };
  const part = (name: Part): FileSet | undefined => {
    const inside = found.get(name);
    return inside === undefined ? undefined : below(files, inside);
  };
  const train = part('train') ?? fail('data', operation, `${files.name} holds the folders ${names.join(', ')}, but none to train on`, 'Call it train.');
  const [validation, test] = [part('validation'), part('test')];
  return { train, ...(validation && { validation }), ...(test && { test }) };
}

/** One file as a set, so that the readers of folders read it. */
export const oneFile = (path: string): FileSet => ({
  name: dirname(path),
  entries: [{ path: basename(path) }],
  read: () => readBytes(path, 'predict'),
});
