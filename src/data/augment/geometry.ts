/** Transforms that move pixels: whole ones (flip, crop, pad, shift) and resampled ones (affine maps, elastic distortion). */
import { fail, showShape } from '../../core/errors.ts';
import type { Generator } from '../random.ts';
import { blank, inRange, type Picture, symmetric, type Transform, whole } from './transform.ts';

const infinity = Number.POSITIVE_INFINITY;

export interface FlipOptions {
  /** Left and right change places (default true). */
  readonly horizontal?: boolean;
  /** Top and bottom change places (default false). */
  readonly vertical?: boolean;
  /** Of either (default 0.5). */
  readonly probability?: number;
}

/** Mirrors. */
export function flip(options: FlipOptions = {}): Transform {
  const { horizontal = true, vertical = false, probability = 0.5 } = options;
  inRange('flip', 'probability', probability, 0, 1);
  return {
    name: 'flip',
    options,
    apply: (picture, random) => {
      const [across, down] = [random.uniform() < probability && horizontal, random.uniform() < probability && vertical];
      if (!across && !down) return picture;
      const { height, width } = picture;
      return moved(
        picture,
        height,
        width,
        0,
        (y) => (down ? height - 1 - y : y),
        (x) => (across ? width - 1 - x : x),
      );
    },
  };
}

/** Whole pixels from elsewhere: the pixel at (y, x) comes from (fromY(y), fromX(x)); outside of the picture lies the fill. */
function moved(picture: Picture, height: number, width: number, fill: number, fromY: (y: number) => number, fromX: (x: number) => number): Picture {
  const { channels, values } = picture;
  const result = blank(height, width, channels, fill);
  for (let y = 0; y < height; y++) {
    const row = fromY(y);
    if (row < 0 || row >= picture.height) continue;
    for (let x = 0; x < width; x++) {
      const column = fromX(x);
      if (column < 0 || column >= picture.width) continue;
      const to = (y * width + x) * channels;
      const from = (row * picture.width + column) * channels;
      for (let c = 0; c < channels; c++) result.values[to + c] = values[from + c];
    }
  }
  return result;
}

export interface PadOptions {
  /** Pixels on every side. */
  readonly pixels: number;
  readonly fill?: number;
}

/** A border on every side. */
export function pad(options: PadOptions): Transform {
  const { pixels, fill = 0 } = options;
  whole('pad', 'pixels', pixels, 0);
  return {
    name: 'pad',
    options,
    output: ([height, width, channels]) => [height + 2 * pixels, width + 2 * pixels, channels],
    apply: (picture) =>
      pixels === 0
        ? picture
        : moved(
            picture,
            picture.height + 2 * pixels,
            picture.width + 2 * pixels,
            fill,
            (y) => y - pixels,
            (x) => x - pixels,
          ),
  };
}

export interface CropOptions {
  /** Pixels along a side, or [height, width]. */
  readonly size: number | readonly [height: number, width: number];
  /** A border that is added first (default 0). */
  readonly padding?: number;
  readonly fill?: number;
  /** Where from: drawn (default), or always the middle. */
  readonly from?: 'random' | 'center';
}

/** A window of a fixed size. */
export function crop(options: CropOptions): Transform {
  const { size, padding = 0, fill = 0, from = 'random' } = options;
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  whole('crop', 'size', height, 1);
  whole('crop', 'size', width, 1);
  whole('crop', 'padding', padding, 0);
  return {
    name: 'crop',
    options,
    output: (shape) => {
      if (shape[0] + 2 * padding < height || shape[1] + 2 * padding < width)
        fail('shape', 'crop', `a window of ${height} × ${width} does not fit into ${showShape(shape)} with a border of ${padding}`, 'Use a larger padding.');
      return [height, width, shape[2]];
    },
    apply: (picture, random) => {
      const room = [picture.height + 2 * padding - height, picture.width + 2 * padding - width];
      const [top, left] = room.map((n) => (from === 'center' ? Math.floor(n / 2) : random.below(n + 1)) - padding);
      return top === 0 && left === 0 && height === picture.height && width === picture.width
        ? picture
        : moved(
            picture,
            height,
            width,
            fill,
            (y) => y + top,
            (x) => x + left,
          );
    },
  };
}

