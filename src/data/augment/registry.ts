/** The transforms by name, for worker threads, which get names and options. */
import { fail } from '../../core/errors.ts';
import { colorJitter, lighting, noise, normalize } from './color.ts';
import { cutout, specAugment } from './erase.ts';
import { affine, crop, elastic, flip, pad, shift } from './geometry.ts';
import { mixup } from './mixup.ts';
import type { Transform } from './transform.ts';

// The options of every one are its own type; a worker gets back what it sent.
const makers = { flip, pad, crop, shift, affine, elastic, colorJitter, lighting, noise, normalize, cutout, specAugment, mixup } as unknown as Readonly<
  Record<string, (options: object) => Transform>
>;

export function builtIn(name: string, options: object): Transform {
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  return make?.(options) ?? fail('internal', 'augment', `there is no transform ${name}`);
}
