/**
 * The general contraction of two tensors, labelled as in einsum: matrix products, inner and outer products, with batch dimensions.
 * Every letter is one of: batch (in a, b and out), contracted (in a and b), free (in a and out, or b and out).
 */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf, stridesOf } from '../core/shape.ts';
import type { AttributesOf } from '../graph/attributes.ts';
import { contract } from './build.ts';
import { checkOperands, narrow, wide } from './check.ts';
import type { Evaluation } from './op.ts';
import { family } from './registry.ts';
import { gathered } from './strided.ts';

type Labels = AttributesOf['contract'];

/** The length of every letter; checks that labels and shapes agree. */
function lengths({ a, b, out }: Labels, aShape: Shape, bShape: Shape): Map<string, number> {
  const refuse = (problem: string, hint?: string): never => fail('shape', 'contract', problem, hint);
  const lengthOf = new Map<string, number>();
  const operands = [
    { name: 'a', labels: a, shape: aShape, other: b },
    { name: 'b', labels: b, shape: bShape, other: a },
  ];
  for (const { name, labels, shape, other } of operands) {
    if (labels.length !== shape.length) refuse(`labels "${labels}" name ${labels.length} dimensions but ${name} is ${showShape(shape)}`);
    for (const [i, letter] of [...labels].entries()) {
      if (labels.indexOf(letter) !== i) refuse(`label "${letter}" stands twice in "${labels}"`, 'Take the diagonal first.');
      if (!other.includes(letter) && !out.includes(letter))
        refuse(`label "${letter}" is only in ${name} ("${labels}"), not in the result ("${out}")`, 'Sum over it before the contraction.');
      const known = lengthOf.get(letter) ?? shape[i];
      if (known !== shape[i]) refuse(`label "${letter}" is ${known} in a ${showShape(aShape)} ("${a}") but ${shape[i]} in b ${showShape(bShape)} ("${b}")`);
      lengthOf.set(letter, known);
    }
  }
  for (const [i, letter] of [...out].entries()) {
    if (out.indexOf(letter) !== i) refuse(`label "${letter}" stands twice in the result "${out}"`);
    if (!lengthOf.has(letter)) refuse(`label "${letter}" of the result is in neither "${a}" nor "${b}"`, 'Broadcast afterwards.');
  }
  return lengthOf;
}

/** The roles of the letters, each in the order in which it stands in the result (contracted ones: in a). */
export function contractionRoles({ a, b, out }: Labels): { batch: string; contracted: string; freeA: string; freeB: string } {
  const pick = (from: string, keep: (letter: string) => boolean): string => [...from].filter(keep).join('');
  return {
    batch: pick(out, (l) => a.includes(l) && b.includes(l)),
    contracted: pick(a, (l) => !out.includes(l)),
    freeA: pick(out, (l) => !b.includes(l)),
    freeB: pick(out, (l) => !a.includes(l)),
  };
}

/** The values with their dimensions in another order of the same letters. */
function reorder(values: Float64Array, from: string, to: string, lengthOf: ReadonlyMap<string, number>): Float64Array {
  if (from === to) return values;
  const strides = stridesOf(shapeOf(from, lengthOf));
  const order = [...to].map((letter) => strides[from.indexOf(letter)]);
  return gathered('float64', shapeOf(to, lengthOf), values, order) as Float64Array;
}

const shapeOf = (labels: string, lengthOf: ReadonlyMap<string, number>): number[] => [...labels].map((letter) => lengthOf.get(letter) as number);

/** out[m, n] = Σ_k a[m, k] · b[k, n], all row-major at the given offsets, k in order. Four results at a time stay in registers. */
function matrixProduct(a: Float64Array, aAt: number, b: Float64Array, bAt: number, out: Float64Array, outAt: number, m: number, k: number, n: number): void {
  const whole = n - (n % 4);
  for (let j = 0; j < n; j += j < whole ? 4 : 1) {
    for (let i = 0, row = aAt, to = outAt + j; i < m; i++, row += k, to += n) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      if (j < whole) {
        for (let p = 0, at = bAt + j; p < k; p++, at += n) {
          const x = a[row + p];
          s0 += x * b[at];
          s1 += x * b[at + 1];
          s2 += x * b[at + 2];
          s3 += x * b[at + 3];
        }
        out[to + 1] = s1;
        out[to + 2] = s2;
        out[to + 3] = s3;
      } else for (let p = 0, at = bAt + j; p < k; p++, at += n) s0 += a[row + p] * b[at];
      out[to] = s0;
    }
  }
}

/** The same for int32, which wraps: products beyond 2⁵³ must not lose their low bits. */
function wrappingProduct(a: Float64Array, aAt: number, b: Float64Array, bAt: number, out: Float64Array, outAt: number, m: number, k: number, n: number): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let s = 0;
      for (let p = 0; p < k; p++) s = (s + Math.imul(a[aAt + i * k + p], b[bAt + p * n + j])) | 0;
      out[outAt + i * n + j] = s;
    }
  }
}

function evaluate({ node, inputs: operands }: Evaluation<'contract'>): TypedArray {
  const labels = node.attributes;
  const lengthOf = lengths(labels, node.inputs[0].shape, node.inputs[1].shape);
  const { batch, contracted, freeA, freeB } = contractionRoles(labels);
  const size = (letters: string): number => sizeOf(shapeOf(letters, lengthOf));
  const [m, k, n] = [size(freeA), size(contracted), size(freeB)];
  const a = reorder(wide(operands[0]), labels.a, batch + freeA + contracted, lengthOf);
  const b = reorder(wide(operands[1]), labels.b, batch + contracted + freeB, lengthOf);
  const out = new Float64Array(sizeOf(node.shape));
  if (out.length === 0) return newArray(node.dtype, 0);
  const product = node.dtype === 'int32' ? wrappingProduct : matrixProduct;
  for (let i = 0; i < size(batch); i++) product(a, i * m * k, b, i * k * n, out, i * m * n, m, k, n);
  return narrow(reorder(out, batch + freeA + freeB, labels.out, lengthOf), node.dtype);
}

export const contractOps = family('contraction', {
  contract: {
    doc: 'out[batch, free a, free b] = sum over the contracted letters of a · b',
    infer(given, labels) {
      const [{ shape, dtype }, other] = checkOperands('contract', given, 2, 'summable');
      const lengthOf = lengths(labels, shape, other.shape);
      return { shape: shapeOf(labels.out, lengthOf), dtype };
    },
    gradient({ attributes: { a, b, out }, inputs: [x, y] }, dOut, needed) {
      return [needed[0] ? contract(dOut, y, { a: out, b, out: a }) : null, needed[1] ? contract(x, dOut, { a, b: out, out: b }) : null];
    },
    evaluate,
  },
});
