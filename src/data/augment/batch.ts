/**
 * Augments a batch. Every transform of every example has a random stream of its own, seeded by (seed, epoch, example number, position in the list), so the
 * result depends neither on the batch nor on who computes it.
 */
import type { TypedArray } from '../../core/dtype.ts';
import { generator } from '../random.ts';
import type { Arrays, Augmentation, Field } from '../source.ts';
import { isMixup, mixingShare } from './mixup.ts';
import { type Picture, pictureShape, type Transform } from './transform.ts';

/** Streams: of an example, of the one that is mixed into it, of the choice of that one. */
const [own, partners, choice] = [0xa06, 0x9a27, 0x9a28];

/** The example that mixup mixes into another. */
export const partnerOf = (row: number, length: number, seed: number, epoch: number): number => generator(seed, choice, epoch, row).below(length);

/** The first field's values through all transforms; with mixup the second field's labels as probabilities. `mixed` holds the partners. */
export function augmentBatch({ fields, classes, transforms, seed, epoch, rows }: Augmentation, arrays: Arrays, mixed?: Arrays): Arrays {
  const at = transforms.findIndex(isMixup);
  const picture = (values: TypedArray, i: number): Picture => {
    const [height, width, channels] = pictureShape(fields[0].shape);
    const size = height * width * channels;
    return { height, width, channels, values: Float32Array.from(values.subarray(i * size, (i + 1) * size)) };
  };
  const run = (start: Picture, from: number, to: number, stream: number, row: number): Picture =>
    transforms.slice(from, to).reduce((current, transform, i) => transform.apply(current, generator(seed, stream, epoch, row, from + i)), start);

  let images: Float32Array | undefined;
  const probabilities = mixed && new Float32Array(rows.length * classes);
  for (const [i, row] of Array.from(rows).entries()) {
    let result = run(picture(arrays[0], i), 0, mixed ? at : transforms.length, own, row);
    if (mixed && probabilities) {
      const other = run(picture(mixed[0], i), 0, at, partners, row);
      const share = mixingShare(transforms[at], generator(seed, own, epoch, row, at));
      result = { ...result, values: result.values.map((value, j) => share * value + (1 - share) * other.values[j]) };
      probabilities[i * classes + arrays[1][i]] += share;
      probabilities[i * classes + mixed[1][i]] += 1 - share;
      result = run(result, at + 1, transforms.length, own, row);
    }
    images ??= new Float32Array(rows.length * result.values.length);
    images.set(result.values, i * result.values.length);
  }
  return [images ?? new Float32Array(0), ...(probabilities ? [probabilities] : arrays.slice(1, 2)), ...arrays.slice(2)];
}

/** What the fields become. */
export function augmentedFields(fields: readonly Field[], transforms: readonly Transform[], classes: number): readonly Field[] {
  const [x, y, ...rest] = fields.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  const start: readonly number[] = pictureShape(x.shape);
  const shape = transforms.reduce((current, transform) => transform.output?.(current) ?? current, start);
  const changed = shape.some((d, i) => d !== start[i]);
  const image: Field = { name: x.name, shape: changed ? shape : x.shape, dtype: 'float32' };
  const labels: readonly Field[] = y === undefined ? [] : transforms.some(isMixup) ? [{ name: y.name, shape: [classes], dtype: 'float32' }] : [y];
  return [image, ...labels, ...rest];
}
