/** The recipes of `gradix train`: a net, an optimizer, and the options that give its published figure. */
import { didYouMean } from '../core/errors.ts';
import { lenet, lenet5, mlp } from '../models/index.ts';
import type { Sequential } from '../nn/index.ts';
import { adam, type Optimizer, sgd } from '../optim/index.ts';
import { UsageError } from './arguments.ts';

export interface Recipe {
  readonly name: string;
  readonly summary: string;
  readonly model: () => Sequential;
  readonly optimizer: (learningRate: number) => Optimizer;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

export const recipes: readonly Recipe[] = [
  {
    name: 'lenet',
    summary: 'three convolutions with batch normalisation, 180,880 parameters; SGD with momentum',
    model: () => lenet(),
    optimizer: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
    epochs: 3,
    batchSize: 32,
    learningRate: 0.01,
  },
  {
    name: 'lenet5',
    summary: 'LeNet-5 (1998) in its modern form, 61,706 parameters; Adam',
    model: () => lenet5(),
    optimizer: (learningRate) => adam({ learningRate }),
    epochs: 5,
    batchSize: 64,
    learningRate: 0.001,
  },
  {
    name: 'mlp',
    summary: 'one hidden layer of 256 units, 203,530 parameters; Adam',
    model: () => mlp({ hidden: [256] }),
    optimizer: (learningRate) => adam({ learningRate }),
    epochs: 5,
    batchSize: 64,
    learningRate: 0.001,
  },
];

export function findRecipe(command: string, name: string): Recipe {
  const names = recipes.map((recipe) => recipe.name);
  const found = recipes.find((recipe) => recipe.name === name);
  if (found === undefined) throw new UsageError(command, `there is no recipe "${name}"`, didYouMean(name, names) ?? `There are ${names.join(', ')}.`);
  return found;
}
