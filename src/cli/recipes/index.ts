/** The recipes: what `gradix train` can train. */
import { didYouMean } from '../../core/errors.ts';
import { UsageError } from '../arguments.ts';
import { addition } from './addition.ts';
import { bag } from './bag.ts';
import { charLstmRecipe } from './char-lstm.ts';
import { classifiers } from './classifiers.ts';
import { earlyStop } from './early-stop.ts';
import { fineTune } from './fine-tune.ts';
import { ownClassifier } from './own/classifier.ts';
import { smallTables } from './own/small-tables.ts';
import { spokenDigits, spokenDigitsBySpeaker } from './own/spoken-digits.ts';
import type { Recipe } from './recipe.ts';

export const recipes: readonly Recipe[] = [
  ...classifiers,
  ownClassifier,
  earlyStop,
  bag,
  fineTune,
  charLstmRecipe,
  addition,
  spokenDigits,
  spokenDigitsBySpeaker,
  ...smallTables,
];

export function findRecipe(command: string, name: string): Recipe {
  const names = recipes.map((recipe) => recipe.name);
  const found = recipes.find((recipe) => recipe.name === name);
  if (found === undefined) throw new UsageError(command, `there is no recipe "${name}"`, didYouMean(name, names) ?? `There are ${names.join(', ')}.`);
  return found;
}
