/** Activations as layers: thin wrappers of the tensor methods of the same names. */
import { type Tensor, where } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkChoice, checkNumber, checkOptions } from './options.ts';

export class Activation extends Module {
  readonly #name: string;
  readonly #compute: (x: Tensor) => Tensor;

  constructor(name: string, compute: (x: Tensor) => Tensor) {
    super();
    this.#name = name;
    this.#compute = compute;
  }

  override get kind(): string {
    return this.#name;
  }

  /** Any shape → the same. */
  forward(x: Tensor): Tensor {
    return this.#compute(x);
  }
}

/** A layer without parameters from a function of one tensor. */
export const activation = (name: string, compute: (x: Tensor) => Tensor): Activation => new Activation(name, compute);

/** max(x, 0) */
export const relu = (): Activation => activation('relu', (x) => x.relu());

/** x where positive, else slope · x (Maas et al. 2013); default slope 0.01. */
export function leakyRelu(options: { readonly slope?: number } = {}): Activation {
  checkOptions('leakyRelu', options, ['slope']);
  const slope = checkNumber('leakyRelu', 'slope', options.slope ?? 0.01);
  return activation('leakyRelu', (x) => x.leakyRelu(slope));
}

/** x where positive, else α (eˣ − 1) (Clevert et al. 2016); default α = 1. */
export function elu(options: { readonly alpha?: number } = {}): Activation {
  checkOptions('elu', options, ['alpha']);
  const alpha = checkNumber('elu', 'alpha', options.alpha ?? 1);
  return activation('elu', (x) => x.elu(alpha));
}

/** x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016); approximate: 'tanh' as in GPT-2. */
export function gelu(options: { readonly approximate?: 'none' | 'tanh' } = {}): Activation {
  checkOptions('gelu', options, ['approximate']);
  const approximate = checkChoice('gelu', 'approximate', options.approximate ?? 'none', ['none', 'tanh']);
  return activation('gelu', (x) => x.gelu({ approximate }));
}

/** x σ(x), also called swish. */
export const silu = (): Activation => activation('silu', (x) => x.silu());

/** ln(1 + eˣ) */
export const softplus = (): Activation => activation('softplus', (x) => x.softplus());

export const tanh = (): Activation => activation('tanh', (x) => x.tanh());

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (): Activation => activation('sigmoid', (x) => x.sigmoid());

/** Probabilities over the last dimension. */
export const softmax = (): Activation => activation('softmax', (x) => x.softmax());

/** Logarithms of the softmax probabilities over the last dimension. */
export const logSoftmax = (): Activation => activation('logSoftmax', (x) => x.logSoftmax());

/** ln σ(x), without underflow. */
export const logSigmoid = (): Activation => activation('logSigmoid', (x) => x.neg().softplus().neg());

/** x / (1 + |x|) */
export const softsign = (): Activation => activation('softsign', (x) => x.div(x.abs().add(1)));

/** Scaled ELU, which keeps mean 0 and variance 1 (Klambauer et al. 2017). */
export const selu = (): Activation => activation('selu', (x) => x.elu(1.6732632423543772).mul(1.0507009873554805));

/** x tanh(softplus(x)) (Misra 2019). */
export const mish = (): Activation => activation('mish', (x) => x.mul(x.softplus().tanh()));

/** min(max(x, 0), 6) */
export const relu6 = (): Activation => activation('relu6', (x) => x.clip(0, 6));

/** x held in [−1, 1] */
export const hardTanh = (): Activation => activation('hardTanh', (x) => x.clip(-1, 1));

/** x / 6 + ½ held in [0, 1] (Howard et al. 2019). */
export const hardSigmoid = (): Activation => activation('hardSigmoid', (x) => x.div(6).add(0.5).clip(0, 1));

/** x · hardSigmoid(x) (Howard et al. 2019). */
export const hardSwish = (): Activation => activation('hardSwish', (x) => x.mul(x.div(6).add(0.5).clip(0, 1)));

/** The step of the perceptron: 1 where x ≥ 0, else 0 (Rosenblatt 1958). Its gradient is 0 everywhere: gradient descent does not train what is before it. */
export const heaviside = (): Activation => activation('heaviside', (x) => where(x.greaterEqual(0), 1, 0).cast(x.dtype));
