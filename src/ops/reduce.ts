/** Reductions: folds along axes that then disappear, and the position of an extreme along one axis. */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { dropAxes, keepAxes, type Shape, sizeOf, stridesOf } from '../core/shape.ts';
import type { OpName } from '../graph/attributes.ts';
import { attributesOf, type Node } from '../graph/node.ts';
import * as build from './build.ts';
import { checkAxes, checkCount, checkDType } from './check.ts';
import type { Op, Sample, SampleInput } from './op.ts';
import { define } from './registry.ts';
import { copyStrided } from './strided.ts';

type Fold = 'sum' | 'prod' | 'max' | 'min';

/** An array seen as [outer, length, inner], to be folded along the middle. */
interface Folded {
  readonly x: TypedArray;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Folds into accumulators that have their starting values. Float sums are carried in float64. */
type Loop = (folded: Folded, accumulators: TypedArray) => void;

interface Facts {
  readonly doc: string;
  /** Where accumulators start: at a number, or at the first element (whole numbers have no infinity). */
  readonly start: number | 'first';
  readonly loop: Loop;
  readonly integerLoop: Loop;
  readonly gradient: (node: Node, dOut: Node, x: Node, axes: readonly number[]) => Node;
}

/** Axes next to each other (but for ones) need no copy; others are first moved to the end. */
function foldedView(x: TypedArray, shape: Shape, axes: readonly number[]): Folded {
  const first = axes[0];
  const last = axes[axes.length - 1];
  const together = shape.every((d, i) => i < first || i > last || d === 1 || axes.includes(i));
  if (together) return { x, outer: sizeOf(shape.slice(0, first)), length: sizeOf(shape.slice(first, last + 1)), inner: sizeOf(shape.slice(last + 1)) };
  const order = [...shape.keys()].filter((i) => !axes.includes(i)).concat(axes);
  const strides = stridesOf(shape);
  const moved = order.map((i) => shape[i]);
  const copy = x.slice();
  copyStrided(moved, { array: x, offset: 0, strides: order.map((i) => strides[i]) }, { array: copy, offset: 0, strides: stridesOf(moved) });
  const length = sizeOf(axes.map((i) => shape[i]));
  return { x: copy, outer: length === 0 ? sizeOf(dropAxes(shape, axes)) : x.length / length, length, inner: 1 };
}

/** The loops of a fold that is written as a function of two numbers. */
const loopOf =
  (step: (total: number, value: number) => number): Loop =>
  ({ x, outer, length, inner }, accumulators) => {
    for (let o = 0, p = 0; o < outer; o++) {
      for (let k = 0; k < length; k++) {
        for (let i = 0, q = o * inner; i < inner; i++, p++, q++) accumulators[q] = step(accumulators[q], x[p]);
      }
    }
  };

const sumLoop: Loop = ({ x, outer, length, inner }, accumulators) => {
  if (inner === 1) {
    for (let o = 0, p = 0; o < outer; o++) {
      let total = 0;
      for (const end = p + length; p < end; p++) total += x[p];
      accumulators[o] = total;
    }
    return;
  }
  for (let o = 0, p = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      for (let i = 0, q = o * inner; i < inner; i++, p++, q++) accumulators[q] += x[p];
    }
  }
};

const largest = loopOf((a, x) => (x > a || Number.isNaN(x) ? x : a));
const smallest = loopOf((a, x) => (x < a || Number.isNaN(x) ? x : a));

const shapesAndAxes: readonly (readonly [Shape, readonly number[]])[] = [
  [[7], [0]],
  [[1], [0]],
  [[3, 5], [1]],
  [[3, 5], [0]],
  [
    [5, 3],
    [0, 1],
  ],
  [[2, 3, 5], [1]],
  [
    [3, 2, 5],
    [0, 2],
  ],
  [
    [2, 3, 1, 7],
    [1, 2],
  ],
  [
    [2, 3, 2, 5],
    [0, 1, 2],
  ],
  [
    [2, 3, 2, 5],
    [1, 3],
  ],
  [[13, 37], [1]],
  [[0, 3], [1]],
  [
    [2, 0, 3],
    [0, 2],
  ],
];

