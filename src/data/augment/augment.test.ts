/** Transforms: settings of nothing change nothing, known effects happen, the seed decides. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tensor } from '../../tensor/index.ts';
import { fromArrays, loader } from '../index.ts';
import { type Generator, generator } from '../random.ts';
import { colorComponents, statistics } from '../statistics.ts';
import type { Picture, Transform } from './index.ts';
import * as augment from './index.ts';

const size = fc.record({ height: fc.integer({ min: 1, max: 12 }), width: fc.integer({ min: 1, max: 12 }), channels: fc.constantFrom(1, 3) });
const picture = fc.tuple(size, fc.integer()).map(([shape, seed]): Picture => {
  const random = generator(seed);
  return { ...shape, values: Float32Array.from({ length: shape.height * shape.width * shape.channels }, () => random.uniform()) };
});
const square: Picture = { height: 9, width: 9, channels: 1, values: Float32Array.from({ length: 81 }, (_, i) => i / 81) };
/** Draws the same number again and again. */
const always = (value: number): Generator => ({ uniform: () => value, below: (n) => Math.floor(value * n), normal: () => value });

const nothing: readonly (readonly [string, Transform])[] = [
  ['flip', augment.flip({ probability: 0 })],
  ['pad', augment.pad({ pixels: 0 })],
  ['shift', augment.shift({ pixels: 0 })],
  ['affine', augment.affine()],
  ['rotate', augment.rotate({ degrees: 0 })],
  ['scale', augment.scale({ range: [1, 1] })],
  ['shear', augment.shear({ degrees: 0 })],
  ['elastic', augment.elastic({ alpha: 0 })],
  ['colorJitter', augment.colorJitter()],
  ['noise', augment.noise({ deviation: 0 })],
  ['cutout', augment.cutout({ size: 0 })],
  ['specAugment', augment.specAugment({ timeWidth: 0, frequencyWidth: 0 })],
  ['normalize', augment.normalize({ mean: [0], deviation: [1] })],
];

