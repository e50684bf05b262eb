/** Writing of PNG images (W3C PNG, third edition): 8 bits per channel, no filter, compressed by the platform's deflate. */
import { crc32 } from './crc.ts';
import { joined, littleEndian } from './protobuf.ts';

const signature = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** PNG's colour types by the number of channels: grey, grey with opacity, colours, colours with opacity. */
const colourTypes: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = joined([new TextEncoder().encode(type), data]);
  const number = (value: number) => littleEndian(4, (view) => view.setUint32(0, value)); // big-endian in PNG
  return joined([number(data.length), body, number(crc32(body))]);
}

/** The file of an image [height, width, channels] of bytes, row by row; 1 to 4 channels. */
export async function encodePng(pixels: Uint8Array, [height, width, channels]: readonly [number, number, number]): Promise<Uint8Array> {
  const row = width * channels;
  const lines = new Uint8Array(height * (row + 1)); // each line begins with its filter: 0, none
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = littleEndian(13, (view) => {
    view.setUint32(0, width);
    view.setUint32(4, height);
    view.setUint8(8, 8);
    view.setUint8(9, colourTypes[channels]);
  });
  return joined([signature, chunk('IHDR', header), chunk('IDAT', await deflated(lines)), chunk('IEND', new Uint8Array(0))]);
}

async function deflated(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
