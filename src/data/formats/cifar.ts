/**
 * The binary form of CIFAR-10 and CIFAR-100 (Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html): records of one label byte (CIFAR-100: coarse, then fine)
 * and 3,072 bytes of a 32 × 32 image, plane after plane. Read as channels last.
 */
import { fail } from '../../core/errors.ts';

export interface CifarBatch {
  /** [count, 32, 32, 3] */
  readonly images: Uint8Array;
  /** [count]; of CIFAR-100 the fine labels. */
  readonly labels: Uint8Array;
}

const side = 32;
const pixels = side * side;

export function parseCifar(bytes: Uint8Array, { classes = 10, name = 'the data' }: { readonly classes?: 10 | 100; readonly name?: string } = {}): CifarBatch {
  const labelBytes = classes === 10 ? 1 : 2;
  const record = labelBytes + 3 * pixels;
  if (bytes.length === 0 || bytes.length % record !== 0)
    fail('data', 'cifar', `${name} has ${bytes.length} bytes, which is no whole number of records of ${record}`, 'The file is truncated or not CIFAR binary.');
  const count = bytes.length / record;
  const images = new Uint8Array(count * 3 * pixels);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * record + labelBytes;
    labels[i] = bytes[start - 1];
    if (labels[i] >= classes) fail('data', 'cifar', `${name}: label ${labels[i]} of example ${i} is outside 0 … ${classes - 1}`, 'The file is corrupt.');
    const image = images.subarray(i * 3 * pixels, (i + 1) * 3 * pixels);
    for (let channel = 0; channel < 3; channel++) for (let p = 0; p < pixels; p++) image[3 * p + channel] = bytes[start + channel * pixels + p];
  }
  return { images, labels };
}
