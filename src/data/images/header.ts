/** What a picture's first bytes say of it, without decoding: PNG (W3C), JPEG (ITU-T T.81), PGM and PPM (Netpbm). */
import { fail } from '../../core/errors.ts';
import { latin1, viewOf } from '../formats/bytes.ts';
import { maximumExpansion } from '../formats/compression.ts';

export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'netpbm';
  readonly height: number;
  readonly width: number;
  /** Colour channels, without alpha. */
  readonly channels: 1 | 3;
}

/** A file that claims more pixels is refused before anything is allocated for it. */
const maximumPixels = 1 << 27;
/** The most that a byte can stand for: DEFLATE's greatest expansion, at one bit per pixel. */
const pixelsPerByte = maximumExpansion * 8;

export const isImageName = (path: string): boolean => /\.(png|jpe?g|pgm|ppm)$/i.test(path);

/** Takes the whole file. Errors: unknown formats, truncated headers, no pixels or more than the file can hold. */
export function imageHeader(bytes: Uint8Array, name: string): ImageHeader {
  const header = pngHeader(bytes) ?? jpegHeader(bytes) ?? netpbmHeader(bytes);
  if (header === undefined) return fail('data', 'image', `${name} is no PNG, JPEG, PGM or PPM picture`, 'The file is corrupt or of another format.');
  const { height, width } = header;
  if (height < 1 || width < 1 || height * width > maximumPixels)
    fail('data', 'image', `${name} claims ${height} × ${width} pixels`, `Pictures of 1 to ${maximumPixels} pixels are read; the file is corrupt or too large.`);
  if (height * width > pixelsPerByte * bytes.length)
    fail('data', 'image', `${name} claims ${height} × ${width} pixels in ${bytes.length} bytes`, 'The file is truncated or corrupt.');
  return header;
}

function pngHeader(bytes: Uint8Array): ImageHeader | undefined {
  if (bytes.length < 26 || latin1(bytes.subarray(0, 8)) !== '\x89PNG\r\n\x1a\n' || latin1(bytes.subarray(12, 16)) !== 'IHDR') return undefined;
  const view = viewOf(bytes);
  const grey = bytes[25] === 0 || bytes[25] === 4;
  return { format: 'png', width: view.getUint32(16), height: view.getUint32(20), channels: grey ? 1 : 3 };
}

/** Walks over the segments to the frame header (SOF0 … SOF15 without DHT, JPG, DAC). */
function jpegHeader(bytes: Uint8Array): ImageHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const view = viewOf(bytes);
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { format: 'jpeg', height: view.getUint16(at + 5), width: view.getUint16(at + 7), channels: bytes[at + 9] === 1 ? 1 : 3 };
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** P5 or P6, width, height, greatest value; `#` begins a comment. */
export function netpbmHeader(bytes: Uint8Array): (ImageHeader & { readonly start: number; readonly most: number }) | undefined {
  const kind = latin1(bytes.subarray(0, 2));
  if (kind !== 'P5' && kind !== 'P6') return undefined;
  const found = /^P[56](?:\s+|\s*#[^\n]*\n)+(\d+)(?:\s+|\s*#[^\n]*\n)+(\d+)(?:\s+|\s*#[^\n]*\n)+(\d+)\s/.exec(latin1(bytes.subarray(0, 512)));
  if (found === null) return undefined;
  const [width, height, most] = found.slice(1).map(Number);
  return { format: 'netpbm', width, height, channels: kind === 'P5' ? 1 : 3, start: found[0].length, most };
}
