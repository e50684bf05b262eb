/** Losses of distances between embeddings: contrastive and triplet. Letters: N batch, D size. */
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { type Tensor, where } from '../../tensor/index.ts';
import { checkNumber, checkOptions } from '../options.ts';
import { checkSameShape, type LossOptions, lossOptions, reduced } from './reduction.ts';

export interface MarginOptions extends LossOptions {
  /** Distance from which on different examples are far enough apart; default 1. */
  readonly margin?: number;
}

/** ‖a − b + 1e-6‖₂ over the last dimension; the 1e-6, as in PyTorch, keeps the gradient finite where a = b. */
const distance = (a: Tensor, b: Tensor): Tensor => a.sub(b).add(1e-6).square().sum({ axis: -1 }).sqrt();

/**
 * same ? d² / 2 : max(0, margin − d)² / 2 with d the distance of a and b [..., D] (Hadsell, Chopra & LeCun 2006).
 * `same` [...]: not 0 where both show the same thing.
 */
export function contrastive(a: Tensor, b: Tensor, same: Tensor, options: MarginOptions = {}): Tensor {
  checkOptions('contrastive', options, [...lossOptions, 'margin']);
  const margin = checkNumber('contrastive', 'margin', options.margin ?? 1, { low: 0 });
  checkSameShape('contrastive', a, b);
  if (!sameShape(same.shape, a.shape.slice(0, -1)))
    fail('shape', 'contrastive', `embeddings ${showShape(a.shape)} need one flag per pair ${showShape(a.shape.slice(0, -1))}, got ${showShape(same.shape)}`);
  const d = distance(a, b);
  return reduced('contrastive', where(same.cast('bool'), d.square(), d.neg().add(margin).maximum(0).square()).mul(0.5), options);
}

export interface TripletOptions extends MarginOptions {
  /** Compares squared distances (Schroff et al. 2015); default false. */
  readonly squared?: boolean;
}

/** max(0, d(anchor, positive) − d(anchor, negative) + margin), all [..., D] (Weinberger & Saul 2009; Schroff et al. 2015). */
export function triplet(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletOptions = {}): Tensor {
  checkOptions('triplet', options, [...lossOptions, 'margin', 'squared']);
  const margin = checkNumber('triplet', 'margin', options.margin ?? 1, { low: 0 });
  checkSameShape('triplet', anchor, positive);
  checkSameShape('triplet', anchor, negative);
  const squared = (a: Tensor, b: Tensor): Tensor => a.sub(b).square().sum({ axis: -1 });
  const apart = options.squared ? squared : distance;
  return reduced('triplet', apart(anchor, positive).sub(apart(anchor, negative)).add(margin).maximum(0), options);
}
