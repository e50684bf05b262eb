/** Pictures in folders or archives as a dataset. They are decoded as they are read, so the set may be larger than memory. */
import { fail, GradixError } from '../core/errors.ts';
import { Dataset } from './dataset.ts';
import type { FileSet } from './formats/file-set.ts';
import { decodeImage } from './images/decode.ts';
import { imageHeader, isImageName } from './images/header.ts';
import { formed, type ImageForm } from './images/pixels.ts';
import { readByJob } from './job.ts';
import { type LabelledFiles, labelFiles, labelsOf, readFiles } from './labelled-files.ts';
import { type FileLike, openFiles } from './open.ts';

export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

export interface ImageFolderOptions {
  /** The folder within that holds the class folders: 'train'. */
  readonly under?: string;
  /** [height, width] of every example. Default: the size of the first picture, which all must have. */
  readonly size?: number | readonly [height: number, width: number];
  /** How pictures of another size get it (default 'stretch'; 'cover' keeps proportions and cuts evenly). */
  readonly fit?: 'stretch' | 'cover';
  /** 1 (grey) or 3 (colour); pictures are converted. Default: those of the first picture, which all must have. */
  readonly channels?: 1 | 3;
  /** The class of a file by its path; undefined leaves the file out. Default: its first folder. */
  readonly label?: (path: string) => string | undefined;
  /** The classes in their order. Default: all, in alphabetical order. */
  readonly classes?: readonly string[];
  /** Pictures that cannot be decoded: an error when they are read (default), or left out, for which every picture is decoded once at the beginning. */
  readonly corrupt?: 'error' | 'skip';
  /** Told which pictures were left out. Default: a warning with their number. */
  readonly onSkip?: (skipped: readonly SkippedFile[]) => void;
}

/**
 * JPEG, PNG, PGM and PPM pictures from a folder, a tar, tar.gz or zip. Fields x float32 [height, width, channels] in 0 … 1, stored in 8 bits, and
 * y int32 [], the number of the class. Node decodes JPEG and PNG with the package sharp.
 * Errors: no pictures, a class without any, other sizes or channels than the first, corrupt files.
 */
export async function imageFolder(from: FileLike | FileSet, options: ImageFolderOptions = {}): Promise<Dataset> {
  const operation = 'imageFolder';
  const { under, label, classes, corrupt = 'error' } = options;
  const files = await openFiles(from, under, operation);
  const all = labelFiles(files, { wanted: isImageName, things: 'pictures', operation, label, classes });
  const form = await formOf(files, all.paths, options);
  const { paths, labels, classes: names } = corrupt === 'skip' ? await withoutCorrupt(files, all, form, options) : all;
  const fields = [
    { name: 'x', shape: [form.height, form.width, form.channels], dtype: 'float32', stored: { dtype: 'uint8', scale: 1 / 255 } },
    { name: 'y', shape: [], dtype: 'int32' },
  ] as const;
  return new Dataset({
    length: paths.length,
    classes: names,
    labels: () => labels,
    ...readByJob(fields, async (rows) => ({ kind: 'images', files: await readFiles(files, paths, rows), form, labels: labelsOf(labels, rows) })),
  });
}

/** As asked, else as the first picture that can be understood. */
async function formOf(files: FileSet, paths: readonly string[], { size, fit = 'stretch', channels, corrupt }: ImageFolderOptions): Promise<ImageForm> {
  const asked = typeof size === 'number' ? ([size, size] as const) : size;
  if (asked?.some((d) => !Number.isInteger(d) || d < 1)) fail('argument', 'imageFolder', `size must be whole numbers ≥ 1, got ${asked.join(' × ')}`);
  const form = (height: number, width: number, found: 1 | 3): ImageForm => ({
    height,
    width,
    channels: channels ?? found,
    resize: asked ? fit : 'refuse',
    convert: channels !== undefined,
  });
  if (asked && channels) return form(asked[0], asked[1], channels);
  for (const path of paths) {
    try {
      const header = imageHeader(await files.read(path), `${files.name}/${path}`);
      return form(asked?.[0] ?? header.height, asked?.[1] ?? header.width, header.channels);
    } catch (error) {
      if (corrupt !== 'skip' || !(error instanceof GradixError) || error.code !== 'data') throw error;
    }
  }
  return fail('data', 'imageFolder', `none of the ${paths.length} pictures in ${files.name} can be decoded`);
}

async function withoutCorrupt(
  files: FileSet,
  { paths, labels, classes }: LabelledFiles,
  form: ImageForm,
  { onSkip }: ImageFolderOptions,
): Promise<LabelledFiles> {
  const skipped: SkippedFile[] = [];
  const kept: number[] = [];
  const atOnce = 64;
  for (let start = 0; start < paths.length; start += atOnce) {
    const group = await Promise.all(paths.slice(start, start + atOnce).map((path) => problemOf(files, path, form)));
    for (const [i, reason] of group.entries()) {
      if (reason === undefined) kept.push(start + i);
      else skipped.push({ path: paths[start + i], reason });
    }
  }
  if (skipped.length > 0) (onSkip ?? warn(files, paths.length))(skipped);
  const empty = classes.find((_, code) => !kept.some((row) => labels[row] === code));
  if (empty !== undefined) fail('data', 'imageFolder', `no picture of the class ${empty} in ${files.name} can be decoded`);
  return { paths: kept.map((row) => paths[row]), labels: labelsOf(labels, kept), classes };
}

async function problemOf(files: FileSet, path: string, form: ImageForm): Promise<string | undefined> {
  try {
    const name = `${files.name}/${path}`;
    const pixels = await decodeImage(await files.read(path), name);
    formed(pixels, form, name);
    return undefined;
  } catch (error) {
    if (error instanceof GradixError && error.operation === 'image' && error.code === 'data') return error.message;
    throw error;
  }
}

const warn = (files: FileSet, count: number) => (skipped: readonly SkippedFile[]) => {
  const named = skipped.slice(0, 3).map(({ path }) => path);
  console.warn(
    `gradix: imageFolder left out ${skipped.length} of ${count} pictures of ${files.name} that cannot be decoded: ${named.join(', ')}${skipped.length > 3 ? ', …' : ''}`,
  );
};
