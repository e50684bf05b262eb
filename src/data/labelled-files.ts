/** Files of a folder or an archive with a class each: by default the name of the folder they are in. */
import { fail } from '../core/errors.ts';
import type { FileSet, NamedBytes } from './formats/file-set.ts';
import type { Rows } from './source.ts';

export interface LabelledFiles {
  readonly paths: readonly string[];
  /** Positions in `classes`, one per path. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

export interface LabelOptions {
  /** Which files count. */
  readonly wanted: (path: string) => boolean;
  /** What they are called in errors: pictures, recordings. */
  readonly things: string;
  readonly operation: string;
  /** The class of a file; undefined leaves it out. Default: the first folder of its path. */
  readonly label?: ((path: string) => string | undefined) | undefined;
  /** The classes in their order. Default: those that occur, in alphabetical order. */
  readonly classes?: readonly string[] | undefined;
}

const firstFolder = (path: string): string | undefined => (path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined);
const splits = new Set(['train', 'training', 'test', 'testing', 'val', 'valid', 'validation', 'dev']);

/** Errors: no files, files beside the folders only, folders that are splits and no classes, a class without files, one that was not announced. */
export function labelFiles(files: FileSet, { wanted, things, operation, label = firstFolder, classes: asked }: LabelOptions): LabelledFiles {
  const found = files.entries.filter(({ path }) => wanted(path));
  if (found.length === 0) fail('data', operation, `${files.name} holds no ${things}`, 'Check the path.');
  const labelled = found.map(({ path }) => ({ path, label: label(path) })).filter((file) => file.label !== undefined);
  if (labelled.length === 0)
    fail('data', operation, `${files.name} holds ${found.length} ${things}, but none has a class`, 'Put them into one folder per class, or give { label }.');
  const counts = new Map<string, number>();
  for (const file of labelled) counts.set(file.label ?? '', (counts.get(file.label ?? '') ?? 0) + 1);
  // Folders without files are known for real folders; archives do not list them.
  if (label === firstFolder) for (const path of files.folders ?? []) if (!path.includes('/') && !counts.has(path)) counts.set(path, 0);
  const classes = asked ?? [...counts.keys()].sort();
  const empty = classes.find((name) => !counts.get(name));
  if (empty !== undefined) fail('data', operation, `the class ${empty} of ${files.name} has no ${things}`, 'Add some, or remove the class.');
  if (label === firstFolder && classes.every((name) => splits.has(name.toLowerCase())))
    fail('data', operation, `${files.name} holds the folders ${classes.join(', ')}, which are no classes`, `Give { under: '${classes[0]}' }.`);
  const codes = new Map(classes.map((name, code) => [name, code]));
  const labels = labelled.map(
    (file) => codes.get(file.label ?? '') ?? fail('data', operation, `${file.path} has the class ${file.label}, which is not among ${classes.join(', ')}`),
  );
  return { paths: labelled.map(({ path }) => path), labels: Int32Array.from(labels), classes };
}

/** The bytes of some files, read at the same time. */
export const readFiles = (files: FileSet, paths: readonly string[], rows: Rows): Promise<NamedBytes[]> =>
  Promise.all(Array.from(rows, async (row) => ({ name: `${files.name}/${paths[row]}`, bytes: await files.read(paths[row]) })));

export const labelsOf = (labels: Int32Array, rows: Rows): Int32Array => Int32Array.from(rows, (row) => labels[row]);
