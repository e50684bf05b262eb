/** Random shapes: broadcasting, slicing, reductions and moves against naive code on nested indices. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, grad, type Tensor, tensor } from '../../src/tensor/index.ts';

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
const sizeOf = (shape: readonly number[]) => shape.reduce((p, d) => p * d, 1);
const valuesFor = (shape: readonly number[], seed = 1) => Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1.7 * i + seed));
const make = (shape: readonly number[], seed?: number) => tensor(valuesFor(shape, seed), { shape });

/** Calls visit for every index of a shape; at = its position, row by row. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((list, d) => list.flatMap((head) => Array.from({ length: d }, (_, i) => [...head, i])), [[]]);
}
const at = (shape: readonly number[], index: readonly number[]) => shape.reduce((p, d, i) => p * d + index[i], 0);
const same = (actual: Tensor, shape: readonly number[], expected: (index: number[]) => number) => {
  expect(actual.shape).toEqual(shape);
  const data = actual.dataSync();
  indices(shape).forEach((index, i) => expect(data[i]).toBeCloseTo(expected(index), 12));
};

describe('for random shapes', () => {
  it('broadcasting', () => {
    const pairs = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
        fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
        fc.nat(shape.length),
      ),
    );
    fc.assert(
      fc.property(pairs, ([shape, onesA, onesB, dropped]) => {
        const a = shape.map((d, i) => (onesA[i] ? 1 : d));
        const b = shape.map((d, i) => (onesB[i] ? 1 : d)).slice(dropped);
        const out = shape.map((d, i) => (onesA[i] && (i < dropped || onesB[i]) ? 1 : d));
        const clamp = (of: readonly number[], index: readonly number[]) =>
          at(
            of,
            of.map((d, i) => (d === 1 ? 0 : index[index.length - of.length + i])),
          );
        const [x, y] = [make(a, 1), make(b, 2)];
        const [xs, ys] = [valuesFor(a, 1), valuesFor(b, 2)];
        same(x.mul(y), out, (index) => xs[clamp(a, index)] * ys[clamp(b, index)]);
        // The gradient with respect to y sums over what y was stretched along.
        const expected = new Float64Array(ys.length);
        for (const index of indices(out)) expected[clamp(b, index)] += xs[clamp(a, index)];
        same(grad((t: Tensor) => x.mul(t).sum())(y), b, (index) => expected[at(b, index)]);
      }),
    );
  });

  it('slices with steps, and their gradient', () => {
    const cuts = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.tuple(...shape.map((d) => fc.tuple(fc.nat(d - 1), fc.integer({ min: 1, max: 3 }))))));
    fc.assert(
      fc.property(cuts, ([shape, cut]) => {
        const start = cut.map(([s]) => s);
        const step = cut.map(([, s]) => s);
        const size = shape.map((d, i) => Math.ceil((d - start[i]) / step[i]));
        const values = valuesFor(shape);
        same(
          make(shape).slice(start, size, { step }),
          size,
          (index) =>
            values[
              at(
                shape,
                index.map((k, i) => start[i] + k * step[i]),
              )
            ],
        );
        const taken = (index: readonly number[]) => index.every((k, i) => k >= start[i] && (k - start[i]) % step[i] === 0);
        same(grad((t: Tensor) => t.slice(start, size, { step }).square().sum())(make(shape)), shape, (index) =>
          taken(index) ? 2 * values[at(shape, index)] : 0,
        );
      }),
    );
  });

  it('sums along any axes', () => {
    fc.assert(
      fc.property(
        shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)))),
        ([shape, axes]) => {
          const values = valuesFor(shape);
          const kept = shape.map((d, i) => (axes.includes(i) ? 1 : d));
          const expected = new Float64Array(sizeOf(kept));
          for (const index of indices(shape))
            expected[
              at(
                kept,
                index.map((k, i) => (axes.includes(i) ? 0 : k)),
              )
            ] += values[at(shape, index)];
          same(make(shape).sum({ axis: axes, keepDims: true }), kept, (index) => expected[at(kept, index)]);
        },
      ),
    );
  });

  it('transposes, flips, pads; split and concat are inverse', () => {
    const orders = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
        fc.nat(shape.length - 1),
        fc.nat(3),
        fc.nat(3),
      ),
    );
    fc.assert(
      fc.property(orders, ([shape, order, axis, low, high]) => {
        const values = valuesFor(shape);
        const x = make(shape);
        same(
          x.transpose(order),
          order.map((a) => shape[a]),
          (index) =>
            values[
              at(
                shape,
                shape.map((_, a) => index[order.indexOf(a)]),
              )
            ],
        );
        same(
          x.flip(axis),
          shape,
          (index) =>
            values[
              at(
                shape,
                index.map((k, i) => (i === axis ? shape[i] - 1 - k : k)),
              )
            ],
        );
        const padding = shape.map((_, i): [number, number] => (i === axis ? [low, high] : [0, 0]));
        const padded = shape.map((d, i) => (i === axis ? d + low + high : d));
        same(x.pad(padding, { value: 5 }), padded, (index) =>
          index[axis] < low || index[axis] >= low + shape[axis]
            ? 5
            : values[
                at(
                  shape,
                  index.map((k, i) => (i === axis ? k - low : k)),
                )
              ],
        );
        same(concat(x.split(shape[axis], axis), axis), shape, (index) => values[at(shape, index)]);
      }),
    );
  });
});
