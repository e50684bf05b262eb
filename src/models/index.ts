/** gradix/models: ready-made nets, untrained. */
export { lenet } from './lenet.ts';
export { lenet5 } from './lenet5.ts';
export { type MlpOptions, mlp } from './mlp.ts';