describe('transforms', () => {
  test.each(nothing)('%s with settings of nothing is the identity', (_, transform) => {
    fc.assert(
      fc.property(picture, fc.integer(), (image, seed) => {
        expect(transform.apply(image, generator(seed))).toEqual(image);
      }),
    );
  });

  test('flips are their own inverses and keep all values', () => {
    fc.assert(
      fc.property(picture, fc.boolean(), (image, vertical) => {
        const flip = augment.flip({ horizontal: !vertical, vertical, probability: 1 });
        const once = flip.apply(image, generator(1));
        expect(flip.apply(once, generator(2))).toEqual(image);
        expect([...once.values].sort()).toEqual([...image.values].sort());
      }),
    );
    const row: Picture = { height: 1, width: 2, channels: 2, values: Float32Array.of(1, 2, 3, 4) };
    expect([...augment.flip({ probability: 1 }).apply(row, generator(0)).values]).toEqual([3, 4, 1, 2]);
  });

  test('padding and cropping the middle give the picture back', () => {
    fc.assert(
      fc.property(picture, fc.integer({ min: 0, max: 4 }), (image, pixels) => {
        const padded = augment.pad({ pixels, fill: 0.5 }).apply(image, generator(0));
        expect([padded.height, padded.width]).toEqual([image.height + 2 * pixels, image.width + 2 * pixels]);
        expect(augment.crop({ size: [image.height, image.width], from: 'center' }).apply(padded, generator(0))).toEqual(image);
      }),
    );
  });

  test('a random crop is a window of the padded picture, and all windows come', () => {
    const crop = augment.crop({ size: 2, padding: 1 });
    const image: Picture = { height: 2, width: 2, channels: 1, values: Float32Array.of(1, 2, 3, 4) };
    const seen = new Set(Array.from({ length: 200 }, (_, seed) => [...crop.apply(image, generator(seed)).values].join()));
    const windows = ['0,0,0,1', '0,0,1,2', '0,0,2,0', '0,1,0,3', '1,2,3,4', '2,0,4,0', '0,3,0,0', '3,4,0,0', '4,0,0,0'];
    expect([...seen].sort()).toEqual(windows.sort());
    expect(crop.output?.([2, 2, 1])).toEqual([2, 2, 1]);
    expect(() => crop.output?.([0, 2, 1])).not.toThrow();
    expect(() => augment.crop({ size: 5 }).output?.([4, 4, 3])).toThrow(/a window of 5 × 5 does not fit into \[4, 4, 3\]/);
  });

  test('shift moves by whole pixels', () => {
    const moved = augment.shift({ pixels: 2, fill: 9 }).apply(square, always(0.99));
    for (let y = 0; y < 9; y++) for (let x = 0; x < 9; x++) expect(moved.values[9 * y + x]).toBe(y < 2 || x < 2 ? 9 : square.values[9 * (y - 2) + x - 2]);
  });

  test('a quarter turn moves every pixel to its place; turning back restores the middle', () => {
    const turned = augment.rotate({ degrees: 90 }).apply(square, always(1));
    for (let y = 0; y < 9; y++) for (let x = 0; x < 9; x++) expect(turned.values[9 * y + x]).toBeCloseTo(square.values[9 * (8 - x) + y], 5);
    const back = augment.rotate({ degrees: 90 }).apply(turned, always(0));
    for (let i = 0; i < 81; i++) expect(back.values[i]).toBeCloseTo(square.values[i], 5);
  });

  test('scaling by two spreads distances from the middle', () => {
    const line: Picture = { height: 1, width: 5, channels: 1, values: Float32Array.of(0, 1, 2, 3, 4) };
    expect([...augment.scale({ range: [2, 2] }).apply(line, always(0.5)).values]).toEqual([1, 1.5, 2, 2.5, 3]);
  });

  test('elastic displacements have the size that the smoothing leaves', () => {
    // A ramp shows the displacement itself. Smoothed uniform noise has the deviation alpha / √3 / (2 sigma √π).
    const n = 64;
    const ramp: Picture = { height: n, width: n, channels: 1, values: Float32Array.from({ length: n * n }, (_, i) => i % n) };
    const moved = augment.elastic({ alpha: 34, sigma: 4 }).apply(ramp, generator(3));
    let [squares, count] = [0, 0];
    for (let y = 16; y < 48; y++) for (let x = 16; x < 48; x++, count++) squares += (moved.values[n * y + x] - x) ** 2;
    const expected = 34 / Math.sqrt(3) / (2 * 4 * Math.sqrt(Math.PI));
    expect(Math.sqrt(squares / count) / expected).toBeGreaterThan(0.6);
    expect(Math.sqrt(squares / count) / expected).toBeLessThan(1.5);
  });

  test('colours: grey stays grey, saturation −1 makes grey, a hue turn keeps the luma', () => {
    const grey: Picture = { height: 1, width: 1, channels: 3, values: Float32Array.of(0.4, 0.4, 0.4) };
    for (const value of augment.colorJitter({ saturation: 0.9, hue: 0.5 }).apply(grey, generator(5)).values) expect(value).toBeCloseTo(0.4, 5);
    const colour: Picture = { height: 1, width: 1, channels: 3, values: Float32Array.of(0.5, 0.4, 0.3) };
    const luma = (v: Float32Array) => 0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2];
    for (const value of augment.colorJitter({ saturation: 1 }).apply(colour, always(0)).values) expect(value).toBeCloseTo(luma(colour.values), 5);
    expect(luma(augment.colorJitter({ hue: 0.3 }).apply(colour, always(0.9)).values)).toBeCloseTo(luma(colour.values), 5);
    expect(augment.colorJitter({ brightness: 1 }).apply(colour, always(1)).values[0]).toBe(1);
    expect(() => augment.colorJitter({ hue: 0.1 }).apply(square, generator(0))).toThrow(/need 3 channels, got 1/);
  });

  test('cutout and masks fill what they say', () => {
    const cut = augment.cutout({ size: 4, fill: -1 }).apply(square, always(0.5));
    expect(cut.values.filter((value) => value === -1)).toHaveLength(16);
    const masked = augment.specAugment({ timeMasks: 1, timeWidth: 3, frequencyMasks: 0, fill: -1 }).apply(square, always(0.999));
    expect(masked.values.filter((value) => value === -1)).toHaveLength(3 * 9);
  });

  test('wrong settings are named', () => {
    expect(() => augment.flip({ probability: 2 })).toThrow('flip: probability must be a number in 0 … 1, got 2.');
    expect(() => augment.pad({ pixels: 1.5 })).toThrow('pad: pixels must be a whole number ≥ 0, got 1.5.');
    expect(() => augment.elastic({ alpha: -1 })).toThrow('elastic: alpha must be a number at least 0, got -1.');
    expect(() => augment.normalize({ mean: [1, 2] }).apply(square, generator(0))).toThrow(/2 figures for 1 channels and 81 values/);
  });
});

