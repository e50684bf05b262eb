/** Clipping of gradients, before the optimizer sees them. */
import type { Tensor } from '../tensor/index.ts';
import { mapNamed, type Named } from './rule.ts';

export interface ClipOptions {
  /** Limits the L2 norm of all gradients together (Pascanu et al. 2013): they are scaled by min(1, clipNorm / norm). */
  readonly clipNorm?: number;
  /** Limits each entry to ±clipValue. */
  readonly clipValue?: number;
}

/** √Σ g² over all gradients; scalar. */
export const globalNorm = (gradients: Named): Tensor =>
  Object.values(gradients)
    .map((g) => g.square().sum())
    .reduce((a, b) => a.add(b))
    .sqrt();

export function clipped(gradients: Named, { clipNorm, clipValue }: ClipOptions): Named {
  const bounded = clipValue === undefined ? gradients : mapNamed(gradients, (g) => g.clip(-clipValue, clipValue));
  if (clipNorm === undefined || Object.keys(bounded).length === 0) return bounded;
  const scale = globalNorm(bounded).add(1e-6).reciprocal().mul(clipNorm).minimum(1); // the 1e-6 keeps a zero gradient finite
  return mapNamed(bounded, (g) => g.mul(scale));
}