function reduction<K extends Fold>(name: K, facts: Facts): Op<K> {
  const extreme = name === 'max' || name === 'min';
  const folded = (x: { readonly shape: Shape }, axes: readonly number[]) => sizeOf(axes.map((a) => x.shape[a]));
  return define<K>({
    name,
    kind: 'reduction',
    doc: facts.doc,
    infer: (inputs, { axes }) => {
      checkCount(name, inputs, 1);
      const [x] = inputs;
      checkDType(name, x.dtype, extreme ? 'any' : 'number');
      if (!extreme && x.dtype === 'uint8') fail('dtype', name, 'expected float32, float64 or int32, got uint8', "Cast to 'int32' first.");
      checkAxes(name, axes, x.shape.length);
      if (axes.length === 0) fail('axis', name, 'expected at least one axis, got none');
      if (extreme && folded(x, axes) === 0) fail('shape', name, `there is no ${name} of no elements (input ${showShape(x.shape)}, axes ${showShape(axes)})`);
      return { shape: dropAxes(x.shape, axes), dtype: x.dtype };
    },
    gradient: (node, dOut) => [facts.gradient(node, dOut, node.inputs[0], (attributesOf(node, name) as { axes: readonly number[] }).axes)],
    evaluate: ({ node, inputs: [x] }) => {
      const { axes } = attributesOf(node, name) as { axes: readonly number[] };
      const view = foldedView(x, node.inputs[0].shape, axes);
      const single = node.dtype === 'float32';
      const accumulators = newArray(single ? 'float64' : node.dtype, view.outer * view.inner);
      if (facts.start !== 'first') accumulators.fill(facts.start);
      else for (let o = 0, p = 0; o < view.outer; o++, p += view.length * view.inner) accumulators.set(view.x.subarray(p, p + view.inner), o * view.inner);
      (node.dtype === 'int32' ? facts.integerLoop : facts.loop)(view, accumulators);
      return single ? Float32Array.from(accumulators) : accumulators;
    },
    samples: () => {
      const input: SampleInput = extreme ? { shape: [], distinct: true } : name === 'prod' ? { shape: [], low: 0.5, high: 1.5 } : { shape: [] };
      const samples: Sample<Fold>[] = shapesAndAxes
        .filter(([shape, axes]) => (!extreme || folded({ shape }, axes) > 0) && (name !== 'prod' || sizeOf(shape) < 100))
        .map(([shape, axes]) => ({ name: `${showShape(shape)} along ${showShape(axes)}`, inputs: [{ ...input, shape }], attributes: { axes } }));
      samples.push({ name: 'int32', inputs: [{ shape: [3, 5], dtype: 'int32', low: -9, high: 9 }], attributes: { axes: [1] } });
      samples.push({ name: 'float64', inputs: [{ ...input, shape: [3, 5], dtype: 'float64' }], attributes: { axes: [0] } });
      if (!extreme) samples.push({ name: 'nothing', inputs: [{ shape: [3, 0] }], attributes: { axes: [1] } });
      if (name === 'prod')
        samples.push({ name: 'zeros', inputs: [{ shape: [3, 4], values: [1, 0, 2, 3, 0, 0, 4, 5, 1, 2, -3, 4] }], attributes: { axes: [1] } });
      if (extreme) {
        const values = [1, Number.NaN, 3, Number.NEGATIVE_INFINITY, -1, -2, Number.POSITIVE_INFINITY, 4, 4];
        samples.push({ name: 'edges', inputs: [{ shape: [3, 3], values }], attributes: { axes: [1] }, differentiable: false });
        for (const dtype of ['uint8', 'bool'] as const)
          samples.push({ name: dtype, inputs: [{ shape: [3, 5], dtype, low: 0, high: 200 }], attributes: { axes: [0] } });
      }
      return samples as unknown as Sample<K>[];
    },
  });
}

/** A folded node stretched back over the axes that were folded. */
const stretch = (folded: Node, like: Node, axes: readonly number[]): Node => build.broadcast(build.reshape(folded, keepAxes(like.shape, axes)), like.shape);

/** The elements that equal the extreme share its gradient evenly. */
function extremeGradient(node: Node, dOut: Node, x: Node, axes: readonly number[]): Node {
  const hit = build.cast(build.equal(x, stretch(node, x, axes)), x.dtype);
  return build.mul(hit, stretch(build.div(dOut, build.sum(hit, axes)), x, axes));
}

/** Along the last axis, the product of everything before each element; by doubling, so log₂ n steps, and zeros do no harm. */
function productBefore(x: Node): Node {
  const [rows, length] = x.shape;
  const shifted = (p: Node, by: number): Node =>
    build.pad(
      build.slice(p, [0, 0], [rows, length - by]),
      [
        [0, 0],
        [by, 0],
      ],
      1,
    );
  let product = shifted(x, 1);
  for (let reach = 1; reach < length - 1; reach *= 2) product = build.mul(product, shifted(product, reach));
  return product;
}

