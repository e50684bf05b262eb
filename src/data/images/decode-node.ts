/** PNG and JPEG in Node through sharp, an optional package that is loaded when it is first needed. */
import { fail } from '../../core/errors.ts';
import type { Pixels } from './pixels.ts';

type Sharp = typeof import('sharp')['default'];
let loading: Promise<Sharp> | undefined;

async function loadSharp(): Promise<Sharp> {
  const loaded = await import('sharp').catch((error: unknown) =>
    fail('state', 'image', 'PNG and JPEG pictures are decoded by the package sharp, which is not installed', 'Run: npm install sharp', error),
  );
  // Many small pictures are decoded at the same time; more threads within one, and a cache of operations, would only cost.
  loaded.default.concurrency(1);
  loaded.default.cache(false);
  return loaded.default;
}

/** The file's own pixels: no colour profile applied, not turned, 8 bits. Errors: whatever the decoder finds amiss, truncation too. */
export async function decodeWithSharp(bytes: Uint8Array, channels: 1 | 3): Promise<Pixels> {
  loading ??= loadSharp();
  const sharp = await loading;
  const image = sharp(bytes, { failOn: 'warning', ignoreIcc: true, animated: false }).removeAlpha();
  const { data, info } = await image
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { height: info.height, width: info.width, channels: info.channels, data };
}
