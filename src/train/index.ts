/** gradix/train: the training loop, evaluation, prediction, metrics and callbacks; search for a learning rate, cross-validation, ensembles. */
export { averageWeights } from './average-weights.ts';
export { type Bag, type BaggingOptions, bagging, bootstrap } from './bagging.ts';
export type { Callback, CallbackState, Checkpoint, EpochRecord, Figures, Run, StopReason } from './callback.ts';
export { type CheckpointOptions, checkpoint, hasCheckpoint, loadCheckpoint } from './checkpoint.ts';
export { type CrossValidateOptions, type CrossValidation, crossValidate, type Fold, type FoldOptions, kFold } from './cross-validation.ts';
export { type CsvLoggerOptions, csvLogger } from './csv-logger.ts';
export { type EarlyStoppingOptions, earlyStopping } from './early-stopping.ts';
export { Ensemble, type EnsembleOptions, ensemble, type Member } from './ensemble.ts';
export { type EvaluateOptions, evaluate, type PredictOptions, predict } from './evaluate.ts';
export type { FeedOptions } from './feed.ts';
export { fit, type History } from './fit.ts';
export type { FitOptions } from './fit-options.ts';
export { lambda } from './lambda.ts';
export { type LearningRateCurve, type LearningRateFinderOptions, type LearningRatePoint, learningRateFinder } from './learning-rate-finder.ts';
export { learningRateMonitor } from './learning-rate-monitor.ts';
export { learningRateScheduler } from './learning-rate-scheduler.ts';
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
export type { HeadLoss, LossOption, Model, ObjectiveOptions, Outputs } from './objective.ts';
export { type ProgressOptions, progress, type TextOutput } from './progress.ts';
export { type ReduceLearningRateOptions, reduceLearningRate } from './reduce-learning-rate.ts';
export { type TensorBoardOptions, tensorBoard } from './tensor-board.ts';
export { type TimeLimitOptions, timeLimit } from './time-limit.ts';
