/** gradix/search: search for hyper-parameters by grid, at random or by TPE, with pruning, in one process or many. */
export { importance } from './importance.ts';
export { type Curve, type MedianPruningOptions, medianPruning, type Pruner } from './pruning.ts';
export { type GridOptions, grid, type Observation, randomSearch, type Sampler } from './sampler.ts';
export {
  boolean,
  type Choice,
  checkSpace,
  choice,
  type Integer,
  integer,
  type LogUniform,
  logUniform,
  type Parameter,
  type Space,
  type Truth,
  type Uniform,
  uniform,
  type Value,
  type Values,
} from './space.ts';
export type { TrialRecord, TrialState } from './storage.ts';
export { createStudy, type Direction, type Objective, type OptimizeOptions, type Study, type StudyOptions, type StudyTrial, type Trial } from './study.ts';
export { type TpeOptions, tpe } from './tpe.ts';
