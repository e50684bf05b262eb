/** gradix/optim: optimizers as pure rules, the Optimizer that applies them to variables, schedules, averages of weights. */
export { adaMax, adaMaxRule } from './ada-max.ts';
export { type AdadeltaOptions, adadelta, adadeltaRule } from './adadelta.ts';
export { type AdagradOptions, adagrad, adagradRule } from './adagrad.ts';
export { type AdamOptions, type AmsgradOptions, adam, adamRule, amsgrad } from './adam.ts';
export { adamW, adamWRule } from './adam-w.ts';
export { type ClipOptions, clipped, globalNorm } from './clip.ts';
export type { Constraints, ParameterGroup } from './groups.ts';
export { type LbfgsOptions, lbfgs, lbfgsRule } from './lbfgs.ts';
export { type LbfgsMinimizeOptions, type LbfgsResult, lbfgsMinimize } from './lbfgs-minimize.ts';
export { type LionOptions, lion, lionRule } from './lion.ts';
export { type NadamOptions, nadam, nadamRule } from './nadam.ts';
export { type CommonOptions, Optimizer, type Trainable } from './optimizer.ts';
export { type Plateau, type PlateauOptions, type PlateauState, reduceOnPlateau } from './plateau.ts';
export { type RmsPropOptions, rmsProp, rmsPropRule } from './rms-prop.ts';
export { mapNamed, type Named, perParameter, type Rule, type SlotShapes, type State, type Update } from './rule.ts';
export {
  type CosineOptions,
  cosineDecay,
  exponentialDecay,
  type OneCycleOptions,
  oneCycle,
  polynomialDecay,
  type Schedule,
  scheduleAt,
  stepDecay,
  warmUp,
} from './schedule.ts';
export { type SgdOptions, sgd, sgdRule } from './sgd.ts';
export { type AverageOptions, WeightAverage, weightAverage } from './weight-average.ts';
