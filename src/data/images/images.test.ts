/** Decoding, resizing, writing PNG. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeImage } from './decode.ts';
import { imageHeader } from './header.ts';
import { formed, type ImageForm, resized } from './pixels.ts';
import { encodePng } from './png.ts';

interface Decoded {
  readonly name: string;
  readonly file: string;
  readonly height: number;
  readonly width: number;
  readonly rgb: string;
}
const cases = JSON.parse(readFileSync(new URL('../../../test/fixtures/decoded.json', import.meta.url), 'utf8')) as readonly Decoded[];
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const form: ImageForm = { height: 24, width: 33, channels: 3, resize: 'refuse', convert: true };

describe('decoding', () => {
  test.each(cases)('$name: the pixels of an independent decoder', async ({ name, file, height, width, rgb }) => {
    const bytes = bytesOf(file);
    const pixels = await decodeImage(bytes, name);
    expect([pixels.height, pixels.width]).toEqual([height, width]);
    expect(imageHeader(bytes, name)).toMatchObject({ height, width, channels: pixels.channels });
    expect(pixels.channels).toBe(name.startsWith('grey') ? 1 : 3);
    const [ours, theirs] = [formed(pixels, form, name), bytesOf(rgb)];
    const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
    expect(worst).toBeLessThanOrEqual(name.endsWith('.png') ? 0 : 1);
  });

  test('PGM and PPM, with comments and other greatest values', async () => {
    const pgm = Uint8Array.of(...new TextEncoder().encode('P5\n# made by hand\n2 1\n100\n'), 0, 50);
    expect(await decodeImage(pgm)).toEqual({ height: 1, width: 2, channels: 1, data: Uint8Array.of(0, 128) });
    const ppm = Uint8Array.of(...new TextEncoder().encode('P6 1 1 255\n'), 1, 2, 3);
    expect((await decodeImage(ppm)).data).toEqual(Uint8Array.of(1, 2, 3));
    await expect(decodeImage(ppm.subarray(0, 13), 'a.ppm')).rejects.toThrow('a.ppm holds 2 of 3 values');
  });

  test('corrupt files are named', async () => {
    for (const { name, file } of cases) {
      const bytes = bytesOf(file);
      await expect(decodeImage(bytes.subarray(0, Math.floor(bytes.length * 0.6)), name)).rejects.toThrow(new RegExp(`image: ${name} `));
    }
    await expect(decodeImage(Uint8Array.of(1, 2, 3), 'x.png')).rejects.toThrow(/x\.png is no PNG, JPEG, PGM or PPM picture/);
    const huge = bytesOf(cases[0].file).fill(255, 16, 24);
    await expect(decodeImage(huge, 'huge.png')).rejects.toThrow(/huge\.png claims 4294967295 × 4294967295 pixels/);
  });
});

describe('PNG writing', () => {
  test('comes back, grey and colour', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 3),
        fc.nat(255),
        async (height, width, channels, seed) => {
          const data = Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 37 + seed * (i % 5)) & 255);
          const pixels = { height, width, channels, data };
          const back = await decodeImage(await encodePng(pixels));
          expect({ ...back, data: new Uint8Array(back.data) }).toEqual(pixels);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('resizing', () => {
  const even = (height: number, width: number, value: number) => ({ height, width, channels: 1, data: new Uint8Array(height * width).fill(value) });

  test('an even picture stays even at every size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (height, width, size, cover) => {
          expect(resized(even(height, width, 77), size, size + 1, cover)).toEqual(even(size, size + 1, 77));
        },
      ),
    );
  });

  test('halving averages, cover cuts evenly', () => {
    const ramp = { height: 1, width: 4, channels: 1, data: Uint8Array.of(0, 0, 100, 100) };
    const half = resized(ramp, 1, 2).data;
    expect(half[0] + half[1]).toBe(100);
    expect(half[0]).toBeLessThan(half[1]);
    const wide = { height: 2, width: 6, channels: 1, data: Uint8Array.of(9, 9, 1, 2, 9, 9, 9, 9, 3, 4, 9, 9) };
    expect(resized(wide, 2, 2, true).data).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  test('channels: converted when asked, refused otherwise', () => {
    const grey = { height: 1, width: 1, channels: 1, data: Uint8Array.of(5) };
    const colour = { height: 1, width: 1, channels: 4, data: Uint8Array.of(255, 0, 0, 9) };
    const one: ImageForm = { height: 1, width: 1, channels: 3, resize: 'refuse', convert: true };
    expect(formed(grey, one, 'a')).toEqual(Uint8Array.of(5, 5, 5));
    expect(formed(colour, { ...one, channels: 1 }, 'a')).toEqual(Uint8Array.of(76));
    expect(() => formed(grey, { ...one, convert: false }, 'a.png')).toThrow(/a\.png has 1 channel, not 3\. Give \{ channels: 1 \}/);
    expect(() => formed(grey, { ...one, height: 2 }, 'a.png')).toThrow(/a\.png is 1 × 1 pixels, not 2 × 1/);
  });
});
