/** Decoded pictures of 8 bits per value: other channel counts, other sizes. Pure functions, so that they give the same pixels everywhere. */
import { fail } from '../../core/errors.ts';

export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [height, width, channels] */
  readonly data: Uint8Array;
}

/** What every picture of a set is made into. */
export interface ImageForm {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Pictures of other sizes: refused, stretched, or scaled to cover the size and cut evenly. */
  readonly resize: 'refuse' | 'stretch' | 'cover';
  /** Pictures with other channels: refused, or converted. */
  readonly convert: boolean;
}

/** A picture in a form. `name` is the file's, for errors. */
export function formed(pixels: Pixels, { height, width, channels, resize, convert }: ImageForm, name: string): Uint8Array {
  const opaque = withoutAlpha(pixels);
  if (opaque.channels !== channels && !convert)
    fail('data', 'imageFolder', `${name} has ${channelWords(opaque.channels)}, not ${channels}`, `Give { channels: 1 } or { channels: 3 } to convert all.`);
  if ((opaque.height !== height || opaque.width !== width) && resize === 'refuse')
    fail(
      'data',
      'imageFolder',
      `${name} is ${opaque.height} × ${opaque.width} pixels, not ${height} × ${width}`,
      `Give { size: [${height}, ${width}] } to resize all.`,
    );
  return resized(withChannels(opaque, channels), height, width, resize === 'cover').data;
}

const channelWords = (channels: number): string => `${channels} ${channels === 1 ? 'channel' : 'channels'}`;

/** The colour channels alone. */
export function withoutAlpha({ height, width, channels, data }: Pixels): Pixels {
  if (channels === 1 || channels === 3) return { height, width, channels, data };
  const kept = channels === 2 ? 1 : 3;
  const values = new Uint8Array(height * width * kept);
  for (let i = 0; i < height * width; i++) for (let c = 0; c < kept; c++) values[i * kept + c] = data[i * channels + c];
  return { height, width, channels: kept, data: values };
}

/** Grey is repeated; colours become luma (ITU-R BT.601). */
function withChannels(pixels: Pixels, channels: 1 | 3): Pixels {
  const { height, width, data } = pixels;
  if (pixels.channels === channels) return pixels;
  const values = new Uint8Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    if (channels === 3) values.fill(data[i], 3 * i, 3 * i + 3);
    else values[i] = Math.round(0.299 * data[3 * i] + 0.587 * data[3 * i + 1] + 0.114 * data[3 * i + 2]);
  }
  return { height, width, channels, data: values };
}

/** Another size by a triangle filter, as wide as a pixel of the smaller picture, so that shrinking does not alias. With `cover` the proportions are kept. */
export function resized(pixels: Pixels, height: number, width: number, cover = false): Pixels {
  if (pixels.height === height && pixels.width === width) return pixels;
  const part = cover ? Math.min(pixels.height / height, pixels.width / width) : 0;
  const rows = weights(pixels.height, height, cover ? part * height : pixels.height);
  const columns = weights(pixels.width, width, cover ? part * width : pixels.width);
  const { channels, data } = pixels;
  const narrow = new Float32Array(pixels.height * width * channels);
  for (let y = 0; y < pixels.height; y++)
    for (let x = 0; x < width; x++)
      for (const [from, weight] of columns[x])
        for (let c = 0; c < channels; c++) narrow[(y * width + x) * channels + c] += weight * data[(y * pixels.width + from) * channels + c];
  const values = new Uint8Array(height * width * channels);
  const row = new Float32Array(width * channels);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (const [from, weight] of rows[y]) for (let i = 0; i < row.length; i++) row[i] += weight * narrow[from * row.length + i];
    for (let i = 0; i < row.length; i++) values[y * row.length + i] = Math.max(0, Math.min(255, Math.round(row[i])));
  }
  return { height, width, channels, data: values };
}

/** For each of `size` new pixels the old ones and their shares; the new ones cover `extent` old ones in the middle. */
function weights(oldSize: number, size: number, extent: number): (readonly [from: number, weight: number])[][] {
  const step = extent / size;
  const start = (oldSize - extent) / 2;
  const reach = Math.max(1, step);
  return Array.from({ length: size }, (_, i) => {
    const middle = start + (i + 0.5) * step;
    const found: [number, number][] = [];
    for (let from = Math.max(0, Math.floor(middle - reach)); from <= Math.min(oldSize - 1, Math.ceil(middle + reach)); from++) {
      const weight = 1 - Math.abs(from + 0.5 - middle) / reach;
      if (weight > 0) found.push([from, weight]);
    }
    const sum = found.reduce((total, [, weight]) => total + weight, 0);
    return found.map(([from, weight]) => [from, weight / sum] as const);
  });
}
