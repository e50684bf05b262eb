/** gradix/optim: optimizers as pure rules, and the Optimizer that applies them to variables. */
export { type AdamOptions, adam, adamRule } from './adam.ts';
export { adamW, adamWRule } from './adam-w.ts';
export { type ClipOptions, clipped, globalNorm } from './clip.ts';
export { type CommonOptions, Optimizer, type Trainable } from './optimizer.ts';
export { type RmsPropOptions, rmsProp, rmsPropRule } from './rms-prop.ts';
export { mapNamed, type Named, perParameter, type Rule, type SlotShapes, type State, type Update } from './rule.ts';
export { type SgdOptions, sgd, sgdRule } from './sgd.ts';
