/** Transforms of values: colour jitter, PCA lighting, noise, normalisation. */
import { fail } from '../../core/errors.ts';
import { inRange, type Picture, symmetric, type Transform, withValues } from './transform.ts';

export interface ColorJitterOptions {
  /** Factor on all values, drawn from 1 ± brightness. */
  readonly brightness?: number;
  /** Factor on the distance from the picture's mean grey, drawn from 1 ± contrast. */
  readonly contrast?: number;
  /** Factor on the distance from each pixel's grey, drawn from 1 ± saturation (three channels). */
  readonly saturation?: number;
  /** Turn of the colours, drawn from ± hue × 360° (three channels). */
  readonly hue?: number;
}

// Luma of ITU-R BT.601.
const luma = [0.299, 0.587, 0.114];
const greyOf = (values: Float32Array, at: number): number => luma[0] * values[at] + luma[1] * values[at + 1] + luma[2] * values[at + 2];
const clip = (value: number): number => (value < 0 ? 0 : value > 1 ? 1 : value);

/** Brightness, contrast, saturation and hue, in this order; the result is cut to 0 … 1. */
export function colorJitter(options: ColorJitterOptions = {}): Transform {
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  for (const [name, value] of Object.entries({ brightness, contrast, saturation })) inRange('colorJitter', name, value, 0, 1);
  inRange('colorJitter', 'hue', hue, 0, 0.5);
  return {
    name: 'colorJitter',
    options,
    apply: (picture, random) => {
      const { channels } = picture;
      if ((saturation > 0 || hue > 0) && channels !== 3)
        fail('shape', 'colorJitter', `saturation and hue need 3 channels, got ${channels}`, 'Leave them out for grey pictures.');
      const [light, spread, depth] = [brightness, contrast, saturation].map((limit) => 1 + symmetric(limit, random));
      const turn = symmetric(hue, random) * 2 * Math.PI;
      if (brightness + contrast + saturation + hue === 0) return picture;
      const values = picture.values.map((value) => value * light);
      if (contrast > 0) {
        const mean = meanGrey(values, channels);
        for (let i = 0; i < values.length; i++) values[i] = mean + (values[i] - mean) * spread;
      }
      if (saturation > 0 || hue > 0) recolor(values, depth, turn);
      return withValues(picture, values.map(clip));
    },
  };
}

function meanGrey(values: Float32Array, channels: number): number {
  let sum = 0;
  if (channels === 3) for (let i = 0; i < values.length; i += 3) sum += 3 * greyOf(values, i);
  else for (const value of values) sum += value;
  return sum / values.length;
}

/** Saturation and hue as a scaled turn of the two colour differences R − Y and B − Y about the grey axis. */
function recolor(values: Float32Array, depth: number, turn: number): void {
  const [cos, sin] = [depth * Math.cos(turn), depth * Math.sin(turn)];
  for (let i = 0; i < values.length; i += 3) {
    const grey = greyOf(values, i);
    // Scaled to I and Q-like axes of equal strength (BT.601: Cr = 0.713 (R − Y), Cb = 0.564 (B − Y)).
    const [cr, cb] = [0.713 * (values[i] - grey), 0.564 * (values[i + 2] - grey)];
    const [red, blue] = [(cos * cr - sin * cb) / 0.713, (sin * cr + cos * cb) / 0.564];
    values[i] = grey + red;
    values[i + 2] = grey + blue;
    values[i + 1] = grey - (luma[0] * red + luma[2] * blue) / luma[1];
  }
}

/** Principal components of a set's colours: see colorComponents. */
export interface ColorComponents {
  /** Variances, largest first. */
  readonly values: readonly number[];
  /** One direction [r, g, b] per variance. */
  readonly vectors: readonly (readonly number[])[];
}

export interface LightingOptions {
  readonly components: ColorComponents;
  /** Deviation of the drawn factors (default 0.1). */
  readonly strength?: number;
}

/**
 * PCA lighting (Krizhevsky, Sutskever, Hinton 2012, section 4.1): to every pixel is added Σ αᵢ λᵢ pᵢ, the principal components of the training set's
 * colours times their variances times αᵢ ~ N(0, strength), drawn once per picture.
 */
export function lighting(options: LightingOptions): Transform {
  const { components, strength = 0.1 } = options;
  inRange('lighting', 'strength', strength, 0, Number.POSITIVE_INFINITY);
  return {
    name: 'lighting',
    options,
    apply: (picture, random) => {
      const { channels } = picture;
      if (components.vectors.some(({ length }) => length !== channels))
        fail('shape', 'lighting', `the components have ${components.vectors[0]?.length} channels, the picture ${channels}`);
      const factors = components.values.map((variance) => strength * random.normal() * variance);
      const added = Array.from({ length: channels }, (_, c) => components.vectors.reduce((sum, vector, i) => sum + factors[i] * vector[c], 0));
      return strength === 0
        ? picture
        : withValues(
            picture,
            picture.values.map((value, i) => value + added[i % channels]),
          );
    },
  };
}

export interface NoiseOptions {
  readonly deviation: number;
}

/** Adds independent normal noise to every value. */
export function noise(options: NoiseOptions): Transform {
  const { deviation } = options;
  inRange('noise', 'deviation', deviation, 0, Number.POSITIVE_INFINITY);
  return {
    name: 'noise',
    options,
    apply: (picture, random) =>
      deviation === 0
        ? picture
        : withValues(
            picture,
            picture.values.map((value) => value + deviation * random.normal()),
          ),
  };
}

export interface NormalizeOptions {
  /** One value, one per channel, or one per value of an example. */
  readonly mean: ArrayLike<number>;
  /** The same; default 1. Zeros (values that never change) count as 1. */
  readonly deviation?: ArrayLike<number>;
}

/** (value − mean) / deviation, with figures that were fitted to the training examples: `augment.normalize(await statistics(train))`. */
export function normalize(options: NormalizeOptions): Transform {
  const mean = Float64Array.from(options.mean);
  const factor = Float64Array.from(options.deviation ?? [1], (deviation) => (deviation === 0 ? 1 : 1 / deviation));
  const fits = ({ channels, values }: Picture, { length }: Float64Array) => length === 1 || length === channels || length === values.length;
  return {
    name: 'normalize',
    options: { mean, ...(options.deviation && { deviation: Float64Array.from(options.deviation) }) },
    apply: (picture) => {
      for (const figures of [mean, factor])
        if (!fits(picture, figures))
          fail(
            'shape',
            'normalize',
            `${figures.length} figures for ${picture.channels} channels and ${picture.values.length} values`,
            'Fit them to examples of the same shape.',
          );
      const values = new Float32Array(picture.values.length);
      for (let i = 0; i < values.length; i++) values[i] = (picture.values[i] - mean[i % mean.length]) * factor[i % factor.length];
      return withValues(picture, values);
    },
  };
}
