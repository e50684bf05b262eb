/** Activations as layers: thin wrappers of the tensor methods of the same names. */
import type { Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkNumber, checkOptions } from './options.ts';

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

/** x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016), exact form. */
export const gelu = (): Activation => activation('gelu', (x) => x.gelu());

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
