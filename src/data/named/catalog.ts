/** The named sets in one table, for the command line. */
import type { Dataset } from '../dataset.ts';
import { digits } from '../digits.ts';
import type { NamedOptions } from '../files.ts';
import { cifar10 } from './cifar.ts';
import { fsdd } from './fsdd.ts';
import { fashionMnist, mnist } from './mnist.ts';
import { breastCancer, iris, opticalDigits, wine } from './tables.ts';
import { shakespeare, tatoeba } from './texts.ts';

export interface NamedSet {
  readonly summary: string;
  /** Its parts by name. */
  load(options: NamedOptions): Promise<Readonly<Record<string, Dataset>>>;
}

const parts = async (loading: Promise<{ readonly train: Dataset; readonly test: Dataset }>) => {
  const { train, test } = await loading;
  return { train, test };
};

export const namedSets: Readonly<Record<string, NamedSet>> = {
  mnist: { summary: '70,000 handwritten digits, 28 × 28', load: (options) => parts(mnist(options)) },
  fashionMnist: { summary: '70,000 pieces of clothing, 28 × 28', load: (options) => parts(fashionMnist(options)) },
  cifar10: { summary: '60,000 colour pictures in ten classes, 32 × 32', load: (options) => parts(cifar10(options)) },
  digits: { summary: 'generated handwritten digits, as many as wanted', load: async () => ({ all: digits() }) },
  opticalDigits: { summary: '1,797 handwritten digits, 8 × 8', load: async (options) => ({ all: await opticalDigits(options) }) },
  fsdd: { summary: '3,000 recordings of spoken digits', load: (options) => parts(fsdd(options)) },
  shakespeare: { summary: 'the plays, 1.1 million characters', load: (options) => parts(shakespeare(options)) },
  tatoeba: { summary: 'English–French sentence pairs', load: (options) => parts(tatoeba(options)) },
  iris: { summary: '150 flowers, 4 measures, 3 species', load: async (options) => ({ all: await iris(options) }) },
  wine: { summary: '178 wines, 13 measures, 3 growers', load: async (options) => ({ all: await wine(options) }) },
  breastCancer: { summary: '569 tumours, 30 measures, malignant or benign', load: async (options) => ({ all: await breastCancer(options) }) },
};
