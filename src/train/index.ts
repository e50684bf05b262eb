/** gradix/train: the training loop, evaluation, prediction and callbacks. */
export type { Callback, Checkpoint, EpochRecord, Run, StopReason } from './callback.ts';
export { type CheckpointOptions, checkpoint, hasCheckpoint, loadCheckpoint } from './checkpoint.ts';
export { type EarlyStoppingOptions, earlyStopping } from './early-stopping.ts';
export { type EvaluateOptions, evaluate, predict } from './evaluate.ts';
export { type FitOptions, fit, type History } from './fit.ts';
export {
  accuracy,
  areaUnderCurve,
  binaryAccuracy,
  confusionMatrix,
  f1,
  type Metric,
  type MetricName,
  type MetricsOption,
  type MetricValue,
  meanAbsoluteError,
  meanSquaredError,
  type PerplexityOptions,
  type PrecisionRecallOptions,
  perplexity,
  precision,
  recall,
  rSquared,
  topKAccuracy,
} from './metrics/index.ts';
export type { Model } from './objective.ts';
export { type ProgressOptions, progress } from './progress.ts';
