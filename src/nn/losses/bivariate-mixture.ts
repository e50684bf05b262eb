/**
 * Mixtures of bivariate Gaussians with an end-of-stroke Bernoulli: handwriting (Graves 2013, equations 15–26). Letters: M components.
 * The net's outputs [..., 6 M + 1] are e, π [M], μ₁ [M], μ₂ [M], σ₁ [M], σ₂ [M], ρ [M] before their squashing; targets [..., 3] are x₁, x₂ and the stroke's end (0 or 1).
 */
import { fail, showShape } from '../../core/errors.ts';
import { random, split, stack, type Tensor, where } from '../../tensor/index.ts';
import { checkNumber, checkOptions } from '../options.ts';
import { type LossOptions, lossOptions, reduced } from './reduction.ts';

export interface BivariateMixture {
  /** Logit of the end of a stroke [...]: its probability is 1 / (1 + e^−logit). (The paper writes the opposite sign.) */
  readonly endLogit: Tensor;
  readonly logWeights: Tensor; // [..., M], log π
  readonly means: readonly [Tensor, Tensor]; // [..., M] each
  readonly logDeviations: readonly [Tensor, Tensor]; // [..., M] each, log σ
  readonly correlation: Tensor; // [..., M], in −1 … 1
}

/** The mixture that outputs [..., 6 M + 1] stand for. `bias` (≥ 0) makes it more certain (section 5.4): π̂ · (1 + b), log σ − b. */
export function bivariateMixture(outputs: Tensor, { bias = 0 }: { readonly bias?: number } = {}): BivariateMixture {
  checkNumber('bivariateMixture', 'bias', bias, { low: 0 });
  const size = outputs.shape[outputs.rank - 1];
  if (outputs.rank < 1 || size < 7 || (size - 1) % 6 !== 0)
    fail(
      'shape',
      'bivariateMixture',
      `expected outputs [..., 6 · components + 1], got ${showShape(outputs.shape)}`,
      'nn.linear(6 * components + 1) makes them.',
    );
  const m = (size - 1) / 6;
  const [end, weights, mean1, mean2, deviation1, deviation2, correlation] = split(outputs, [1, m, m, m, m, m, m], -1);
  return {
    endLogit: end.squeeze(-1),
    logWeights: weights.mul(1 + bias).logSoftmax(),
    means: [mean1, mean2],
    logDeviations: [deviation1.sub(bias), deviation2.sub(bias)],
    correlation: correlation.tanh(),
  };
}

/** −log p(x₁, x₂) − log p(end) of each step, reduced. The offsets scaled by s change it by exactly 2 ln s per step. */
export function bivariateMixtureLoss(outputs: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  const name = 'bivariateMixtureLoss';
  checkOptions(name, options, lossOptions);
  if (targets.rank !== outputs.rank || targets.shape[targets.rank - 1] !== 3 || targets.shape.slice(0, -1).join() !== outputs.shape.slice(0, -1).join())
    fail('shape', name, `outputs ${showShape(outputs.shape)} need targets ${showShape([...outputs.shape.slice(0, -1), 3])}, got ${showShape(targets.shape)}`);
  const mixture = bivariateMixture(outputs);
  const [x1, x2, end] = split(targets.cast(outputs.dtype), 3, -1); // [..., 1]
  const endLoss = mixture.endLogit.softplus().sub(mixture.endLogit.mul(end.squeeze(-1)));
  const density = mixture.logWeights.add(logNormal(mixture, x1, x2)).logSumExp({ axis: -1 });
  return reduced(name, endLoss.sub(density), options);
}

/** log N(x₁, x₂) of each component [..., M]. */
function logNormal({ means, logDeviations, correlation }: BivariateMixture, x1: Tensor, x2: Tensor): Tensor {
  const z1 = x1.sub(means[0]).mul(logDeviations[0].neg().exp());
  const z2 = x2.sub(means[1]).mul(logDeviations[1].neg().exp());
  // 1 − ρ², held above 0 where the hyperbolic tangent rounds to ±1.
  const rest = correlation.square().neg().add(1).maximum(1e-12);
  const z = z1.square().add(z2.square()).sub(correlation.mul(z1).mul(z2).mul(2));
  return z
    .div(rest.mul(-2))
    .sub(logDeviations[0])
    .sub(logDeviations[1])
    .sub(rest.log().mul(0.5))
    .sub(Math.log(2 * Math.PI));
}

/** Draws a step [..., 3] (x₁, x₂, end) from the mixture of outputs [..., 6 M + 1]. */
export function sampleBivariateMixture(outputs: Tensor, options: { readonly bias?: number } = {}): Tensor {
  const { endLogit, logWeights, means, logDeviations, correlation } = bivariateMixture(outputs, options);
  const chosen = random
    .categorical(logWeights)
    .oneHot(logWeights.shape[logWeights.rank - 1])
    .cast('bool'); // [..., M]
  const of = (values: Tensor): Tensor => where(chosen, values, 0).sum({ axis: -1 });
  const dtype = outputs.dtype === 'float64' ? 'float64' : 'float32';
  const [n1, n2] = [0, 1].map(() => random.normal(endLogit.shape, { dtype }));
  const rho = of(correlation);
  const across = rho.square().neg().add(1).maximum(0).sqrt();
  const x1 = of(means[0]).add(of(logDeviations[0]).exp().mul(n1));
  const x2 = of(means[1]).add(
    of(logDeviations[1])
      .exp()
      .mul(rho.mul(n1).add(across.mul(n2))),
  );
  const end = random.uniform(endLogit.shape, { dtype }).less(endLogit.sigmoid()).cast(dtype);
  return stack([x1, x2, end], -1);
}
