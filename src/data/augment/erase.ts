/** Transforms that take something away: cutout, and masks over spectrograms. */
import { inRange, type Picture, type Transform, whole, withValues } from './transform.ts';

export interface CutoutOptions {
  /** Pixels along a side of the square. */
  readonly size: number;
  readonly fill?: number;
}

/** Cutout (DeVries, Taylor 2017): a square around a drawn pixel, cut at the border, is filled. */
export function cutout(options: CutoutOptions): Transform {
  const { size, fill = 0 } = options;
  whole('cutout', 'size', size, 0);
  return {
    name: 'cutout',
    options,
    apply: (picture, random) => {
      const [y, x] = [random.below(picture.height), random.below(picture.width)];
      const [top, left] = [y - Math.floor(size / 2), x - Math.floor(size / 2)];
      return size === 0 ? picture : covered(picture, [top, top + size], [left, left + size], fill);
    },
  };
}

/** A copy with rows from … to and columns from … to filled. */
function covered(picture: Picture, rows: readonly [number, number], columns: readonly [number, number], fill: number): Picture {
  const { height, width, channels } = picture;
  const values = picture.values.slice();
  const [left, right] = [Math.max(0, columns[0]), Math.min(width, columns[1])];
  for (let y = Math.max(0, rows[0]); y < Math.min(height, rows[1]); y++) values.fill(fill, (y * width + left) * channels, (y * width + right) * channels);
  return withValues(picture, values);
}

export interface SpecAugmentOptions {
  /** Masks over time and their greatest length in frames (default 1 of 10). */
  readonly timeMasks?: number;
  readonly timeWidth?: number;
  /** Masks over frequency and their greatest width in bins (default 1 of 8). */
  readonly frequencyMasks?: number;
  readonly frequencyWidth?: number;
  readonly fill?: number;
}

/** SpecAugment's masks (Park et al. 2019, section 2): bands of frames and of bins, of drawn width and place, are filled. Examples are [frames, bins, channels]. */
export function specAugment(options: SpecAugmentOptions = {}): Transform {
  const { timeMasks = 1, timeWidth = 10, frequencyMasks = 1, frequencyWidth = 8, fill = 0 } = options;
  for (const [name, value] of Object.entries({ timeMasks, timeWidth, frequencyMasks, frequencyWidth })) whole('specAugment', name, value, 0);
  inRange('specAugment', 'fill', fill, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return {
    name: 'specAugment',
    options,
    apply: (picture, random) => {
      const { height, width } = picture;
      const band = (most: number, size: number): readonly [number, number] => {
        const length = random.below(Math.min(most, size) + 1);
        const start = random.below(size - length + 1);
        return [start, start + length];
      };
      let masked = picture;
      for (let i = 0; i < timeMasks; i++) masked = covered(masked, band(timeWidth, height), [0, width], fill);
      for (let i = 0; i < frequencyMasks; i++) masked = covered(masked, [0, height], band(frequencyWidth, width), fill);
      return masked;
    },
  };
}
