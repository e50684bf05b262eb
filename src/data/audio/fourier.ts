/** The fast Fourier transform (Cooley, Tukey 1965), radix 2, in float64, in place. */
import { fail } from '../../core/errors.ts';

export interface Fourier {
  readonly size: number;
  /** Transforms real and imaginary parts, each of `size` values: X[k] = Σ x[n] e^(−2πi kn / size). */
  transform(real: Float64Array, imaginary: Float64Array): void;
}

/** Prepares the factors and the order for one size, a power of two. */
export function fourier(size: number): Fourier {
  if (!Number.isInteger(Math.log2(size)) || size < 2) fail('argument', 'fourier', `size must be a power of two ≥ 2, got ${size}`);
  const bits = Math.log2(size);
  const [cos, sin] = [Math.cos, Math.sin].map((fn) => Float64Array.from({ length: size / 2 }, (_, k) => fn((-2 * Math.PI * k) / size)));
  const reversed = Uint32Array.from({ length: size }, (_, i) => {
    let turned = 0;
    for (let bit = 0; bit < bits; bit++) turned |= ((i >> bit) & 1) << (bits - 1 - bit);
    return turned;
  });
  const swap = (values: Float64Array, i: number, j: number) => {
    const held = values[i];
    values[i] = values[j];
    values[j] = held;
  };
  return {
    size,
    transform: (real, imaginary) => {
      for (let i = 0; i < size; i++) {
        if (reversed[i] <= i) continue;
        swap(real, i, reversed[i]);
        swap(imaginary, i, reversed[i]);
      }
      for (let half = 1; half < size; half *= 2) {
        const step = size / (2 * half);
        for (let start = 0; start < size; start += 2 * half) {
          for (let k = 0; k < half; k++) {
            const [a, b] = [start + k, start + k + half];
            const [c, s] = [cos[k * step], sin[k * step]];
            const re = real[b] * c - imaginary[b] * s;
            const im = real[b] * s + imaginary[b] * c;
            real[b] = real[a] - re;
            imaginary[b] = imaginary[a] - im;
            real[a] += re;
            imaginary[a] += im;
          }
        }
      }
    },
  };
}
