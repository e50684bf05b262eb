/** Clipping of gradients, before the optimizer sees them: by value, by each parameter's norm, by the norm of all, in this order. */
import type { Tensor } from '../tensor/index.ts';
import { mapNamed, type Named } from './rule.ts';

export interface ClipOptions {
  /** Limits the L2 norm of all gradients together (Pascanu et al. 2013): they are scaled by min(1, clipNorm / norm). */
  readonly clipNorm?: number;
  /** Limits each entry to ±clipValue. */
  readonly clipValue?: number;
  /** Limits the L2 norm of each parameter's gradient by itself. */
  readonly clipParameterNorm?: number;
}

/** √Σ g² over all gradients; scalar. */
export const globalNorm = (gradients: Named): Tensor =>
  Object.values(gradients)
    .map((g) => g.square().sum())
    .reduce((a, b) => a.add(b))
    .sqrt();

/** min(1, limit / norm); the 1e-6 keeps a zero gradient finite. */
const scaleFor = (norm: Tensor, limit: number): Tensor => norm.add(1e-6).reciprocal().mul(limit).minimum(1);

export function clipped(gradients: Named, { clipNorm, clipValue, clipParameterNorm }: ClipOptions): Named {
  const bounded = clipValue === undefined ? gradients : mapNamed(gradients, (g) => g.clip(-clipValue, clipValue));
  const single = clipParameterNorm === undefined ? bounded : mapNamed(bounded, (g) => g.mul(scaleFor(g.square().sum().sqrt(), clipParameterNorm)));
  if (clipNorm === undefined || Object.keys(single).length === 0) return single;
  const scale = scaleFor(globalNorm(single), clipNorm);
  return mapNamed(single, (g) => g.mul(scale.cast(g.dtype)));
}
