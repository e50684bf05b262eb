/** Values as small pictures: PNG in data URIs, so that a page needs no other file. */

import { type Pixels, resized } from '../data/images/pixels.ts';
import { encodePng } from '../data/images/png.ts';

/** A picture's values [height, width, channels] with 1 or 3 channels. */
export interface Values {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: ArrayLike<number>;
}

/** Larger pictures are made as small as this, pixels. */
const largest = 64;

export async function dataUri(pixels: Pixels): Promise<string> {
  const shrink = Math.min(1, largest / Math.max(pixels.height, pixels.width));
  const side = (size: number): number => Math.max(1, Math.round(size * shrink));
  const bytes = await encodePng(resized(pixels, side(pixels.height), side(pixels.width)));
  return `data:image/png;base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}

export interface Span {
  readonly low: number;
  readonly high: number;
}

/** From the smallest to the largest of the finite values. */
export function spanOf(values: ArrayLike<number>): Span {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return low <= high ? { low, high } : { low: 0, high: 1 };
}

/** The range of pictures in a data set: 0 … 1 and 0 … 255 as they are, anything else (normalised data) stretched. */
export function pictureSpan(values: ArrayLike<number>): Span {
  const { low, high } = spanOf(values);
  if (low >= 0 && high <= 1) return { low: 0, high: 1 };
  return low >= 0 && high <= 255 ? { low: 0, high: 255 } : { low, high };
}

/** Values as brightness, low black, high white. */
export function brightness({ height, width, channels, data }: Values, { low, high }: Span): Pixels {
  const scale = high > low ? 255 / (high - low) : 0;
  const bytes = Uint8Array.from({ length: height * width * channels }, (_, i) => Math.max(0, Math.min(255, Math.round((data[i] - low) * scale))));
  return { height, width, channels, data: bytes };
}

const [negative, positive] = [
  [33, 102, 172],
  [178, 24, 43],
];

/** One channel with a sign: blue below 0, white at 0, red above; full colour at ± `reach`. */
export function signed({ height, width, data }: Values, reach: number): Pixels {
  const bytes = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const share = reach > 0 ? Math.min(1, Math.abs(data[i]) / reach) : 0;
    const colour = data[i] < 0 ? negative : positive;
    for (let c = 0; c < 3; c++) bytes[3 * i + c] = Math.round(255 + share * (colour[c] - 255));
  }
  return { height, width, channels: 3, data: bytes };
}
