/** evaluate: a model's loss and metrics on a dataset. predict: its outputs. */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { turn } from '../core/turn.ts';
import { Dataset, range } from '../data/dataset.ts';
import { loader } from '../data/loader.ts';
import { adoptsInPlace } from '../tensor/adopt.ts';
import { compile, Tensor, tensor } from '../tensor/index.ts';
import { type MetricsOption, type MetricValue, resolveMetrics } from './metrics/index.ts';
import { inMode, inputNumbers, type Model, type ObjectiveOptions, type Outputs, resolveObjective } from './objective.ts';
import { batchStep, figuresOf, newTotals, type Report, readReports } from './step.ts';

export interface EvaluateOptions extends Omit<ObjectiveOptions, 'classWeights'> {
  readonly metrics?: MetricsOption;
  /** Default: near 250, dividing the dataset evenly where possible (a smaller last batch is a program of its own). */
  readonly batchSize?: number;
  /** Measures the first so many batches only. */
  readonly limitBatches?: number;
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
export function evaluator(operation: string, model: Model, whole: Dataset, options: EvaluateOptions): () => Promise<Record<string, MetricValue>> {
  const { limitBatches, batchSize = evenBatchSize(whole.length) } = options;
  const dataset = limitBatches === undefined ? whole : whole.take(Math.min(whole.length, limitBatches * batchSize));
  const objective = resolveObjective(operation, dataset, options);
  const names = objective.heads.map(({ name }) => name);
  const metrics = resolveMetrics(operation, options.metrics ?? [], names);
  if (options.loss === undefined && metrics.length === 0) fail('argument', operation, 'there is nothing to measure', "Pass metrics: ['accuracy'] or a loss.");
  const step = batchStep({ operation, model, dataset, objective, metrics });
  const measure = async () => {
    const batches = loader(dataset, { batchSize });
    const totals = newTotals(objective, metrics);
    let reports: Report[] = [];
    const drain = async () => {
      for (const [i, values] of (await readReports(reports)).entries()) step.add(totals, values, reports[i].size);
      reports = [];
      await turn();
    };
    let last = performance.now();
    for await (const batch of batches.raw({ inPlace: adoptsInPlace() })) {
      reports.push({ tensor: step.run(batch), size: batch.size, batch: 0 });
      if (performance.now() - last < breath) continue;
      await drain();
      last = performance.now();
    }
    await drain();
    const { loss, ...rest } = figuresOf(objective, totals, metrics, true);
    return options.loss === undefined ? rest : { loss, ...rest };
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

export interface PredictOptions {
  /** Default: near 250. */
  readonly batchSize?: number;
  /** Of a dataset: the names of the fields that go into the model (default: the first). */
  readonly inputs?: readonly string[];
}

/** The model's outputs [n, …] for inputs [n, …] (a tensor, one per input of the model, or fields of a dataset), in evaluation mode, in batches. */
export async function predict<M extends Pick<Model, 'apply' | 'training' | 'train'>>(
  model: M,
  inputs: Tensor | readonly Tensor[] | Dataset,
  { batchSize, inputs: names }: PredictOptions = {},
): Promise<ReturnType<M['apply']>> {
  const source =
    inputs instanceof Dataset ? fieldsOf(inputs, inputNumbers('predict', inputs, names)) : await tensorsOf(inputs instanceof Tensor ? [inputs] : inputs);
  const { count } = source;
  if (count === 0) fail('data', 'predict', 'there are no examples');
  const step = compile((...given: Tensor[]): Outputs => model.apply(...given));
  const size = batchSize ?? evenBatchSize(count);
  const parts: Outputs[] = [];
  for (let start = 0; start < count; start += size) {
    const given = await source.read(start, Math.min(size, count - start));
    const outputs = inMode(model, false, () => step(...given));
    for (const output of listOf(outputs)) await output.realize();
    parts.push(outputs);
  }
  const [first] = parts;
  const joined: Tensor[] = [];
  for (const i of listOf(first).keys()) joined.push(await join(parts.map((part) => listOf(part)[i])));
  const whole =
    first instanceof Tensor ? joined[0] : Array.isArray(first) ? joined : Object.fromEntries(Object.keys(first).map((name, i) => [name, joined[i]]));
  return whole as ReturnType<M['apply']>;
}

const listOf = (outputs: Outputs): readonly Tensor[] => (outputs instanceof Tensor ? [outputs] : Object.values(outputs));

/** Inputs to be read in batches. */
interface Inputs {
  readonly count: number;
  read(start: number, rows: number): Promise<Tensor[]>;
}

const fieldsOf = (dataset: Dataset, numbers: readonly number[]): Inputs => ({
  count: dataset.length,
  async read(start, rows) {
    const all = await dataset.tensors(range(start, start + rows));
    return numbers.map((i) => all[i]);
  },
});

async function tensorsOf(inputs: readonly Tensor[]): Promise<Inputs> {
  const bad = inputs.find(({ rank, shape }) => rank < 1 || shape[0] !== inputs[0].shape[0]);
  if (bad) fail('shape', 'predict', `expected inputs [examples, …] of equally many examples, got ${inputs.map(({ shape }) => showShape(shape)).join(' and ')}`);
  const all: TypedArray[] = [];
  for (const input of inputs) all.push(await input.data());
  return {
    count: inputs[0].shape[0],
    read: async (start, rows) =>
      inputs.map(({ shape: [, ...shape], dtype }, i) => {
        const values = all[i].subarray(start * sizeOf(shape), (start + rows) * sizeOf(shape));
        return tensor(values, { shape: [rows, ...shape], dtype });
      }),
  };
}

/** Batches of an output one after the other. */
async function join(parts: readonly Tensor[]): Promise<Tensor> {
  if (parts.length === 1) return parts[0];
  const shape: Shape = [parts.reduce((sum, part) => sum + part.shape[0], 0), ...parts[0].shape.slice(1)];
  const joined = newArray(parts[0].dtype, sizeOf(shape));
  let at = 0;
  for (const part of parts) {
    const values = await part.data();
    joined.set(values, at);
    at += values.length;
  }
  return tensor(joined, { shape, dtype: parts[0].dtype });
}
