/** Decodes pictures: PGM and PPM here, PNG and JPEG by sharp in Node and by the browser in a browser. */
import { fail, GradixError } from '../../core/errors.ts';
import { isNode } from '../../io/files.ts';
import type { NamedBytes } from '../formats/file-set.ts';
import { imageHeader, netpbmHeader } from './header.ts';
import { formed, type ImageForm, type Pixels } from './pixels.ts';

/** Decodes one file. Errors: corrupt, another format, or (in Node) sharp is not installed. */
export async function decodeImage(bytes: Uint8Array, name = 'the picture'): Promise<Pixels> {
  const header = imageHeader(bytes, name);
  if (header.format === 'netpbm') return decodeNetpbm(bytes, name);
  const decoder = await platformDecoder();
  let pixels: Pixels;
  try {
    pixels = await decoder(bytes, header.channels);
  } catch (error) {
    if (error instanceof GradixError) throw error;
    return fail(
      'data',
      'image',
      `${name} cannot be decoded: ${firstLine(error)}`,
      "Remove or replace the file, or leave such files out with { corrupt: 'skip' }.",
      error,
    );
  }
  return pixels;
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0];

type Decoder = (bytes: Uint8Array, channels: 1 | 3) => Promise<Pixels>;

async function platformDecoder(): Promise<Decoder> {
  return isNode ? (await import('./decode-node.ts')).decodeWithSharp : decodeInBrowser;
}

/** Without colour management and turning, so that the pixels are those of the file. */
async function decodeInBrowser(bytes: Uint8Array, channels: 1 | 3): Promise<Pixels> {
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d') ?? fail('device', 'image', 'this browser gives no 2d canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < channels; c++) values[i * channels + c] = data[4 * i + c];
  return { height, width, channels, data: values };
}

function decodeNetpbm(bytes: Uint8Array, name: string): Pixels {
  const header = netpbmHeader(bytes) ?? fail('internal', 'image', `${name} lost its header`);
  const { width, height, channels, start, most } = header;
  const size = width * height * channels;
  if (most < 1 || most > 255) fail('data', 'image', `${name} has values up to ${most}; 8 bits (up to 255) are read`);
  if (bytes.length - start < size) fail('data', 'image', `${name} holds ${bytes.length - start} of ${size} values`, 'The file is truncated.');
  const data = bytes.slice(start, start + size);
  if (most !== 255) for (let i = 0; i < size; i++) data[i] = Math.round((Math.min(data[i], most) * 255) / most);
  return { height, width, channels, data };
}

/** All files in one form, one after the other. */
export async function decodeInto(files: readonly NamedBytes[], form: ImageForm): Promise<Uint8Array> {
  const size = form.height * form.width * form.channels;
  const all = new Uint8Array(files.length * size);
  await Promise.all(
    files.map(async ({ name, bytes }, i) => {
      all.set(formed(await decodeImage(bytes, name), form, name), i * size);
    }),
  );
  return all;
}
