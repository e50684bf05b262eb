/**
 * Dataset: a number of examples with named fields, read by row numbers. Everything else (arrays, generated digits, files) is a Source behind it.
 * Reading gives plain typed arrays; data/loader.ts makes batches of tensors from them.
 */
import { newArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { type Tensor, tensor } from '../tensor/index.ts';
import { augmented } from './augment/augmented.ts';
import type { Transform } from './augment/transform.ts';
import { cached } from './cache.ts';
import { jobOf } from './job.ts';
import { generator, permutation, shuffle } from './random.ts';
import { type Arrays, described, type Feeding, type Field, type Job, type Resident, type Rows, type Source, storedOf } from './source.ts';

export type { Field, Rows, Source } from './source.ts';

export interface SplitOptions {
  /** Seed of the drawing (default 0). */
  readonly seed?: number;
  /** Keep the share of every class in every part. */
  readonly stratify?: boolean;
  /** false: cut in the given order instead of drawing. */
  readonly shuffle?: boolean;
}

export class Dataset {
  readonly #source: Source;

  /** How loaders read it ahead: see prefetch. */
  readonly feeding: Feeding;

  constructor(source: Source, feeding: Feeding = { batches: 0, workers: 0 }) {
    this.#source = source;
    this.feeding = feeding;
  }

  /** Number of examples. */
  get length(): number {
    return this.#source.length;
  }

  get fields(): readonly Field[] {
    return this.#source.fields;
  }

  get classes(): readonly string[] | undefined {
    return this.#source.classes;
  }

  /** For every field the values of some rows, one after the other. `epoch` (default 0) matters to augmentation alone. */
  read(rows: Rows, epoch = 0): Arrays | Promise<Arrays> {
    this.#checkRows(rows);
    return this.#source.read(rows, epoch);
  }

  /** As read, but fields that have a stored form come in it. */
  readStored(rows: Rows, epoch = 0): Arrays | Promise<Arrays> {
    this.#checkRows(rows);
    return storedOf(this.#source, rows, epoch);
  }

  /** Where the rows lie, if all examples are kept in memory. */
  resident(rows: Rows): Resident | undefined {
    this.#checkRows(rows);
    return this.#source.resident?.(rows);
  }

  /** The work of readStored as plain values: see data/job.ts. */
  job(rows: Rows, epoch = 0): Promise<Job> {
    this.#checkRows(rows);
    return jobOf(this.#source, rows, epoch);
  }

  #checkRows(rows: Rows): void {
    for (let i = 0; i < rows.length; i++) {
      if (!(rows[i] >= 0 && rows[i] < this.length)) fail('argument', 'dataset', `row ${rows[i]} is outside 0 … ${this.length - 1}`);
    }
  }

  /** The examples from `start` up to `end` as one tensor per field, [end − start, …shape]. */
  async get(start: number, end: number = start + 1): Promise<readonly Tensor[]> {
    return this.tensors(range(start, Math.min(end, this.length)));
  }

  /** Some rows as one tensor per field, [rows, …shape]. */
  async tensors(rows: Rows): Promise<readonly Tensor[]> {
    const arrays = await this.read(rows);
    return this.fields.map(({ shape, dtype }, i) => tensor(arrays[i], { shape: [rows.length, ...shape], dtype }));
  }

  /** The integer labels of all examples, or undefined where they are not known without reading everything. */
  labels(): ArrayLike<number> | undefined {
    return this.#source.labels?.();
  }

  /** The examples at these rows, in this order. Copies nothing. */
  select(wanted: Rows): Dataset {
    const source = this.#source;
    const { resident } = source;
    const rows = wanted instanceof Int32Array ? wanted : Int32Array.from(wanted);
    return new Dataset(
      {
        ...described(source),
        length: rows.length,
        read: (inner, epoch) => source.read(pick(rows, inner), epoch),
        readStored: (inner, epoch) => storedOf(source, pick(rows, inner), epoch),
        ...(resident && { resident: (inner: Rows) => resident(pick(rows, inner)) }),
        ...(source.job && { job: (inner: Rows, epoch: number) => jobOf(source, pick(rows, inner), epoch) }),
        ...(source.labels && { labels: () => labelsOf(source.labels?.() ?? [], rows) }),
      },
      this.feeding,
    );
  }

  /** The first `count` examples. */
  take(count: number): Dataset {
    if (!Number.isInteger(count) || count < 0) fail('argument', 'take', `count must be a whole number ≥ 0, got ${count}`);
    return this.select(range(0, Math.min(count, this.length)));
  }

  /** All but the first `count` examples. */
  skip(count: number): Dataset {
    return this.select(range(Math.min(count, this.length), this.length));
  }

  /** One drawn order of all examples, the same at every pass (a loader draws a new order per epoch). */
  shuffle({ seed = 0 }: { readonly seed?: number } = {}): Dataset {
    return this.select(permutation(this.length, generator(seed, 0x5aff1e)));
  }

  /**
   * Cuts into parts: fractions that sum to at most 1, or numbers of examples. Without `stratify` the parts are drawn at random.
   * `const [train, validation] = dataset.split([0.8, 0.2], { seed: 1, stratify: true })`
   */
  split(parts: readonly number[], { seed = 0, stratify = false, shuffle: draw = true }: SplitOptions = {}): Dataset[] {
    const counts = partSizes(parts, this.length);
    const random = generator(seed, 0x5b117);
    if (stratify) return this.#stratified(counts, random);
    const order = draw ? permutation(this.length, random) : range(0, this.length);
    let start = 0;
    return counts.map((count) => {
      start += count;
      return this.select(order.subarray(start - count, start));
    });
  }

  /** Every class is drawn and laid out evenly over one list, which is then cut: each part gets its share within one example per class. */
  #stratified(counts: readonly number[], random: ReturnType<typeof generator>): Dataset[] {
    const placed: { readonly row: number; readonly at: number }[] = [];
    for (const [, rows] of this.#rowsByClass('split', 'stratify', 'Leave stratify out.')) {
      shuffle(rows, random);
      rows.forEach((row, i) => placed.push({ row, at: (i + 0.5) / rows.length }));
    }
    const order = placed.sort((a, b) => a.at - b.at || a.row - b.row).map(({ row }) => row);
    let start = 0;
    return counts.map((count) => {
      start += count;
      const rows = Int32Array.from(order.slice(start - count, start));
      shuffle(rows, random);
      return this.select(rows);
    });
  }

  /**
   * Cuts every class into parts, given as fractions or as numbers of examples per class: `splitEachLabel([750, 250])`.
   * Errors: no labels, or a class with fewer examples than asked for.
   */
  splitEachLabel(parts: readonly number[], { seed = 0, shuffle: draw = true }: Omit<SplitOptions, 'stratify'> = {}): Dataset[] {
    const random = generator(seed, 0x5b1e);
    const chosen: number[][] = parts.map(() => []);
    for (const [label, rows] of this.#rowsByClass('splitEachLabel', 'it')) {
      const name = this.classes?.[label] ?? String(label);
      if (parts.some((part) => part > 1) && parts.reduce((sum, part) => sum + part, 0) > rows.length)
        fail('argument', 'splitEachLabel', `the class ${name} has ${rows.length} examples, not ${parts.join(' + ')}`, 'Ask for fewer, or for fractions.');
      if (draw) shuffle(rows, random);
      let start = 0;
      for (const [i, count] of partSizes(parts, rows.length).entries()) {
        chosen[i].push(...rows.subarray(start, start + count));
        start += count;
      }
    }
    return chosen.map((rows) => {
      const order = Int32Array.from(rows);
      if (draw) shuffle(order, random);
      return this.select(order);
    });
  }

  /** The rows of every class, by label. */
  #rowsByClass(operation: string, what: string, hint?: string): [label: number, rows: Int32Array][] {
    const labels = this.labels() ?? fail('data', operation, `${what} needs integer labels, which this dataset does not have`, hint);
    const byClass = new Map<number, number[]>();
    for (let i = 0; i < this.length; i++) {
      const rows = byClass.get(labels[i]);
      if (rows) rows.push(i);
      else byClass.set(labels[i], [i]);
    }
    return [...byClass.entries()].sort(([a], [b]) => a - b).map(([label, rows]) => [label, Int32Array.from(rows)]);
  }

  /**
   * Changes the first field's values at random as they are read, anew in every epoch: pictures [height, width, channels], spectrograms, or vectors.
   * What an example becomes depends on the seed, the epoch and its number in this dataset only.
   * `train.augment([augment.flip(), augment.crop({ size: 32, padding: 4 })])`
   */
  augment(transforms: readonly Transform[], { seed = 0 }: { readonly seed?: number } = {}): Dataset {
    return new Dataset(augmented(this.#source, transforms, seed), this.feeding);
  }

  /** Keeps examples in memory once they have been read, as they are stored, the first ones that fit into so many bytes (default 1 GiB). */
  cache({ bytes = 2 ** 30 }: { readonly bytes?: number } = {}): Dataset {
    return new Dataset(cached(this.#source, bytes), this.feeding);
  }

  /**
   * Has loaders read `batches` ahead of their use (default 2) and decode and augment in `workers` threads (Node; default 0: the caller's own).
   * The batches are the same.
   */
  prefetch({ batches = 2, workers = 0 }: Partial<Feeding> = {}): Dataset {
    for (const [name, value] of Object.entries({ batches, workers }))
      if (!Number.isInteger(value) || value < 0) fail('argument', 'prefetch', `${name} must be a whole number ≥ 0, got ${value}`);
    return new Dataset(this.#source, { batches, workers });
  }

  /**
   * Transforms batches as they are read: `fn` gets one tensor per field, [n, …shape], must treat every row alike, and returns the new fields.
   * `dataset.map((x, y) => [x.mul(2).sub(1), y])`
   */
  map(fn: (...fields: Tensor[]) => readonly Tensor[]): Dataset {
    const source = this.#source;
    const blank = source.fields.map(({ shape, dtype }) => tensor(newArray(dtype, sizeOf(shape)), { shape: [1, ...shape], dtype }));
    const fields = fn(...blank).map(({ shape, dtype }, i) => ({ name: source.fields[i]?.name ?? `field${i}`, shape: shape.slice(1), dtype }));
    const { labels, ...same } = described(source);
    return new Dataset(
      {
        ...same,
        fields,
        read: async (rows, epoch) => {
          const arrays = await source.read(rows, epoch);
          const results = fn(...source.fields.map(({ shape, dtype }, i) => tensor(arrays[i], { shape: [rows.length, ...shape], dtype })));
          return Promise.all(
            results.map((result, i) => {
              if (result.shape[0] === rows.length) return result.data();
              return fail(
                'shape',
                'map',
                `a batch of ${rows.length} examples came back as ${showShape(result.shape)} in field ${fields[i].name}`,
                'The function must keep the first dimension.',
              );
            }),
          );
        },
        ...(labels && fields.length === source.fields.length && { labels }),
      },
      this.feeding,
    );
  }
}

const labelsOf = (labels: ArrayLike<number>, rows: Int32Array): Int32Array => rows.map((row) => labels[row]);

function pick(values: Int32Array, rows: Rows): Int32Array {
  const picked = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i]];
  return picked;
}

/** start … end−1 */
export function range(start: number, end: number): Int32Array {
  const rows = new Int32Array(Math.max(0, end - start));
  for (let i = 0; i < rows.length; i++) rows[i] = start + i;
  return rows;
}

function partSizes(parts: readonly number[], length: number): number[] {
  const total = parts.reduce((sum, p) => sum + p, 0);
  if (parts.length === 0 || parts.some((p) => !(p >= 0 && Number.isFinite(p)))) {
    fail('argument', 'split', `expected fractions such as [0.8, 0.2] or numbers of examples, got ${showShape(parts)}`);
  }
  if (total > 1 + 1e-9) {
    if (!parts.every(Number.isInteger) || total > length)
      fail(
        'argument',
        'split',
        `parts ${showShape(parts)} sum to ${Number(total.toPrecision(6))}, but there are ${length} examples`,
        'Give fractions that sum to at most 1, or numbers of examples.',
      );
    return [...parts];
  }
  // Rounded running totals, so that fractions that sum to 1 use every example.
  let running = 0;
  let used = 0;
  return parts.map((fraction) => {
    running += fraction;
    const until = Math.round(Math.min(1, running) * length);
    const count = until - used;
    used = until;
    return count;
  });
}
