/** Recordings in folders or archives as a dataset of features. They are read and transformed as they are needed. */
import { fail } from '../core/errors.ts';
import { type Features, featureShape } from './audio/features.ts';
import { Dataset } from './dataset.ts';
import type { FileSet } from './formats/file-set.ts';
import { parseWav } from './formats/wav.ts';
import { readByJob } from './job.ts';
import { labelFiles, labelsOf, readFiles } from './labelled-files.ts';
import { type FileLike, openFiles } from './open.ts';

export interface AudioFolderOptions {
  /** The folder within that holds the class folders. */
  readonly under?: string;
  /** The class of a file by its path; undefined leaves the file out. Default: its first folder. */
  readonly label?: (path: string) => string | undefined;
  readonly classes?: readonly string[];
  /** The samples themselves, the logarithm of the power spectrum, that in mel bands (default), or cepstral coefficients. */
  readonly features?: Features['kind'];
  /** Length of every example (default 1): shorter recordings are followed by silence, longer ones cut. */
  readonly seconds?: number;
  /** Milliseconds of a frame (default 25). */
  readonly frame?: number;
  /** Milliseconds from frame to frame (default 10). */
  readonly hop?: number;
  /** Mel bands (default 40). */
  readonly bands?: number;
  /** Cepstral coefficients (default 13). */
  readonly coefficients?: number;
}

/**
 * WAV recordings from a folder, a tar, tar.gz or zip. Fields x float32, [frames, bins, 1] (waves: [samples]), and y int32 [], the number of the class.
 * Several channels are averaged. Errors: no recordings, a class without any, different sample rates, corrupt files.
 */
export async function audioFolder(from: FileLike | FileSet, options: AudioFolderOptions = {}): Promise<Dataset> {
  const operation = 'audioFolder';
  const { under, label, classes, features: kind = 'mel', seconds = 1, frame = 25, hop = 10, bands = 40, coefficients = 13 } = options;
  for (const [name, value] of Object.entries({ seconds, frame, hop }))
    if (!(value > 0 && Number.isFinite(value))) fail('argument', operation, `${name} must be a number > 0, got ${value}`);
  const files = await openFiles(from, under, operation);
  const {
    paths,
    labels,
    classes: names,
  } = labelFiles(files, { wanted: (path) => /\.wave?$/i.test(path), things: 'WAV recordings', operation, label, classes });
  const { sampleRate } = parseWav(await files.read(paths[0]), `${files.name}/${paths[0]}`);
  const features: Features = {
    kind,
    sampleRate,
    samples: Math.round(seconds * sampleRate),
    frame: Math.round((frame / 1000) * sampleRate),
    hop: Math.max(1, Math.round((hop / 1000) * sampleRate)),
    bands,
    coefficients,
  };
  const shape = featureShape(features);
  if (shape[0] < 1) fail('argument', operation, `${seconds} s are shorter than one frame of ${frame} ms`);
  const fields = [
    { name: 'x', shape, dtype: 'float32' },
    { name: 'y', shape: [], dtype: 'int32' },
  ] as const;
  return new Dataset({
    length: paths.length,
    classes: names,
    labels: () => labels,
    ...readByJob(fields, async (rows) => ({ kind: 'sounds', files: await readFiles(files, paths, rows), features, labels: labelsOf(labels, rows) })),
  });
}
