/** gradix/data: datasets and the batches that training takes from them. */
export { type ArrayLikeData, fromArrays } from './arrays.ts';
export { Dataset, type Field, type Rows, type Source, type SplitOptions } from './dataset.ts';
export { type DigitsOptions, digits } from './digits.ts';
export { readIdx } from './files.ts';
export { encodeIdx, type IdxArray, parseIdx } from './idx.ts';
export { type Batch, type Loader, type LoaderOptions, type LoaderState, loader } from './loader.ts';
export { hasMnist, mnist, type TrainAndTest } from './mnist.ts';