const images = (n: number, side = 8, channels = 3) => {
  const random = generator(11);
  const x = tensor(
    Float32Array.from({ length: n * side * side * channels }, () => random.uniform()),
    { shape: [n, side, side, channels] },
  );
  return fromArrays(
    x,
    Array.from({ length: n }, (_, i) => i % 4),
    { classes: ['a', 'b', 'c', 'd'] },
  );
};
const list = [
  augment.flip(),
  augment.crop({ size: 6, padding: 1 }),
  augment.rotate({ degrees: 20 }),
  augment.colorJitter({ brightness: 0.3 }),
  augment.noise({ deviation: 0.1 }),
];

describe('augmented datasets', () => {
  test('pixels depend on the seed, the epoch and the example only', async () => {
    const dataset = images(12).augment(list, { seed: 5 });
    expect(dataset.fields[0].shape).toEqual([6, 6, 3]);
    const all = (
      await dataset.read(
        Array.from({ length: 12 }, (_, i) => i),
        3,
      )
    )[0];
    const size = 6 * 6 * 3;
    for (const row of [7, 0, 11]) expect((await dataset.read([row], 3))[0]).toEqual(all.subarray(row * size, (row + 1) * size));
    expect((await dataset.select([4, 7]).read([1], 3))[0]).toEqual(all.subarray(7 * size, 8 * size));
    expect((await dataset.read([7], 4))[0]).not.toEqual(all.subarray(7 * size, 8 * size));
    expect((await images(12).augment(list, { seed: 6 }).read([7], 3))[0]).not.toEqual(all.subarray(7 * size, 8 * size));
  });

  test('batch size, prefetching and resuming in mid-epoch do not matter', async () => {
    const dataset = images(20).augment(list, { seed: 2 });
    const epoch = async (batchSize: number, prefetch: number, breakAt = Number.POSITIVE_INFINITY) => {
      const values: number[] = [];
      let loads = loader(dataset, { batchSize, prefetch, shuffle: true, seed: 4 });
      for (let pass = 0; pass < 2; pass++) {
        for await (const { arrays } of loads.raw()) {
          values.push(...arrays[0]);
          if (loads.state.position >= breakAt && loads.state.epoch === 1) break;
        }
        if (breakAt < 20 && pass === 1) {
          const { state } = loads;
          loads = loader(dataset, { batchSize, prefetch, shuffle: true, seed: 4 });
          loads.state = state;
          for await (const { arrays } of loads.raw()) values.push(...arrays[0]);
        }
      }
      return values;
    };
    const reference = await epoch(20, 0);
    expect(await epoch(3, 0)).toEqual(reference);
    expect(await epoch(7, 3)).toEqual(reference);
    expect(await epoch(4, 2, 8)).toEqual(reference);
  });

  test('mixup mixes pictures and labels by the same share', async () => {
    const plain = fromArrays(
      Array.from({ length: 40 }, (_, i) => [i % 4]),
      Array.from({ length: 40 }, (_, i) => i % 4),
      { classes: ['a', 'b', 'c', 'd'] },
    );
    const mixed = plain.augment([augment.mixup({ alpha: 1 })], { seed: 1 });
    expect(mixed.fields[1]).toEqual({ name: 'y', shape: [4], dtype: 'float32' });
    const [x, y] = await mixed.read(Array.from({ length: 40 }, (_, i) => i));
    let between = 0;
    for (let i = 0; i < 40; i++) {
      const shares = [...y.subarray(4 * i, 4 * i + 4)];
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
      // The picture is its class's number, so the mixed one is the mean of the numbers.
      expect(x[i]).toBeCloseTo(
        shares.reduce((sum, share, c) => sum + share * c, 0),
        4,
      );
      if (shares.filter((share) => share > 0.05).length === 2) between++;
    }
    expect(between).toBeGreaterThan(15);
    expect((await mixed.read([17]))[0][0]).toBe(x[17]);
    expect(() => fromArrays([[1]], [0.5]).augment([augment.mixup()])).toThrow(/mixup: the examples have no integer labels/);
  });

  test('own functions are transforms too', async () => {
    const half: Transform = { name: 'half', apply: (image) => ({ ...image, values: image.values.map((value) => value / 2) }) };
    const [x] = await fromArrays([[4, 8]], [0])
      .augment([half])
      .read([0]);
    expect([...x]).toEqual([2, 4]);
  });
});

