/** The metrics, and the same by name. */
import { didYouMean, fail } from '../../core/errors.ts';
import { areaUnderCurve } from './area-under-curve.ts';
import { accuracy, binaryAccuracy, confusionMatrix, topKAccuracy } from './classification.ts';
import type { Metric } from './metric.ts';
import { perplexity } from './perplexity.ts';
import { f1, precision, recall } from './precision-recall.ts';
import { meanAbsoluteError, meanSquaredError, rSquared } from './regression.ts';

export { areaUnderCurve } from './area-under-curve.ts';
export { accuracy, binaryAccuracy, confusionMatrix, topKAccuracy } from './classification.ts';
export type { Metric, MetricValue } from './metric.ts';
export { type PerplexityOptions, perplexity } from './perplexity.ts';
export { f1, type PrecisionRecallOptions, precision, recall } from './precision-recall.ts';
export { meanAbsoluteError, meanSquaredError, rSquared } from './regression.ts';

/** The metrics that can be named, with their default options. */
const byName = {
  accuracy,
  binaryAccuracy,
  top5Accuracy: topKAccuracy,
  precision,
  recall,
  f1,
  areaUnderCurve,
  confusionMatrix,
  meanSquaredError,
  meanAbsoluteError,
  rSquared,
  perplexity,
} satisfies Record<string, () => Metric>;
export type MetricName = keyof typeof byName;

/** Names and metrics, for the one output of a model, or by output. */
export type MetricsOption = readonly (MetricName | Metric)[] | Readonly<Record<string, readonly (MetricName | Metric)[]>>;

/** A metric, and the number of the model's output that it measures. */
export interface HeadMetric extends Metric {
  readonly head: number;
}

function fromName(operation: string, metric: MetricName | Metric): Metric {
  if (typeof metric !== 'string') return metric;
  const names = Object.keys(byName);
  if (!Object.hasOwn(byName, metric))
    fail('argument', operation, `there is no metric "${String(metric)}"`, didYouMean(metric, names) ?? `It has ${names.join(', ')}.`);
  return byName[metric]();
}

/** Metrics from names and objects. Those of outputs with names get them in front: `kindAccuracy`. */
export function resolveMetrics(operation: string, given: MetricsOption, heads: readonly string[]): HeadMetric[] {
  const ofHead = (list: readonly (MetricName | Metric)[], head: number, named: boolean): HeadMetric[] =>
    list.map((one) => {
      const metric = fromName(operation, one);
      return { ...metric, name: named ? `${heads[head]}${capital(metric.name)}` : metric.name, head };
    });
  const isList = (value: MetricsOption): value is readonly (MetricName | Metric)[] => Array.isArray(value);
  if (isList(given) && heads.length > 1 && given.length > 0)
    fail(
      'argument',
      operation,
      `the model has ${heads.length} outputs (${heads.join(', ')}), so metrics go by output`,
      `Pass metrics: { ${heads[0]}: [...] }.`,
    );
  const metrics = isList(given)
    ? ofHead(given, 0, false)
    : Object.entries(given).flatMap(([name, list]) => {
        const head = heads.indexOf(name);
        if (head < 0)
          fail('argument', operation, `metrics name the output ${name}, but the loss does not`, didYouMean(name, heads) ?? `It has ${heads.join(', ')}.`);
        return ofHead(list, head, heads.length > 1);
      });
  const twice = metrics.find(({ name }, i) => metrics.findIndex((other) => other.name === name) !== i);
  if (twice) fail('argument', operation, `the metric ${twice.name} is given twice`);
  return metrics;
}

const capital = (name: string): string => `${name[0].toUpperCase()}${name.slice(1)}`;

/** `accuracy` → `valAccuracy` */
export const validationName = (name: string): string => `val${capital(name)}`;
