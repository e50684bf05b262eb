/** Transforms for `dataset.augment([...])`. */
export {
  type ColorComponents,
  type ColorJitterOptions,
  colorJitter,
  type LightingOptions,
  lighting,
  type NoiseOptions,
  type NormalizeOptions,
  noise,
  normalize,
} from './color.ts';
export { type CutoutOptions, cutout, type SpecAugmentOptions, specAugment } from './erase.ts';
export {
  type AffineOptions,
  affine,
  type CropOptions,
  crop,
  type ElasticOptions,
  elastic,
  type FlipOptions,
  flip,
  type PadOptions,
  pad,
  rotate,
  type ShiftOptions,
  scale,
  shear,
  shift,
} from './geometry.ts';
export { type MixupOptions, mixup } from './mixup.ts';
export type { Picture, Transform } from './transform.ts';
