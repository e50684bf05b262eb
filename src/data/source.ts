/** What stands behind a Dataset: a number of examples with named fields, read by row numbers. */
import { type DType, newArray, type TypedArray } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';
import type { Features } from './audio/features.ts';
import type { Transform } from './augment/transform.ts';
import type { NamedBytes } from './formats/file-set.ts';
import type { ImageForm } from './images/pixels.ts';

export interface Field {
  readonly name: string;
  /** Shape of one example's value. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** How the values are kept, where that is smaller: value = kept × scale. Training moves them in this form and converts within its program. */
  readonly stored?: { readonly dtype: DType; readonly scale: number };
}

/** Row numbers, any order, repeats allowed. */
export type Rows = ArrayLike<number>;

export type Arrays = readonly TypedArray[];

/** Examples where they lie: a program reads these rows of the arrays itself, and nothing is copied before. */
export interface Resident {
  /** For every field the values of all examples that are kept, in its stored form. The same arrays every time. */
  readonly arrays: Arrays;
  readonly rows: Int32Array;
}

/** How a loader reads ahead. */
export interface Feeding {
  /** Batches that are read while others are being used (0: none). */
  readonly batches: number;
  /** Threads that decode and augment (0: the caller's own). */
  readonly workers: number;
}

/** The work of reading a batch as plain values: undecoded files with what is to become of them, arrays, transforms. See job.ts. */
export type Job =
  | { readonly kind: 'arrays'; readonly arrays: Arrays }
  | { readonly kind: 'images'; readonly files: readonly NamedBytes[]; readonly form: ImageForm; readonly labels: Int32Array }
  | { readonly kind: 'sounds'; readonly files: readonly NamedBytes[]; readonly features: Features; readonly labels: Int32Array }
  | AugmentJob;

export interface AugmentJob extends Augmentation {
  readonly kind: 'augment';
  readonly input: Job;
  /** The examples that mixup mixes in, one per example. */
  readonly partners?: Job;
}

/** Transforms of the examples of one batch. */
export interface Augmentation {
  /** Fields of the input. */
  readonly fields: readonly Field[];
  readonly classes: number;
  readonly transforms: readonly Transform[];
  readonly seed: number;
  readonly epoch: number;
  /** The numbers of the examples. */
  readonly rows: Int32Array;
}

/** Where examples come from. What is read depends on the rows and the epoch only, never on what was read before. */
export interface Source {
  readonly length: number;
  readonly fields: readonly Field[];
  /** Names of the classes that integer labels count. */
  readonly classes?: readonly string[];
  /** For every field the values of the rows, one after the other. The arrays belong to the caller. `epoch` matters to augmentation alone. */
  read(rows: Rows, epoch: number): Arrays | Promise<Arrays>;
  /** As read, but fields that have a stored form come in it. Needed with `stored`. */
  readStored?(rows: Rows, epoch: number): Arrays | Promise<Arrays>;
  /** Where all examples are kept in memory: their arrays in stored form, and where these rows are in them. */
  resident?(rows: Rows): Resident;
  /** The work of readStored as plain values, for a worker thread. Sources whose work is no more than copying leave it out. */
  job?(rows: Rows, epoch: number): Promise<Job>;
  /** The integer labels of all examples, where they are known without reading everything. */
  labels?(): ArrayLike<number>;
}

/** The values of fields from their stored forms. */
export const fromStored = (fields: readonly Field[], arrays: Arrays): Arrays =>
  arrays.map((array, i) => {
    const { dtype, stored } = fields[i];
    if (stored === undefined) return array;
    const values = newArray(dtype, array.length);
    for (let j = 0; j < values.length; j++) values[j] = array[j] * stored.scale;
    return values;
  });

/** What stays when the examples of a source are read in another way. */
export const described = (source: Source): Pick<Source, 'length' | 'fields' | 'classes' | 'labels'> => ({
  length: source.length,
  fields: source.fields,
  ...(source.classes && { classes: source.classes }),
  ...(source.labels && { labels: () => source.labels?.() ?? [] }),
});

/** A source's values in their stored form, where it has one. */
export const storedOf = (source: Pick<Source, 'read' | 'readStored'>, rows: Rows, epoch: number): Arrays | Promise<Arrays> =>
  source.readStored ? source.readStored(rows, epoch) : source.read(rows, epoch);
