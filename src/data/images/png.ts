/** Writes PNG (W3C): 8 bits, grey or colour, every row filtered by its difference from the one above. */
import { crc32 } from '../../io/crc.ts';
import { joined, viewOf } from '../formats/bytes.ts';
import { deflate } from '../formats/compression.ts';
import { type Pixels, withoutAlpha } from './pixels.ts';

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = viewOf(bytes);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

export async function encodePng(pixels: Pixels): Promise<Uint8Array> {
  const { height, width, channels, data } = withoutAlpha(pixels);
  const header = new Uint8Array(13);
  viewOf(header).setUint32(0, width);
  viewOf(header).setUint32(4, height);
  header.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8);
  const row = width * channels;
  const filtered = new Uint8Array(height * (row + 1));
  const up = 2;
  for (let y = 0; y < height; y++) {
    filtered[y * (row + 1)] = up;
    for (let i = 0; i < row; i++) filtered[y * (row + 1) + 1 + i] = data[y * row + i] - (y === 0 ? 0 : data[(y - 1) * row + i]);
  }
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return joined([signature, chunk('IHDR', header), chunk('IDAT', await deflate(filtered, 'deflate')), chunk('IEND', new Uint8Array(0))]);
}
