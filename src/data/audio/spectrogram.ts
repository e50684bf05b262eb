/**
 * From sound to pictures: power spectrogram, mel bands, cepstral coefficients. All sums in float64.
 * Mel scale: O'Shaughnessy 1987, m = 2595 log₁₀(1 + f / 700). MFCC: Davis, Mermelstein 1980.
 */
import { fail } from '../../core/errors.ts';
import { fourier } from './fourier.ts';

export interface FrameOptions {
  /** Samples per frame. */
  readonly frame: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  /** Default: the Hann window. */
  readonly window?: 'hann' | 'none';
}

/** A matrix [rows, columns]. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Whole frames that fit into so many samples. */
export const frameCount = (samples: number, { frame, hop }: FrameOptions): number => Math.max(0, Math.floor((samples - frame) / hop) + 1);

const nextPower = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(2, n)));

/** Frequencies of a frame's transform, which is padded to a power of two: 0 … half of it. */
export const binCount = ({ frame }: FrameOptions): number => nextPower(frame) / 2 + 1;

/** Power |X|² of every frame, [frames, bins]. Bin k stands for the frequency k · sampleRate / (2 (bins − 1)). */
export function spectrogram(samples: ArrayLike<number>, options: FrameOptions): Matrix {
  const { frame, hop, window = 'hann' } = options;
  if (!Number.isInteger(frame) || frame < 2) fail('argument', 'spectrogram', `frame must be a whole number ≥ 2, got ${frame}`);
  if (!Number.isInteger(hop) || hop < 1) fail('argument', 'spectrogram', `hop must be a whole number ≥ 1, got ${hop}`);
  const plan = fourier(nextPower(frame));
  const weights = Float64Array.from({ length: frame }, (_, n) => (window === 'hann' ? 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / frame) : 1));
  const [rows, columns] = [frameCount(samples.length, options), binCount(options)];
  const values = new Float64Array(rows * columns);
  const [real, imaginary] = [new Float64Array(plan.size), new Float64Array(plan.size)];
  for (let row = 0; row < rows; row++) {
    real.fill(0);
    imaginary.fill(0);
    for (let n = 0; n < frame; n++) real[n] = samples[row * hop + n] * weights[n];
    plan.transform(real, imaginary);
    for (let k = 0; k < columns; k++) values[row * columns + k] = real[k] ** 2 + imaginary[k] ** 2;
  }
  return { rows, columns, values };
}

const toMel = (frequency: number): number => 2595 * Math.log10(1 + frequency / 700);
const fromMel = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** Triangles of height 1, evenly spaced in mel between 0 and half the sample rate, as weights [bands, bins]. */
export function melFilters(bands: number, bins: number, sampleRate: number): Matrix {
  if (!Number.isInteger(bands) || bands < 1) fail('argument', 'melFilters', `bands must be a whole number ≥ 1, got ${bands}`);
  const top = toMel(sampleRate / 2);
  const edges = Array.from({ length: bands + 2 }, (_, i) => fromMel((i * top) / (bands + 1)));
  const values = new Float64Array(bands * bins);
  for (let band = 0; band < bands; band++) {
    const [low, middle, high] = edges.slice(band, band + 3);
    for (let k = 0; k < bins; k++) {
      const frequency = (k * sampleRate) / (2 * (bins - 1));
      values[band * bins + k] = Math.max(0, Math.min((frequency - low) / (middle - low), (high - frequency) / (high - middle)));
    }
  }
  return { rows: bands, columns: bins, values };
}

/** a bᵀ */
function times(a: Matrix, b: Matrix): Matrix {
  const values = new Float64Array(a.rows * b.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let k = 0; k < a.columns; k++) sum += a.values[i * a.columns + k] * b.values[j * b.columns + k];
      values[i * b.rows + j] = sum;
    }
  }
  return { rows: a.rows, columns: b.rows, values };
}

/** Quieter values count as this one, so that silence has a logarithm. */
export const quietest = 1e-10;
export const logarithm = ({ rows, columns, values }: Matrix): Matrix => ({ rows, columns, values: values.map((value) => Math.log(Math.max(value, quietest))) });

/** Power in mel bands, [frames, bands]. */
export const melSpectrogram = (samples: ArrayLike<number>, options: FrameOptions & { readonly sampleRate: number; readonly bands: number }): Matrix =>
  times(spectrogram(samples, options), melFilters(options.bands, binCount(options), options.sampleRate));

/** The orthonormal cosine transform (DCT-II) as weights [coefficients, bands]. */
function cosines(coefficients: number, bands: number): Matrix {
  const values = new Float64Array(coefficients * bands);
  for (let i = 0; i < coefficients; i++)
    for (let band = 0; band < bands; band++) values[i * bands + band] = Math.sqrt((i === 0 ? 1 : 2) / bands) * Math.cos((Math.PI * i * (band + 0.5)) / bands);
  return { rows: coefficients, columns: bands, values };
}

/** Mel-frequency cepstral coefficients: the cosine transform of the logarithms of the mel bands, [frames, coefficients]. */
export function mfcc(
  samples: ArrayLike<number>,
  options: FrameOptions & { readonly sampleRate: number; readonly bands: number; readonly coefficients: number },
): Matrix {
  const { bands, coefficients } = options;
  if (!(coefficients >= 1 && coefficients <= bands)) fail('argument', 'mfcc', `coefficients must be in 1 … ${bands} (the bands), got ${coefficients}`);
  return times(logarithm(melSpectrogram(samples, options)), cosines(coefficients, bands));
}
