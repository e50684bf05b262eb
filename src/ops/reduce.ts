/** Reductions: folds along axes that then disappear, and the position of an extreme along one axis. */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { dropAxes, keepAxes, type Shape, sizeOf, stridesOf, type TensorType } from '../core/shape.ts';
import type { ArgFold, Fold } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import * as build from './build.ts';
import { checkAxes, checkOperands } from './check.ts';
import { family, fromTable, type Member } from './registry.ts';
import { gathered } from './strided.ts';

type ArgFacts = { readonly doc: string; readonly beats: (x: number, best: number) => boolean };

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
  /** For int32, where it differs. */
  readonly integerLoop?: Loop;
  readonly gradient: (node: Node, dOut: Node, x: Node, axes: readonly number[]) => Node;
}

/** Axes next to each other (but for ones) need no copy; others are first moved to the end. */
function foldedView(x: TypedArray, { dtype, shape }: TensorType, axes: readonly number[]): Folded {
  const first = axes[0];
  const last = axes[axes.length - 1];
  const together = shape.every((d, i) => i < first || i > last || d === 1 || axes.includes(i));
  if (together) return { x, outer: sizeOf(shape.slice(0, first)), length: sizeOf(shape.slice(first, last + 1)), inner: sizeOf(shape.slice(last + 1)) };
  const order = foldedLast(shape, axes);
  const strides = stridesOf(shape);
  const [moved, steps] = [shape, strides].map((list) => order.map((i) => list[i]));
  const length = foldedSize(shape, axes);
  return { x: gathered(dtype, moved, x, steps), outer: length === 0 ? sizeOf(dropAxes(shape, axes)) : x.length / length, length, inner: 1 };
}

const foldedLast = (shape: Shape, axes: readonly number[]): number[] => [...shape.keys()].filter((i) => !axes.includes(i)).concat(axes);
const foldedSize = (shape: Shape, axes: readonly number[]): number => sizeOf(axes.map((a) => shape[a]));

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
  for (let o = 0, p = 0; o < outer; o++) {
    if (inner === 1) {
      let total = 0;
      for (const end = p + length; p < end; p++) total += x[p];
      accumulators[o] = total;
    } else {
      for (let k = 0; k < length; k++) for (let i = 0, q = o * inner; i < inner; i++, p++, q++) accumulators[q] += x[p];
    }
  }
};

function fold(name: Fold, { doc, start, loop, integerLoop = loop, gradient }: Facts): Member<Fold> {
  const extreme = start === 'first';
  return {
    doc,
    infer: (given, { axes }) => {
      const [{ shape, dtype }] = checkOperands(name, given, 1, extreme ? 'any' : 'summable');
      checkAxes(name, axes, shape.length);
      if (axes.length === 0) fail('axis', name, 'expected at least one axis, got none');
      if (extreme && foldedSize(shape, axes) === 0)
        fail('shape', name, `there is no ${name} of no elements (input ${showShape(shape)}, axes ${showShape(axes)})`);
      return { shape: dropAxes(shape, axes), dtype };
    },
    gradient: (node, dOut) => [gradient(node, dOut, node.inputs[0], node.attributes.axes)],
    evaluate: ({ node, inputs: [x] }) => {
      const view = foldedView(x, node.inputs[0], node.attributes.axes);
      const single = node.dtype === 'float32';
      const accumulators = newArray(single ? 'float64' : node.dtype, view.outer * view.inner);
      if (start !== 'first') accumulators.fill(start);
      else for (let o = 0, p = 0; o < view.outer; o++, p += view.length * view.inner) accumulators.set(view.x.subarray(p, p + view.inner), o * view.inner);
      (node.dtype === 'int32' ? integerLoop : loop)(view, accumulators);
      return single ? Float32Array.from(accumulators) : accumulators;
    },
  };
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
  const none = [0, 0] as const;
  const shifted = (p: Node, by: number): Node => build.pad(build.slice(p, none, [rows, length - by]), [none, [by, 0]], 1);
  let product = shifted(x, 1);
  for (let reach = 1; reach < length - 1; reach *= 2) product = build.mul(product, shifted(product, reach));
  return product;
}

