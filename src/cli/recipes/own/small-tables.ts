/** iris, wine: a small net on a small table, judged by ten-fold cross-validation, so that every row is tested once by a net that has not seen it. */
import { resolve } from 'node:path';
import { type Dataset, iris, type NamedOptions, wine } from '../../../data/index.ts';
import { kFold } from '../../../train/index.ts';
import type { Recipe } from '../recipe.ts';
import { leavingOut } from './left-out.ts';

const folds = 10;

const crossValidated = (name: string, summary: string, table: (options: NamedOptions) => Promise<Dataset>): Recipe =>
  leavingOut({
    name,
    summary: `${summary}; one hidden layer of 32 units, ${folds}-fold cross-validation; AdamW, one cycle`,
    defaults: { epochs: 100, batchSize: 16, learningRate: 0.003 },
    source: async (asked) => {
      const folder = asked ?? process.env.GRADIX_DATA;
      return folder === undefined || folder === '' || folder === name ? name : resolve(folder);
    },
    async load(data, seed) {
      const all = await table(data === name ? {} : { root: data });
      const columns = Array.from({ length: all.fields[0].shape[0] }, (_, i) => ({ name: `column${i + 1}`, kind: 'number' }) as const);
      return {
        plan: {
          ...{ data, classes: all.classes ?? [], net: { convolutions: [], hidden: [32], dropout: 0 } },
          input: { kind: 'table', header: false, columns, target: `column${columns.length + 1}` },
        },
        description: `${all.length} rows of ${columns.length} columns, ${all.classes?.length} classes, in ${folds} folds`,
        parts: kFold(all, folds, { stratify: true, seed }).map(({ train, validation }, i) => ({
          name: `fold-${String(i + 1).padStart(2, '0')}`,
          train,
          test: validation,
        })),
      };
    },
  });

export const smallTables: readonly Recipe[] = [
  crossValidated('iris', "Fisher's irises: 150 rows, 3 species", iris),
  crossValidated('wine', 'wines by their chemistry: 178 rows, 3 growers', wine),
];
