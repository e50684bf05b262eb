/** Spectra against sums written out from their definitions, in float64. */
import { describe, expect, test } from 'vitest';
import { generator } from '../random.ts';
import { fourier } from './fourier.ts';
import { binCount, frameCount, melFilters, melSpectrogram, mfcc, spectrogram } from './spectrogram.ts';

const signal = (n: number, seed = 1): Float64Array => {
  const random = generator(seed);
  return Float64Array.from({ length: n }, (_, i) => Math.sin(i / 3) + 0.3 * random.normal());
};

/** X[k] = Σ x[n] e^(−2πi kn / size) */
function transformOf(x: ArrayLike<number>, size: number, k: number): readonly [number, number] {
  let [re, im] = [0, 0];
  for (let n = 0; n < x.length; n++) {
    re += x[n] * Math.cos((2 * Math.PI * k * n) / size);
    im -= x[n] * Math.sin((2 * Math.PI * k * n) / size);
  }
  return [re, im];
}

describe('fourier', () => {
  test.each([2, 8, 64, 512])('size %i: the sum of its definition, and Parseval', (size) => {
    const [real, imaginary] = [signal(size, 1), signal(size, 2)];
    const [re, im] = [real.slice(), imaginary.slice()];
    fourier(size).transform(re, im);
    for (const k of [0, 1, size / 2, size - 1]) {
      const [a, b] = [transformOf(real, size, k), transformOf(imaginary, size, k)];
      expect(re[k]).toBeCloseTo(a[0] - b[1], 9);
      expect(im[k]).toBeCloseTo(a[1] + b[0], 9);
    }
    const energy = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value ** 2 + b[i] ** 2, 0);
    expect(energy(re, im) / size / energy(real, imaginary)).toBeCloseTo(1, 12);
  });

  test('other sizes are refused', () => {
    expect(() => fourier(12)).toThrow('fourier: size must be a power of two ≥ 2, got 12.');
  });
});

const options = { frame: 50, hop: 20 };
const samples = signal(200);
const sampleRate = 8000;

/** Power of frame t at bin k, from the definitions: Hann window, zeros up to 64. */
function powerAt(t: number, k: number): number {
  const frame = Array.from({ length: 50 }, (_, n) => samples[20 * t + n] * Math.sin((Math.PI * n) / 50) ** 2);
  const [re, im] = transformOf(frame, 64, k);
  return re ** 2 + im ** 2;
}

describe('spectrogram', () => {
  const power = spectrogram(samples, options);

  test('equals its definition', () => {
    expect([power.rows, power.columns]).toEqual([frameCount(200, options), binCount(options)]);
    expect([power.rows, power.columns]).toEqual([8, 33]);
    for (let t = 0; t < 8; t++) for (let k = 0; k < 33; k++) expect(power.values[33 * t + k]).toBeCloseTo(powerAt(t, k), 9);
  });

  test('Parseval: the power of all frequencies is that of the windowed frame', () => {
    for (let t = 0; t < 8; t++) {
      const row = power.values.subarray(33 * t, 33 * t + 33);
      // Bins 1 … 31 stand for their mirror images too.
      const total = row.reduce((sum, value, k) => sum + value * (k === 0 || k === 32 ? 1 : 2), 0) / 64;
      let energy = 0;
      for (let n = 0; n < 50; n++) energy += (samples[20 * t + n] * Math.sin((Math.PI * n) / 50) ** 2) ** 2;
      expect(total / energy).toBeCloseTo(1, 12);
    }
  });

  test('mel bands and cepstral coefficients equal their definitions', () => {
    const bands = 10;
    const mel = (f: number) => 2595 * Math.log10(1 + f / 700);
    const edge = (i: number) => 700 * (10 ** ((i * mel(4000)) / (bands + 1) / 2595) - 1);
    const weight = (band: number, f: number) =>
      Math.max(0, Math.min((f - edge(band)) / (edge(band + 1) - edge(band)), (edge(band + 2) - f) / (edge(band + 2) - edge(band + 1))));
    const energy = (t: number, band: number) => Array.from({ length: 33 }, (_, k) => weight(band, (k * 8000) / 64) * powerAt(t, k)).reduce((a, b) => a + b);
    const inMel = melSpectrogram(samples, { ...options, sampleRate, bands });
    const cepstrum = mfcc(samples, { ...options, sampleRate, bands, coefficients: 5 });
    expect([cepstrum.rows, cepstrum.columns]).toEqual([8, 5]);
    for (const t of [0, 3, 7]) {
      for (let band = 0; band < bands; band++) expect(inMel.values[bands * t + band]).toBeCloseTo(energy(t, band), 9);
      for (let i = 0; i < 5; i++) {
        let sum = 0;
        for (let band = 0; band < bands; band++) sum += Math.log(Math.max(energy(t, band), 1e-10)) * Math.cos((Math.PI * i * (2 * band + 1)) / (2 * bands));
        expect(cepstrum.values[5 * t + i]).toBeCloseTo(sum * Math.sqrt((i === 0 ? 1 : 2) / bands), 9);
      }
    }
  });

  test('filters overlap to one between the outer middles', () => {
    const { values } = melFilters(8, 129, sampleRate);
    const sums = Array.from({ length: 129 }, (_, k) => Array.from({ length: 8 }, (_, band) => values[band * 129 + k]).reduce((a, b) => a + b));
    for (const sum of sums.slice(20, 80)) expect(sum).toBeCloseTo(1, 12);
  });

  test('a pure tone is in its bin; wrong settings are named', () => {
    const tone = Float64Array.from({ length: 256 }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / sampleRate));
    const { values } = spectrogram(tone, { frame: 256, hop: 256 });
    expect(values.indexOf(Math.max(...values))).toBe(32); // 1000 Hz · 256 / 8000 Hz
    expect(() => spectrogram(tone, { frame: 1, hop: 1 })).toThrow(/frame must be a whole number ≥ 2/);
    expect(() => mfcc(tone, { ...options, sampleRate, bands: 5, coefficients: 6 })).toThrow(/coefficients must be in 1 … 5/);
  });
});
