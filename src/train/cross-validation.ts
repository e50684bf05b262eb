/** kFold and crossValidate: a model's figures on data it has not seen, from k fits that each leave out another part. */
import { fail } from '../core/errors.ts';
import { Dataset } from '../data/dataset.ts';
import { checkWhole } from '../nn/options.ts';
import type { Optimizer } from '../optim/index.ts';
import type { EpochRecord } from './callback.ts';
import { fit } from './fit.ts';
import type { FitOptions } from './fit-options.ts';
import type { Model } from './objective.ts';

export interface FoldOptions {
  /** Keep the share of every class in every fold. */
  readonly stratify?: boolean;
  /** Seed of the drawing (default 0). */
  readonly seed?: number;
}

export interface Fold {
  readonly train: Dataset;
  /** The part that is left out: over all folds every example once. */
  readonly validation: Dataset;
}

/** k divisions of the data into k − 1 parts to train and one to validate. `for (const { train, validation } of kFold(dataset, 5, { stratify: true })) …` */
export function kFold(dataset: Dataset, k: number, { stratify = false, seed = 0 }: FoldOptions = {}): Fold[] {
  checkWhole('kFold', 'k', k, 2);
  if (k > dataset.length) fail('argument', 'kFold', `${dataset.length} examples do not make ${k} folds`);
  const parts = rowNumbers(dataset)
    .split(new Array<number>(k).fill(1 / k), { stratify, seed })
    .map((part) => Array.from({ length: part.length }, (_, i) => (part.read([i]) as readonly Int32Array[])[0][0]));
  return parts.map((rows, left) => ({
    train: dataset.select(parts.flatMap((other, i) => (i === left ? [] : other))),
    validation: dataset.select(rows),
  }));
}

/** A dataset of the row numbers, with the labels of the rows, to be split like the data themselves. */
function rowNumbers(dataset: Dataset): Dataset {
  const labels = dataset.labels();
  return new Dataset({
    length: dataset.length,
    fields: [{ name: 'row', shape: [], dtype: 'int32' }],
    read: (rows) => [Int32Array.from(rows)],
    ...(labels && { labels: () => labels }),
  });
}

export interface CrossValidateOptions extends FoldOptions, Omit<FitOptions, 'optimizer' | 'validation' | 'resume' | 'seed' | 'callbacks'> {
  /** Number of folds; default 5. */
  readonly k?: number;
  /** Callbacks of a fold's fit, made anew for each. */
  readonly callbacks?: (fold: number) => FitOptions['callbacks'];
}

export interface CrossValidation {
  /** The last record of each fold's history. */
  readonly folds: readonly EpochRecord[];
  /** Means over the folds of the figures that are numbers. */
  readonly mean: Readonly<Record<string, number>>;
  /** Their standard deviations over the folds (n − 1). */
  readonly deviation: Readonly<Record<string, number>>;
}

/** Fits a new model per fold. `await crossValidate(() => ({ model: mlp(), optimizer: optim.adam() }), dataset, { k: 5, loss: 'crossEntropy', metrics: ['accuracy'], epochs: 10 })` */
export async function crossValidate(
  make: (fold: number) => { readonly model: Model; readonly optimizer: Optimizer },
  dataset: Dataset,
  { k = 5, stratify, seed = 0, callbacks, ...options }: CrossValidateOptions,
): Promise<CrossValidation> {
  const folds: EpochRecord[] = [];
  for (const [fold, { train, validation }] of kFold(dataset, k, { seed, ...(stratify !== undefined && { stratify }) }).entries()) {
    const list = callbacks?.(fold);
    const { model, optimizer } = make(fold);
    const { epochs } = await fit(model, train, { ...options, optimizer, seed, validation, ...(list && { callbacks: list }) });
    folds.push(epochs[epochs.length - 1]);
  }
  const names = Object.keys(folds[0]).filter((name) => name !== 'epoch' && folds.every((record) => typeof record[name] === 'number'));
  const over = (of: (values: readonly number[]) => number) =>
    Object.fromEntries(names.map((name) => [name, of(folds.map((record) => record[name] as number))]));
  return { folds, mean: over(meanOf), deviation: over(deviationOf) };
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
