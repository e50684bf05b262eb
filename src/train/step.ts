/** The compiled steps of training and evaluation: each batch is one program that returns one small vector, its report. */
import { isFloating, type TypedArray } from '../core/dtype.ts';
import { didYouMean, fail } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Dataset } from '../data/dataset.ts';
import { decoded, type RawBatch, toStoredTensors } from '../data/loader.ts';
import { checkLabels, type Loss, type LossName, losses } from '../nn/index.ts';
import type { Optimizer } from '../optim/index.ts';
import { compile, concat, type Tensor, type Variable, zeros } from '../tensor/index.ts';
import type { Metric, MetricValue } from './metrics.ts';

/** What can be trained: nn.Module with one input and one output. */
export interface Model {
  apply(x: Tensor): Tensor;
  readonly training: boolean;
  train(mode?: boolean): unknown;
  trainableParameters(): Readonly<Record<string, Variable>>;
  stateDict(): Readonly<Record<string, Tensor>>;
  loadStateDict(state: Readonly<Record<string, Tensor>>): unknown;
}

export function resolveLoss(operation: string, loss: Loss | LossName | undefined): Loss {
  if (typeof loss === 'function') return loss;
  const names = Object.keys(losses);
  if (loss === undefined) fail('argument', operation, 'there is no loss', "Pass loss: 'crossEntropy', say, or a function (outputs, targets) => scalar.");
  if (!Object.hasOwn(losses, loss)) fail('argument', operation, `there is no loss "${String(loss)}"`, didYouMean(loss, names) ?? `It has ${names.join(', ')}.`);
  return losses[loss] as Loss;
}

/** The shape of the model's output for one example, without computing anything. Makes the parameters of layers that wait for their first call. */
export function probeOutput(operation: string, model: Model, dataset: Dataset): Shape {
  if (dataset.length === 0) fail('data', operation, 'the dataset has no examples');
  if (dataset.fields.length < 2)
    fail('data', operation, `the dataset has only the field ${dataset.fields[0]?.name}, but training needs inputs and targets`, 'Use fromArrays(x, y).');
  const [{ shape, dtype }] = dataset.fields;
  return inMode(model, false, () => model.apply(zeros([1, ...shape], { dtype })).shape.slice(1));
}

/** Runs `body` with the model in training or evaluation mode. */
export function inMode<T>(model: Model, training: boolean, body: () => T): T {
  const before = model.training;
  const back = () => void model.train(before);
  model.train(training);
  try {
    const result = body();
    if (result instanceof Promise) return result.finally(back) as T;
    back();
    return result;
  } catch (error) {
    back();
    throw error;
  }
}

/** Sums over batches: of losses, weighted by the batch's size, and of every metric. */
export interface Totals {
  examples: number;
  loss: number;
  sums: number[][];
}

export const newTotals = (metrics: readonly Metric[]): Totals => ({ examples: 0, loss: 0, sums: metrics.map(() => []) });

/** Adds a batch's report: [loss, …sums of the first metric, …of the second, …]. */
export function addReport(totals: Totals, report: ArrayLike<number>, size: number, lengths: readonly number[]): void {
  totals.examples += size;
  totals.loss += report[0] * size;
  let at = 1;
  lengths.forEach((length, m) => {
    const sums = totals.sums[m];
    for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + report[at++];
  });
}

/** The figures so far: the mean loss and every metric. */
export const figures = (totals: Totals, metrics: readonly Metric[]): Record<string, MetricValue> => ({
  loss: totals.loss / totals.examples,
  ...Object.fromEntries(metrics.map((metric, m) => [metric.name, metric.result(totals.sums[m], totals.examples)])),
});

/** A batch's program. `lengths` says how many numbers of the report each metric has, once it has been recorded. */
export interface BatchStep {
  readonly lengths: readonly number[];
  /** The model must be in the right mode: training with an optimizer, else evaluation. */
  run(batch: RawBatch): Tensor;
}

export interface StepOptions {
  readonly operation: string;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly loss: Loss | undefined;
  readonly metrics: readonly Metric[];
  /** With an optimizer the step trains. */
  readonly optimizer?: Optimizer;
}

/** A compiled step for batches of a dataset: one program per batch size. Checks class labels before they reach the device. */
export function batchStep({ operation, model, dataset, loss, metrics, optimizer }: StepOptions): BatchStep {
  const lengths: number[] = [];
  const [input, target] = dataset.fields;
  const step = compile((storedX: Tensor, storedY: Tensor): Tensor => {
    const [x, y] = [decoded(storedX, input), decoded(storedY, target)];
    const outputs = model.apply(x);
    const value = loss?.(outputs, y) ?? zeros([], { dtype: outputs.dtype });
    if (value.rank !== 0) fail('shape', operation, `the loss must be a scalar, got [${value.shape.join(', ')}]`, 'Use mean() or sum().');
    optimizer?.minimize(value, model);
    const parts = metrics.map((metric) => metric.measure(outputs, y));
    parts.forEach((part, m) => {
      lengths[m] = sizeOf(part.shape);
    });
    return concat([value.reshape([1]), ...parts.map((part) => part.cast(value.dtype).reshape([part.size]))]);
  });
  const outputShape = probeOutput(operation, model, dataset);
  const classes =
    loss === losses.crossEntropy && !isFloating(target.dtype) && sizeOf(target.shape) === sizeOf(outputShape.slice(0, -1))
      ? outputShape[outputShape.length - 1]
      : undefined;
  return {
    lengths,
    run(batch) {
      if (classes !== undefined) checkLabels(batch.arrays[1] as TypedArray, classes, operation);
      const [x, y] = toStoredTensors(dataset, batch);
      return step(x, y);
    },
  };
}

type Immediate = (callback: () => void) => unknown;
const soon: Immediate = (globalThis as { setImmediate?: Immediate }).setImmediate ?? ((callback) => setTimeout(callback, 0));

/** Lets timers, input and signals have their turn. */
export const yieldToEvents = (): Promise<void> => new Promise((resolve) => soon(resolve));

export interface Report {
  readonly tensor: Tensor;
  readonly size: number;
  readonly batch: number;
}

/** Reads the reports of several batches; every value is there once the last one is. */
export async function readReports(reports: readonly Report[]): Promise<TypedArray[]> {
  await reports.at(-1)?.tensor.realize();
  const values: TypedArray[] = [];
  for (const { tensor } of reports) values.push(tensor.device === 'webgpu' ? await tensor.data() : tensor.dataSync());
  return values;
}
