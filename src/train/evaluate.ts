/** evaluate: a model's loss and metrics on a dataset. predict: its outputs. */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Dataset } from '../data/dataset.ts';
import { loader } from '../data/loader.ts';
import type { Loss, LossName } from '../nn/index.ts';
import { compile, Tensor, tensor } from '../tensor/index.ts';
import { type Metric, type MetricName, type MetricValue, resolveMetrics } from './metrics.ts';
import { addReport, batchStep, figures, inMode, type Model, newTotals, type Report, readReports, resolveLoss, yieldToEvents } from './step.ts';

export interface EvaluateOptions {
  readonly loss?: Loss | LossName;
  readonly metrics?: readonly (MetricName | Metric)[];
  /** Default: near 250, dividing the dataset evenly where possible (a smaller last batch is a program of its own). */
  readonly batchSize?: number;
}

/** How long the loop runs before it lets events have their turn, milliseconds. */
export const breath = 25;

/** A batch size near 250 that leaves no smaller last batch, where there is one. */
export function evenBatchSize(length: number): number {
  if (length <= 256) return length;
  for (let size = 256; size >= 64; size--) if (length % size === 0) return size;
  return 250;
}

/** Prepares evaluation once for repeated use on the same dataset. */
export function evaluator(operation: string, model: Model, dataset: Dataset, options: EvaluateOptions): () => Promise<Record<string, MetricValue>> {
  const metrics = resolveMetrics(operation, options.metrics ?? []);
  const loss = options.loss === undefined ? undefined : resolveLoss(operation, options.loss);
  if (loss === undefined && metrics.length === 0) fail('argument', operation, 'there is nothing to measure', "Pass metrics: ['accuracy'] or a loss.");
  const step = batchStep({ operation, model, dataset, loss, metrics });
  const measure = async () => {
    const batches = loader(dataset, { batchSize: options.batchSize ?? evenBatchSize(dataset.length) });
    const totals = newTotals(metrics);
    let reports: Report[] = [];
    const drain = async () => {
      for (const [i, values] of (await readReports(reports)).entries()) addReport(totals, values, reports[i].size, step.lengths);
      reports = [];
      await yieldToEvents();
    };
    let last = performance.now();
    for await (const batch of batches.raw()) {
      reports.push({ tensor: step.run(batch), size: batch.size, batch: 0 });
      if (performance.now() - last < breath) continue;
      await drain();
      last = performance.now();
    }
    await drain();
    const { loss: meanLoss, ...rest } = figures(totals, metrics);
    return loss ? { loss: meanLoss, ...rest } : rest;
  };
  return () => inMode(model, false, measure);
}

/**
 * The loss (when one is given) and metrics of a model on a dataset, in evaluation mode.
 * `await evaluate(model, mnist.test, { metrics: ['accuracy'] }) // { accuracy: 0.99 }`
 */
export async function evaluate(model: Model, dataset: Dataset, options: EvaluateOptions = {}): Promise<Record<string, MetricValue>> {
  return evaluator('evaluate', model, dataset, options)();
}

/** The model's outputs [n, …] for inputs [n, …] (a tensor, or the first field of a dataset), in evaluation mode, in batches. */
export async function predict(model: Model, inputs: Tensor | Dataset, { batchSize }: { readonly batchSize?: number } = {}): Promise<Tensor> {
  const [count, shape, dtype] =
    inputs instanceof Tensor ? [inputs.shape[0], inputs.shape.slice(1), inputs.dtype] : [inputs.length, inputs.fields[0].shape, inputs.fields[0].dtype];
  if (inputs instanceof Tensor && inputs.rank < 1) fail('shape', 'predict', `expected inputs [examples, …], got ${showShape(inputs.shape)}`);
  if (count === 0) fail('data', 'predict', 'there are no examples');
  const all = inputs instanceof Tensor ? await inputs.data() : undefined;
  const step = compile((x: Tensor) => model.apply(x));
  const size = batchSize ?? evenBatchSize(count);
  const parts: Tensor[] = [];
  for (let start = 0; start < count; start += size) {
    const rows = Math.min(size, count - start);
    const values = all ? all.subarray(start * sizeOf(shape), (start + rows) * sizeOf(shape)) : await firstField(inputs as Dataset, start, rows);
    const x = tensor(values, { shape: [rows, ...shape], dtype });
    parts.push(await inMode(model, false, () => step(x)).realize());
  }
  return join(parts, count);
}

async function firstField(dataset: Dataset, start: number, rows: number): Promise<TypedArray> {
  return (await dataset.read(Int32Array.from({ length: rows }, (_, i) => start + i)))[0];
}

async function join(parts: readonly Tensor[], count: number): Promise<Tensor> {
  if (parts.length === 1) return parts[0];
  const shape: Shape = [count, ...parts[0].shape.slice(1)];
  const joined = newArray(parts[0].dtype, sizeOf(shape));
  let at = 0;
  for (const part of parts) {
    const values = await part.data();
    joined.set(values, at);
    at += values.length;
  }
  return tensor(joined, { shape, dtype: parts[0].dtype });
}
