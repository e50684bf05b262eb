/** Mixup (Zhang et al. 2018): examples and their labels are mixed with those of another, x ← λ x + (1 − λ) x′ with λ ~ Beta(α, α). */
import type { Generator } from '../random.ts';
import { inRange, type Transform } from './transform.ts';

export interface MixupOptions {
  /** Shape of the distribution of λ (default 0.2). */
  readonly alpha?: number;
}

/**
 * Mixes every example with one drawn from the whole set; the transforms before it in the list are applied to both. The labels become probabilities,
 * float32 [classes]. The mixing itself is in batch.ts, which sees two examples at once.
 */
export function mixup(options: MixupOptions = {}): Transform {
  inRange('mixup', 'alpha', options.alpha ?? 0.2, 1e-6, Number.POSITIVE_INFINITY);
  return { name: 'mixup', options, apply: (picture) => picture };
}

export const isMixup = ({ name, options }: Transform): boolean => name === 'mixup' && options !== undefined;

/** λ of one example. */
export function mixingShare({ options }: Transform, random: Generator): number {
  const { alpha = 0.2 } = options as MixupOptions;
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
  // With a tiny alpha both may underflow: then one of the two is taken whole.
  return a + b > 0 ? a / (a + b) : random.uniform() < 0.5 ? 0 : 1;
}

/** Gamma(shape, 1) by Marsaglia and Tsang (2000), with their boost for shapes below 1. */
function gamma(shape: number, random: Generator): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
