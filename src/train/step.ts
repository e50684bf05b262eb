/** The compiled steps of training and evaluation: each batch is one program that returns one small vector, its report. */
import type { TypedArray } from '../core/dtype.ts';
import { sizeOf } from '../core/shape.ts';
import type { Dataset } from '../data/dataset.ts';
import { decoded, type RawBatch } from '../data/loader.ts';
import type { Optimizer } from '../optim/index.ts';
import { adopt } from '../tensor/adopt.ts';
import { compile, concat, type Tensor, zeros } from '../tensor/index.ts';
import { type AnomalyWatch, watchAnomalies } from './anomaly.ts';
import type { HeadMetric, MetricValue } from './metrics/index.ts';
import { labelCheck, lossesOf, type Model, type Objective, outputsOf, probeOutputs } from './objective.ts';

/** What batches have added up to: losses weighted by the batch's size, and the numbers of every metric. */
export interface Totals {
  examples: number;
  /** The total loss and, with several heads, each head's. */
  losses: number[];
  numbers: number[][];
}

export const newTotals = (objective: Objective, metrics: readonly HeadMetric[]): Totals => ({
  examples: 0,
  losses: lossNames(objective).map(() => 0),
  numbers: metrics.map(() => []),
});

/** `loss`, and with several heads `kindLoss`, … */
const lossNames = ({ heads }: Objective): readonly string[] => ['loss', ...(heads.length > 1 ? heads.map(({ name }) => `${name}Loss`) : [])];

/** The figures so far: the mean losses and every metric; with `all` also those that are for the end of an epoch. */
export function figuresOf(objective: Objective, totals: Totals, metrics: readonly HeadMetric[], all: boolean): Record<string, MetricValue> {
  const entries: (readonly [string, MetricValue])[] = lossNames(objective).map((name, i) => [name, totals.losses[i] / totals.examples]);
  metrics.forEach((metric, m) => {
    if (all || !metric.atEnd) entries.push([metric.name, metric.result(totals.numbers[m], totals.examples)]);
  });
  return Object.fromEntries(entries);
}

/** A batch's report on its way. */
export interface Report {
  readonly tensor: Tensor;
  readonly size: number;
  /** The number of the batch in its epoch, from 1. */
  readonly batch: number;
}

/** A batch's program. The model must be in the right mode: training with an optimizer, else evaluation. */
export interface BatchStep {
  readonly objective: Objective;
  run(batch: RawBatch): Tensor;
  /** Adds a report to the totals: [losses, …numbers of the first metric, …of the second, …]. */
  add(totals: Totals, report: ArrayLike<number>, size: number): void;
  /** What was not finite in a report, in words, where anomalies are watched. */
  anomalyIn(report: ArrayLike<number>, size: number): string | undefined;
}

export interface StepOptions {
  readonly operation: string;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly objective: Objective;
  readonly metrics: readonly HeadMetric[];
  /** With an optimizer the step trains. */
  readonly optimizer?: Optimizer;
  readonly detectAnomaly?: boolean;
}

/** The layout of a report, known once a step of the batch size has been recorded. */
interface Layout {
  /** How many numbers each metric has. */
  readonly lengths: readonly number[];
  /** How many flags come last. */
  readonly flags: number;
  readonly explain: AnomalyWatch['explain'] | undefined;
}

/** A compiled step for batches of a dataset: one program per batch size. */
export function batchStep({ operation, model, dataset, objective, metrics, optimizer, detectAnomaly = false }: StepOptions): BatchStep {
  const { fields: used, heads, inputs } = objective;
  const losses = lossNames(objective).length;
  const layouts = new Map<number, Layout>();
  /** The fields of all examples, where batches are rows of them. */
  const kept = new Map<number, { readonly values: TypedArray; readonly tensor: Tensor }>();
  const whole = (values: TypedArray, number: number): Tensor => {
    const known = kept.get(number);
    if (known?.values === values) return known.tensor;
    const tensor = fieldTensor(dataset, number, values);
    kept.set(number, { values, tensor });
    return tensor;
  };
  const step = compile((rows: Tensor | undefined, ...stored: Tensor[]): Tensor => {
    const fields = new Map(stored.map((value, i) => [used[i], decoded(rows ? value.take(rows) : value, dataset.fields[used[i]])]));
    const given = inputs.map((i) => fields.get(i) as Tensor);
    const watching = detectAnomaly ? watchAnomalies(model) : undefined;
    const forward = () => outputsOf(operation, model.apply(...given), heads);
    const outputs = watching ? watching.listen(forward) : forward();
    const known = heads.every(({ loss }) => loss !== undefined);
    const { total, parts } = known ? lossesOf(operation, objective, outputs, fields) : { total: zeros([], { dtype: outputs[0].dtype }), parts: [] };
    const watch = watching?.after(total, given, optimizer);
    if (!watch) optimizer?.minimize(total, model);
    const measured = metrics.map((metric) => metric.measure(outputs[metric.head], fields.get(heads[metric.head].field) as Tensor));
    layouts.set(given[0].shape[0], { lengths: measured.map(({ shape }) => sizeOf(shape)), flags: watch?.flags.size ?? 0, explain: watch?.explain });
    const pieces = [total, ...(losses > 1 ? parts : []), ...measured, ...(watch ? [watch.flags] : [])];
    return concat(pieces.map((piece) => piece.cast(total.dtype).reshape([piece.size])));
  });
  const check = labelCheck(operation, objective, dataset.fields, probeOutputs(operation, model, dataset, objective));
  return {
    objective,
    run({ size, arrays, rows }) {
      check(arrays, rows);
      if (!rows) return step(undefined, ...used.map((i) => fieldTensor(dataset, i, arrays[i])));
      return step(adopt(rows, [size], 'int32'), ...used.map((i) => whole(arrays[i], i)));
    },
    add(totals, report, size) {
      const { lengths } = layouts.get(size) as Layout;
      totals.examples += size;
      let at = 0;
      for (; at < losses; at++) totals.losses[at] += report[at] * size;
      lengths.forEach((length, m) => {
        const numbers = totals.numbers[m];
        if (metrics[m].combine === 'collect') for (let i = 0; i < length; i++) numbers.push(report[at++]);
        else for (let i = 0; i < length; i++) numbers[i] = (numbers[i] ?? 0) + report[at++];
      });
    },
    anomalyIn(report, size) {
      const { explain, flags } = layouts.get(size) as Layout;
      return explain?.(Array.from(report).slice(report.length - flags));
    },
  };
}

/** Values of a field [examples, …shape] in its stored form. */
function fieldTensor(dataset: Dataset, number: number, values: TypedArray): Tensor {
  const { shape, dtype, stored } = dataset.fields[number];
  return adopt(values, [values.length / Math.max(1, sizeOf(shape)), ...shape], stored?.dtype ?? dtype);
}

/** Reads the reports of several batches; every value is there once the last one is. */
export async function readReports(reports: readonly Report[]): Promise<TypedArray[]> {
  await reports.at(-1)?.tensor.realize();
  const values: TypedArray[] = [];
  for (const { tensor } of reports) values.push(tensor.device === 'webgpu' ? await tensor.data() : tensor.dataSync());
  return values;
}
