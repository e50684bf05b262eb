/**
 * The general contraction of two tensors, labelled as in einsum: matrix products, inner and outer products, with batch dimensions.
 * Every letter is one of: batch (in a, b and out), contracted (in a and b), free (in a and out, or b and out).
 */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf, stridesOf } from '../core/shape.ts';
import type { AttributesOf } from '../graph/attributes.ts';
import { attributesOf } from '../graph/node.ts';
import { contract } from './build.ts';
import { checkCount } from './check.ts';
import type { Evaluation, Sample } from './op.ts';
import { define } from './registry.ts';
import { narrow, sameDtype, wide } from './wide.ts';

type Labels = AttributesOf['contract'];

/** The length of every letter; checks that labels and shapes agree. */
function lengths({ a, b, out }: Labels, aShape: Shape, bShape: Shape): Map<string, number> {
  const lengthOf = new Map<string, number>();
  const operands = [
    ['a', a, aShape],
    ['b', b, bShape],
  ] as const;
  for (const [name, labels, shape] of operands) {
    if (labels.length !== shape.length) fail('shape', 'contract', `labels "${labels}" name ${labels.length} dimensions but ${name} is ${showShape(shape)}`);
    for (const [i, letter] of [...labels].entries()) {
      if (labels.indexOf(letter) !== i) fail('argument', 'contract', `label "${letter}" stands twice in "${labels}"`, 'Take the diagonal first.');
      const known = lengthOf.get(letter);
      if (known !== undefined && known !== shape[i]) {
        fail('shape', 'contract', `label "${letter}" is ${known} in a ${showShape(aShape)} ("${a}") but ${shape[i]} in b ${showShape(bShape)} ("${b}")`);
      }
      lengthOf.set(letter, shape[i]);
    }
  }
  for (const [name, labels, , other] of [
    [...operands[0], b],
    [...operands[1], a],
  ] as const) {
    const alone = [...labels].find((letter) => !other.includes(letter) && !out.includes(letter));
    if (alone)
      fail('argument', 'contract', `label "${alone}" is only in ${name} ("${labels}"), not in the result ("${out}")`, 'Sum over it before the contraction.');
  }
  for (const [i, letter] of [...out].entries()) {
    if (out.indexOf(letter) !== i) fail('argument', 'contract', `label "${letter}" stands twice in the result "${out}"`);
    if (!lengthOf.has(letter)) fail('argument', 'contract', `label "${letter}" of the result is in neither "${a}" nor "${b}"`, 'Broadcast afterwards.');
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

/** A copy of `values` with its dimensions in another order of the same letters. */
function reorder(values: Float64Array, from: string, to: string, lengthOf: ReadonlyMap<string, number>): Float64Array {
  if (from === to) return values;
  const shapeOf = (labels: string): number[] => [...labels].map((letter) => lengthOf.get(letter) as number);
  const fromStrides = stridesOf(shapeOf(from));
  const shape = shapeOf(to);
  const strides = [...to].map((letter) => fromStrides[from.indexOf(letter)]);
  const out = new Float64Array(values.length);
  const last = shape.length - 1;
  const index = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let target = 0; target < out.length; ) {
    for (let i = 0, at = source; i < shape[last]; i++, at += strides[last]) out[target++] = values[at];
    for (let axis = last - 1; axis >= 0; axis--) {
      source += strides[axis];
      if (++index[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** out[m, n] = Σ_k a[m, k] · b[k, n], all row-major at the given offsets, k in order. Tiles of 2 × 4 results stay in registers. */
function matrixProduct(a: Float64Array, aAt: number, b: Float64Array, bAt: number, out: Float64Array, outAt: number, m: number, k: number, n: number): void {
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    let i = 0;
    for (; i + 2 <= m; i += 2) {
      let s00 = 0,
        s01 = 0,
        s02 = 0,
        s03 = 0,
        s10 = 0,
        s11 = 0,
        s12 = 0,
        s13 = 0;
      let row = aAt + i * k;
      for (let p = 0, at = bAt + j; p < k; p++, at += n, row++) {
        const x = a[row],
          y = a[row + k];
        const b0 = b[at],
          b1 = b[at + 1],
          b2 = b[at + 2],
          b3 = b[at + 3];
        s00 += x * b0;
        s01 += x * b1;
        s02 += x * b2;
        s03 += x * b3;
        s10 += y * b0;
        s11 += y * b1;
        s12 += y * b2;
        s13 += y * b3;
      }
      const to = outAt + i * n + j;
      out[to] = s00;
      out[to + 1] = s01;
      out[to + 2] = s02;
      out[to + 3] = s03;
      out[to + n] = s10;
      out[to + n + 1] = s11;
      out[to + n + 2] = s12;
      out[to + n + 3] = s13;
    }
    if (i < m) edge(i, m, j, j + 4);
  }
  if (j < n) edge(0, m, j, n);

  function edge(fromRow: number, toRow: number, fromColumn: number, toColumn: number): void {
    for (let i = fromRow; i < toRow; i++) {
      for (let column = fromColumn; column < toColumn; column++) {
        let s = 0;
        for (let p = 0; p < k; p++) s += a[aAt + i * k + p] * b[bAt + p * n + column];
        out[outAt + i * n + column] = s;
      }
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

function evaluate({ node, inputs }: Evaluation): TypedArray {
  const labels = attributesOf(node, 'contract');
  const lengthOf = lengths(labels, node.inputs[0].shape, node.inputs[1].shape);
  const { batch, contracted, freeA, freeB } = contractionRoles(labels);
  const size = (letters: string): number => sizeOf([...letters].map((letter) => lengthOf.get(letter) as number));
  const [m, k, n] = [size(freeA), size(contracted), size(freeB)];
  const a = reorder(wide(inputs[0]), labels.a, batch + freeA + contracted, lengthOf);
  const b = reorder(wide(inputs[1]), labels.b, batch + contracted + freeB, lengthOf);
  const out = new Float64Array(sizeOf(node.shape));
  if (out.length === 0) return newArray(node.dtype, 0);
  const product = node.dtype === 'int32' ? wrappingProduct : matrixProduct;
  for (let i = 0; i < size(batch); i++) product(a, i * m * k, b, i * k * n, out, i * m * n, m, k, n);
  return narrow(reorder(out, batch + freeA + freeB, labels.out, lengthOf), node.dtype);
}

const sample = (name: string, a: Shape, b: Shape, labels: string, rest: Partial<Sample<'contract'>> = {}): Sample<'contract'> => {
  const [inputs, out] = labels.split('->');
  const [aLabels, bLabels] = inputs.split(',');
  return { name, inputs: [{ shape: a }, { shape: b }], attributes: { a: aLabels, b: bLabels, out }, ...rest };
};

export const contractOp = define({
  name: 'contract',
  kind: 'contraction',
  doc: 'out[batch, free a, free b] = sum over the contracted letters of a · b',
  infer(inputs, labels) {
    checkCount('contract', inputs, 2);
    const dtype = sameDtype('contract', inputs);
    const lengthOf = lengths(labels, inputs[0].shape, inputs[1].shape);
    return { shape: [...labels.out].map((letter) => lengthOf.get(letter) as number), dtype };
  },
  gradient(node, dOut, needed) {
    const { a, b, out } = attributesOf(node, 'contract');
    const [x, y] = node.inputs;
    return [needed[0] ? contract(dOut, y, { a: out, b, out: a }) : null, needed[1] ? contract(x, dOut, { a, b: out, out: b }) : null];
  },
  evaluate,
  samples: () => [
    sample('matrix product', [5, 7], [7, 9], 'mk,kn->mn'),
    sample('larger matrix product', [33, 18], [18, 21], 'mk,kn->mn'),
    sample('a transposed', [7, 5], [7, 3], 'km,kn->mn'),
    sample('b transposed', [4, 6], [5, 6], 'mk,nk->mn'),
    sample('transposed result', [4, 6], [6, 5], 'mk,kn->nm'),
    sample('matrix and vector', [4, 6], [6], 'mk,k->m'),
    sample('vector and matrix', [6], [6, 3], 'k,kn->n'),
    sample('inner product', [11], [11], 'k,k->'),
    sample('outer product', [3], [4], 'm,n->mn'),
    sample('scalars', [], [], ',->'),
    sample('scalar and matrix', [], [2, 3], ',mn->mn'),
    sample('batch', [3, 4, 5], [3, 5, 2], 'bmk,bkn->bmn'),
    sample('batch letters inside', [4, 3, 5, 2], [5, 3, 2, 6], 'qhkd,khde->hqe'),
    sample('two batch letters', [2, 3, 4, 5], [2, 3, 6, 5], 'bhqd,bhkd->bhqk'),
    sample('elementwise with batch letters only', [3, 4], [3, 4], 'ij,ij->ji'),
    sample('three contracted letters', [2, 3, 4, 2], [3, 4, 2, 5], 'abcd,bcde->ae'),
    sample('free letters interleaved', [2, 3, 4], [5, 3, 2], 'akb,ckd->cadb'),
    sample('empty contraction', [2, 0], [0, 3], 'mk,kn->mn'),
    sample('empty result', [0, 2], [2, 3], 'mk,kn->mn'),
    {
      ...sample('int32', [3, 4], [4, 5], 'mk,kn->mn', { differentiable: false }),
      inputs: [
        { shape: [3, 4], dtype: 'int32', low: -9, high: 9 },
        { shape: [4, 5], dtype: 'int32', low: -9, high: 9 },
      ],
    },
  ],
});
