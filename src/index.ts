/** gradix: tensors, gradients and compilation; layers, optimizers, data, models and training beside them. */

export * as data from './data/index.ts';
export * as io from './io/index.ts';
export { load, save } from './io/index.ts';
export * as models from './models/index.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export * from './tensor/index.ts';
export * as train from './train/index.ts';
export { confusionMatrix, earlyStopping, evaluate, fit, predict, progress } from './train/index.ts';