export interface ShiftOptions {
  /** At most so many, in both directions. */
  readonly pixels: number;
  readonly fill?: number;
}

/** Moves by whole pixels. */
export function shift(options: ShiftOptions): Transform {
  const { pixels, fill = 0 } = options;
  whole('shift', 'pixels', pixels, 0);
  return {
    name: 'shift',
    options,
    apply: (picture, random) => {
      const [down, right] = [random.below(2 * pixels + 1) - pixels, random.below(2 * pixels + 1) - pixels];
      return down === 0 && right === 0
        ? picture
        : moved(
            picture,
            picture.height,
            picture.width,
            fill,
            (y) => y - down,
            (x) => x - right,
          );
    },
  };
}

export interface AffineOptions {
  /** Turned by at most so many degrees. */
  readonly degrees?: number;
  /** Enlarged by a factor from this range. */
  readonly scale?: readonly [least: number, most: number];
  /** Slanted by at most so many degrees. */
  readonly shear?: number;
  /** Moved by at most this share of the size. */
  readonly translate?: number;
  readonly fill?: number;
}

/** One drawn turn, size, slant and place about the middle, resampled once (bilinear). */
export function affine(options: AffineOptions = {}): Transform {
  const { degrees = 0, scale: range = [1, 1], shear: slant = 0, translate = 0, fill = 0 } = options;
  inRange('affine', 'degrees', degrees, 0, 360);
  inRange('affine', 'shear', slant, 0, 80);
  inRange('affine', 'translate', translate, 0, 1);
  inRange('affine', 'the smallest scale', range[0], 1e-3, range[1]);
  return {
    name: 'affine',
    options,
    apply: (picture, random) => {
      const turn = (symmetric(degrees, random) * Math.PI) / 180;
      const factor = range[0] + (range[1] - range[0]) * random.uniform();
      const lean = Math.tan((symmetric(slant, random) * Math.PI) / 180);
      const [down, right] = [symmetric(translate, random) * picture.height, symmetric(translate, random) * picture.width];
      const [cos, sin] = [Math.cos(turn) / factor, Math.sin(turn) / factor];
      const [middleY, middleX] = [(picture.height - 1) / 2, (picture.width - 1) / 2];
      const { height, width } = picture;
      const [fromY, fromX] = [new Float64Array(height * width), new Float64Array(height * width)];
      // From the place in the result back to the place in the picture.
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const dy = y - middleY - down;
          const unslanted = x - middleX - right - lean * dy;
          fromY[y * width + x] = middleY - sin * unslanted + cos * dy;
          fromX[y * width + x] = middleX + cos * unslanted + sin * dy;
        }
      }
      return resampled(picture, fill, fromY, fromX);
    },
  };
}

type Resampling = { readonly fill?: number };
const filled = ({ fill }: Resampling) => (fill === undefined ? {} : { fill });

/** Turns by at most `degrees`. */
export const rotate = (options: { readonly degrees: number } & Resampling): Transform => affine({ degrees: options.degrees, ...filled(options) });
/** Enlarges by a factor from `range`. */
export const scale = (options: { readonly range: readonly [number, number] } & Resampling): Transform => affine({ scale: options.range, ...filled(options) });
/** Slants by at most `degrees`. */
export const shear = (options: { readonly degrees: number } & Resampling): Transform => affine({ shear: options.degrees, ...filled(options) });

