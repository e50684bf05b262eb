/** Metrics of models that predict numbers. Letters: n examples of a batch, K numbers per example. */
import { sizeOf } from '../../core/shape.ts';
import { concat, full, type Tensor } from '../../tensor/index.ts';
import { checkSameShapes, type Metric } from './metric.ts';

const meanOf = (name: string, measure: (error: Tensor) => Tensor): Metric => ({
  name,
  better: 'lower',
  measure(outputs, targets) {
    checkSameShapes(name, outputs, targets);
    return measure(outputs.sub(targets.cast(outputs.dtype)))
      .mean()
      .mul(outputs.shape[0]);
  },
  result: (sums, examples) => sums[0] / examples,
});

/** The mean of (output − target)² over all numbers. */
export const meanSquaredError = (): Metric => meanOf('meanSquaredError', (error) => error.square());

/** The mean of |output − target| over all numbers. */
export const meanAbsoluteError = (): Metric => meanOf('meanAbsoluteError', (error) => error.abs());

/**
 * R² = 1 − Σ (target − output)² / Σ (target − mean target)², the mean over the K numbers. Each batch gives its targets' mean and squared deviations, which
 * are put together by the pairwise formula (Chan, Golub & LeVeque 1983): sums of squares alone would cancel. Not a number where all targets are equal.
 */
export const rSquared = (): Metric => ({
  name: 'rSquared',
  combine: 'collect',
  measure(outputs, targets) {
    checkSameShapes('rSquared', outputs, targets);
    const [n, k] = [outputs.shape[0], sizeOf(outputs.shape.slice(1))];
    const y = targets.cast(outputs.dtype).reshape([n, k]);
    const mean = y.mean({ axis: 0, keepDims: true });
    const deviations = y.sub(mean).square().sum({ axis: 0 });
    const errors = y
      .sub(outputs.reshape([n, k]))
      .square()
      .sum({ axis: 0 });
    const number = (value: number): Tensor => full([1], value, { dtype: outputs.dtype });
    return concat([number(n), number(k), mean.reshape([k]), deviations, errors]); // [2 + 3 K]
  },
  result(rows) {
    const k = rows[1];
    const total = Array.from({ length: k }, () => ({ count: 0, mean: 0, deviations: 0, errors: 0 }));
    for (let at = 0; at < rows.length; at += 2 + 3 * k) {
      const n = rows[at];
      total.forEach((one, i) => {
        const [mean, deviations, errors] = [rows[at + 2 + i], rows[at + 2 + k + i], rows[at + 2 + 2 * k + i]];
        const [apart, count] = [mean - one.mean, one.count + n];
        one.deviations += deviations + (apart * apart * one.count * n) / count;
        one.mean += (apart * n) / count;
        one.errors += errors;
        one.count = count;
      });
    }
    return total.reduce((sum, { errors, deviations }) => sum + (deviations === 0 ? Number.NaN : 1 - errors / deviations), 0) / k;
  },
});
