/** What a transform is: a function of one picture and a random stream. Values are floats, in 0 … 1 where they are pixels. */
import { fail, showShape } from '../../core/errors.ts';
import { type Shape, sizeOf } from '../../core/shape.ts';
import type { Generator } from '../random.ts';

/** A picture or a spectrogram (height: frames, width: bins), channels last. Never changed in place. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float32Array;
}

export interface Transform {
  readonly name: string;
  /** How to make it again from plain values, in a worker thread. Transforms of the user have none. */
  readonly options?: object;
  /** The shape it makes of [height, width, channels], where it changes it. */
  output?(shape: Shape): Shape;
  /** A new picture, or the same one unchanged. `random` belongs to this example, epoch and transform. */
  apply(picture: Picture, random: Generator): Picture;
}

/** An example's shape as that of a picture: [height, width] has one channel, [n] one row. */
export function pictureShape(shape: Shape): readonly [height: number, width: number, channels: number] {
  if (shape.length === 3) return [shape[0], shape[1], shape[2]];
  if (shape.length === 2) return [shape[0], shape[1], 1];
  if (shape.length === 1) return [1, shape[0], 1];
  return fail('shape', 'augment', `examples have the shape ${showShape(shape)}`, 'Transforms work on [height, width, channels], [height, width] or [n].');
}

export const blank = (height: number, width: number, channels: number, fill = 0): Picture => ({
  height,
  width,
  channels,
  values: new Float32Array(sizeOf([height, width, channels])).fill(fill),
});

/** The same picture with other values. */
export const withValues = ({ height, width, channels }: Picture, values: Float32Array): Picture => ({ height, width, channels, values });

/** Uniform in −limit … limit. */
export const symmetric = (limit: number, random: Generator): number => (2 * random.uniform() - 1) * limit;

/** Checks an option. */
export function inRange(transform: string, option: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) {
    const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `in ${least} … ${most}`;
    fail('argument', transform, `${option} must be a number ${range}, got ${value}`);
  }
}

export function whole(transform: string, option: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) fail('argument', transform, `${option} must be a whole number ≥ ${least}, got ${value}`);
}