describe('statistics', () => {
  test('per channel and per value', async () => {
    const dataset = fromArrays([
      [[[1, 10]], [[3, 10]]],
      [[[5, 10]], [[7, 10]]],
    ]);
    expect(await statistics(dataset)).toEqual({ mean: Float64Array.of(4, 10), deviation: Float64Array.of(Math.sqrt(5), 0) });
    expect((await statistics(dataset, { per: 'value' })).mean).toEqual(Float64Array.of(3, 10, 5, 10));
    const normal = dataset.augment([augment.normalize(await statistics(dataset))]);
    const again = await statistics(normal);
    expect(again.mean[0]).toBeCloseTo(0, 6);
    expect(again.deviation[0]).toBeCloseTo(1, 6);
    expect([...again.mean.subarray(1), ...again.deviation.subarray(1)]).toEqual([0, 0]);
  });

  test('colour components: the directions in which colours vary', async () => {
    const random = generator(1);
    const pixels = Array.from({ length: 500 }, () => {
      const [light, warm] = [0.2 * random.normal(), 0.05 * random.normal()];
      return [0.5 + light / Math.sqrt(3) + warm / Math.SQRT2, 0.5 + light / Math.sqrt(3), 0.5 + light / Math.sqrt(3) - warm / Math.SQRT2];
    });
    const { values, vectors } = await colorComponents(fromArrays([[pixels]]));
    expect(Math.sqrt(values[0])).toBeCloseTo(0.2, 1);
    expect(Math.sqrt(values[1])).toBeCloseTo(0.05, 2);
    expect(values[2]).toBeCloseTo(0, 6);
    for (const v of vectors[0]) expect(Math.abs(v)).toBeCloseTo(1 / Math.sqrt(3), 1);
    const gray: Picture = { height: 1, width: 1, channels: 3, values: Float32Array.of(0.5, 0.5, 0.5) };
    const lit = augment.lighting({ components: { values, vectors }, strength: 1 }).apply(gray, always(1));
    const added = vectors.reduce((sum, vector, i) => sum + values[i] * vector[0], 0);
    expect(lit.values[0]).toBeCloseTo(0.5 + added, 5);
  });
});
