/** The data of the digit recipes: MNIST where it is found, else generated digits. */
import { resolve } from 'node:path';
import { augment, type Dataset, digits, hasMnist, mnist } from '../../data/index.ts';
import type { Settings } from './recipe.ts';

export interface DigitData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** In words, for the user. */
  readonly description: string;
}

const generatedName = 'digits';

/** `--data`, else GRADIX_DATA when it has MNIST, else generated digits. */
export async function resolveSource(asked: string | undefined): Promise<string> {
  if (asked !== undefined) return asked === generatedName ? asked : resolve(asked);
  const folder = process.env.GRADIX_DATA;
  return folder && (await hasMnist(folder)) ? resolve(folder) : generatedName;
}

/** The test set alone. */
export async function testDigits(source: string): Promise<Dataset> {
  return source === generatedName ? digits({ count: 2000, seed: 2_000_003 }) : (await mnist({ root: source })).test;
}

/** `seed` decides which of MNIST's training images are held out for validation. */
export async function digitData(source: string, seed: number): Promise<DigitData> {
  if (source === generatedName) {
    return {
      train: digits({ count: 40_000, seed: 1 }),
      validation: digits({ count: 2000, seed: 1_000_003 }),
      test: await testDigits(source),
      description: '40,000 generated digits, 2,000 more to validate, 2,000 more to test (MNIST instead: --data DIR)',
    };
  }
  const { train: all, test } = await mnist({ root: source });
  const held = Math.min(5000, Math.floor(all.length / 10));
  const [train, validation] = all.split([all.length - held, held], { seed, stratify: true });
  const count = (n: number) => n.toLocaleString('en-US');
  return {
    train,
    validation,
    test,
    description: `MNIST from ${source}: ${count(train.length)} to train, ${count(held)} to validate, ${count(test.length)} to test`,
  };
}

export const digitAugmentations = ['none', 'elastic'] as const;

/**
 * The training digits as --augment asks for them. 'elastic': every digit a little turned, slanted and scaled, then distorted as by uncontrolled oscillations of the
 * hand (Simard, Steinkraus and Platt 2003), anew in every epoch.
 */
export function augmentedDigits(train: Dataset, { augment: asked, seed }: Settings): Dataset {
  if (asked !== 'elastic') return train;
  const slightly = augment.affine({ degrees: 5, scale: [0.95, 1.05], shear: 5 });
  return train.augment([slightly, augment.elastic({ alpha: 16, sigma: 4 })], { seed }).prefetch({ workers: 1 });
}