/** Bilinear interpolation at the fractional place (fromY, fromX) for every pixel; outside lies the fill. */
function resampled(picture: Picture, fill: number, fromY: Float64Array, fromX: Float64Array): Picture {
  const { height, width, channels, values } = picture;
  const result = blank(height, width, channels);
  const at = (y: number, x: number, c: number) => (y < 0 || x < 0 || y >= height || x >= width ? fill : values[(y * width + x) * channels + c]);
  for (let p = 0; p < height * width; p++) {
    const top = Math.floor(fromY[p]);
    const left = Math.floor(fromX[p]);
    const down = fromY[p] - top;
    const right = fromX[p] - left;
    for (let c = 0; c < channels; c++) {
      const upper = at(top, left, c) * (1 - right) + at(top, left + 1, c) * right;
      const lower = at(top + 1, left, c) * (1 - right) + at(top + 1, left + 1, c) * right;
      result.values[p * channels + c] = upper * (1 - down) + lower * down;
    }
  }
  return result;
}

export interface ElasticOptions {
  /** Strength of the displacement, pixels before smoothing (default 34). */
  readonly alpha?: number;
  /** Smoothness, pixels (default 4). */
  readonly sigma?: number;
  readonly fill?: number;
}

/**
 * Elastic distortion (Simard, Steinkraus, Platt 2003, section 2): every pixel moves by a field drawn uniformly from −1 … 1, smoothed with a Gaussian of
 * deviation `sigma` and multiplied by `alpha`. The defaults are the paper's for 29 × 29 digits.
 */
export function elastic(options: ElasticOptions = {}): Transform {
  const { alpha = 34, sigma = 4, fill = 0 } = options;
  inRange('elastic', 'alpha', alpha, 0, infinity);
  inRange('elastic', 'sigma', sigma, 0.1, 1000);
  const kernel = gaussian(sigma);
  return {
    name: 'elastic',
    options,
    apply: (picture, random) => {
      if (alpha === 0) return picture;
      const { height, width } = picture;
      const [fromY, fromX] = [smoothField(height, width, kernel, random), smoothField(height, width, kernel, random)];
      for (let p = 0; p < height * width; p++) {
        fromY[p] = Math.floor(p / width) + alpha * fromY[p];
        fromX[p] = (p % width) + alpha * fromX[p];
      }
      return resampled(picture, fill, fromY, fromX);
    },
  };
}

/** Weights of −3σ … 3σ that sum to 1. */
function gaussian(sigma: number): Float64Array {
  const reach = Math.ceil(3 * sigma);
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function smoothField(height: number, width: number, kernel: Float64Array, random: Generator): Float64Array {
  const drawn = new Float64Array(height * width);
  for (let p = 0; p < drawn.length; p++) drawn[p] = symmetric(1, random);
  return smoothedAndTurned(smoothedAndTurned(drawn, height, width, kernel), width, height, kernel);
}

/**
 * Convolution along the columns of [height, width], zero outside; the result is transposed, [width, height], so that smoothing twice is smoothing along both.
 * Four columns at a time: their sums stay in registers, which is where augmenting with `elastic` spends its time.
 */
function smoothedAndTurned(field: Float64Array, height: number, width: number, kernel: Float64Array): Float64Array {
  const reach = (kernel.length - 1) / 2;
  const result = new Float64Array(field.length);
  for (let y = 0; y < height; y++) {
    const [first, last] = [Math.max(0, y - reach), Math.min(height - 1, y + reach)];
    let x = 0;
    for (; x + 4 <= width; x += 4) {
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let from = first; from <= last; from++) {
        const weight = kernel[from - y + reach];
        const at = from * width + x;
        a += weight * field[at];
        b += weight * field[at + 1];
        c += weight * field[at + 2];
        d += weight * field[at + 3];
      }
      const to = x * height + y;
      result[to] = a;
      result[to + height] = b;
      result[to + 2 * height] = c;
      result[to + 3 * height] = d;
    }
    for (; x < width; x++) {
      let sum = 0;
      for (let from = first; from <= last; from++) sum += kernel[from - y + reach] * field[from * width + x];
      result[x * height + y] = sum;
    }
  }
  return result;
}