/** d(∏x)/dxᵢ = ∏ of all others = everything before · everything after: right where elements are 0, unlike ∏x / xᵢ. */
function prodGradient(_: Node, dOut: Node, x: Node, axes: readonly number[]): Node {
  const length = foldedSize(x.shape, axes);
  if (length <= 1 || sizeOf(x.shape) === 0) return stretch(dOut, x, axes);
  const order = foldedLast(x.shape, axes);
  const inverse = order.map((_, i) => order.indexOf(i));
  const moved = build.permute(x, order);
  const rows = build.reshape(moved, [sizeOf(x.shape) / length, length]);
  const others = build.mul(productBefore(rows), build.flip(productBefore(build.flip(rows, [1])), [1]));
  return build.mul(stretch(dOut, x, axes), build.permute(build.reshape(others, moved.shape), inverse));
}

function argExtreme(name: ArgFold, { doc, beats }: ArgFacts): Member<ArgFold> {
  return {
    doc,
    infer: (given, { axis }) => {
      const [{ shape }] = checkOperands(name, given, 1, 'any');
      checkAxes(name, [axis], shape.length);
      if (shape[axis] === 0) fail('shape', name, `there is no extreme of no elements (input ${showShape(shape)}, axis ${axis})`);
      return { shape: dropAxes(shape, [axis]), dtype: 'int32' };
    },
    gradient: null,
    evaluate: ({ node, inputs: [x] }) => {
      const { axis } = node.attributes;
      const { outer, length, inner } = foldedView(x, node.inputs[0], [axis]);
      const out = newArray('int32', outer * inner);
      for (let at = 0; at < out.length; at++) {
        const first = Math.floor(at / inner) * length * inner + (at % inner);
        for (let k = 1, best = x[first]; k < length; k++) {
          const value = x[first + k * inner];
          if (!(beats(value, best) || (Number.isNaN(value) && !Number.isNaN(best)))) continue;
          best = value;
          out[at] = k;
        }
      }
      return out;
    },
  };
}

const product = loopOf((total, x) => total * x);
const wrappingSum = loopOf((total, x) => (total + x) | 0);
const wrappingProduct = loopOf(Math.imul);
const largest = loopOf((a, x) => (x > a || Number.isNaN(x) ? x : a));
const smallest = loopOf((a, x) => (x < a || Number.isNaN(x) ? x : a));
const sumGradient: Facts['gradient'] = (_, dOut, x, axes) => stretch(dOut, x, axes);

const table: { readonly [K in Fold]: Facts } = {
  sum: { doc: 'The sum along axes; 0 of nothing.', start: 0, loop: sumLoop, integerLoop: wrappingSum, gradient: sumGradient },
  prod: { doc: 'The product along axes; 1 of nothing.', start: 1, loop: product, integerLoop: wrappingProduct, gradient: prodGradient },
  max: { doc: 'The largest along axes; NaN if there is one; equal elements share the gradient.', start: 'first', loop: largest, gradient: extremeGradient },
  min: { doc: 'The smallest along axes; NaN if there is one; equal elements share the gradient.', start: 'first', loop: smallest, gradient: extremeGradient },
};

const argTable: { readonly [K in ArgFold]: ArgFacts } = {
  argMax: { doc: 'The position of the largest along an axis: the first of equals; NaN counts as the largest.', beats: (x, best) => x > best },
  argMin: { doc: 'The position of the smallest along an axis: the first of equals; NaN counts as the smallest.', beats: (x, best) => x < best },
};

export const reduceOps = family('reduction', { ...fromTable(table, fold), ...fromTable(argTable, argExtreme) });
