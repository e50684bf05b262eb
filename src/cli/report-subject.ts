/** The recipes that classify images: their nets and test sets, so that a report can look into them. */
import type { Dataset } from '../data/index.ts';
import { load } from '../io/index.ts';
import { lenet, lenet5, mlp } from '../models/index.ts';
import { type Layer, randomShift, sequential } from '../nn/index.ts';
import { runFiles } from '../train/checkpoint.ts';
import { testDigits } from './recipes/digit-data.ts';

/** As the recipes of these names build them; a file with other weights is refused when it is loaded. */
const digitNets: Readonly<Record<string, () => Layer>> = {
  lenet: () => lenet(),
  lenet5: () => sequential(randomShift(2), lenet5()),
  mlp: () => mlp({ hidden: [256] }),
  'mlp-1024': () => mlp({ hidden: [1024] }),
  'mlp-dropout': () => mlp({ hidden: [1024], dropout: 0.5, inputDropout: 0.2 }),
  softmax: () => mlp({ hidden: [] }),
  'early-stop': () => mlp({ hidden: [256] }),
};

export interface Subject {
  readonly model: Layer;
  readonly test: Dataset;
}

/** The trained net of a run and its test set; undefined for recipes that are no image classifiers. */
export async function subjectOf(recipe: string, folder: string, data: string): Promise<Subject | undefined> {
  if (!Object.hasOwn(digitNets, recipe)) return undefined;
  const test = await testDigits(data);
  return { model: await load(digitNets[recipe](), `${folder}/${runFiles.model}`), test };
}