/** d(∏x)/dxᵢ = ∏ of all others = everything before · everything after: right where elements are 0, unlike ∏x / xᵢ. */
function prodGradient(_: Node, dOut: Node, x: Node, axes: readonly number[]): Node {
  const order = [...x.shape.keys()].filter((i) => !axes.includes(i)).concat(axes);
  const length = sizeOf(axes.map((a) => x.shape[a]));
  if (length <= 1 || sizeOf(x.shape) === 0) return stretch(dOut, x, axes);
  const moved = build.permute(x, order);
  const rows = build.reshape(moved, [sizeOf(x.shape) / length, length]);
  const others = build.mul(productBefore(rows), build.flip(productBefore(build.flip(rows, [1])), [1]));
  return build.mul(
    stretch(dOut, x, axes),
    build.permute(
      build.reshape(others, moved.shape),
      order.map((_, i) => order.indexOf(i)),
    ),
  );
}

function argExtreme<K extends 'argMax' | 'argMin'>(name: K, doc: string, beats: (x: number, best: number) => boolean): Op<K> {
  const cases: readonly (readonly [Shape, number])[] = [
    [[7], 0],
    [[1], 0],
    [[3, 5], 1],
    [[3, 5], 0],
    [[2, 3, 5], 1],
    [[2, 3, 1, 7], 3],
    [[0, 3], 1],
  ];
  const edges = [1, Number.NaN, 3, 2, 5, 5, Number.NaN, 0, Number.NaN, -1, -1, Number.NEGATIVE_INFINITY];
  return define<K>({
    name,
    kind: 'reduction',
    doc,
    infer: (inputs, { axis }) => {
      checkCount(name, inputs, 1);
      const { shape, dtype } = inputs[0];
      checkDType(name, dtype, 'any');
      checkAxes(name, [axis], shape.length);
      if (shape[axis] === 0) fail('shape', name, `there is no extreme of no elements (input ${showShape(shape)}, axis ${axis})`);
      return { shape: dropAxes(shape, [axis]), dtype: 'int32' };
    },
    gradient: null,
    evaluate: ({ node, inputs: [x] }) => {
      const { axis } = attributesOf(node, name) as { axis: number };
      const { outer, length, inner } = foldedView(x, node.inputs[0].shape, [axis]);
      const out = newArray('int32', outer * inner);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const base = o * length * inner + i;
          let best = x[base];
          let at = 0;
          for (let k = 1, p = base + inner; k < length; k++, p += inner) {
            if (beats(x[p], best) || (Number.isNaN(x[p]) && !Number.isNaN(best))) {
              best = x[p];
              at = k;
            }
          }
          out[o * inner + i] = at;
        }
      }
      return out;
    },
    samples: () =>
      [
        ...cases.map(([shape, axis]) => ({ name: `${showShape(shape)} along ${axis}`, inputs: [{ shape, distinct: true }], attributes: { axis } })),
        { name: 'ties', inputs: [{ shape: [4, 6], dtype: 'int32', low: 0, high: 2 }], attributes: { axis: 1 } },
        { name: 'edges', inputs: [{ shape: [4, 3], values: edges }], attributes: { axis: 1 } },
      ] as unknown as Sample<K>[],
  });
}

const int32Sum = loopOf((total, x) => (total + x) | 0);

export const reduceOps = {
  sum: reduction('sum', {
    doc: 'The sum along axes; 0 of nothing.',
    start: 0,
    loop: sumLoop,
    integerLoop: int32Sum,
    gradient: (_, dOut, x, axes) => stretch(dOut, x, axes),
  }),
  prod: reduction('prod', {
    doc: 'The product along axes; 1 of nothing.',
    start: 1,
    loop: loopOf((total, x) => total * x),
    integerLoop: loopOf(Math.imul),
    gradient: prodGradient,
  }),
  max: reduction('max', {
    doc: 'The largest along axes; NaN if there is one; equal elements share the gradient.',
    start: 'first',
    loop: largest,
    integerLoop: largest,
    gradient: extremeGradient,
  }),
  min: reduction('min', {
    doc: 'The smallest along axes; NaN if there is one; equal elements share the gradient.',
    start: 'first',
    loop: smallest,
    integerLoop: smallest,
    gradient: extremeGradient,
  }),
  argMax: argExtreme('argMax', 'The position of the largest along an axis: the first of equals; NaN counts as the largest.', (x, best) => x > best),
  argMin: argExtreme('argMin', 'The position of the smallest along an axis: the first of equals; NaN counts as the smallest.', (x, best) => x < best),
} satisfies Partial<{ [K in OpName]: Op<K> }>;
