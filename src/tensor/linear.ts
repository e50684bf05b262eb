/** Products of matrices and their general form, einsum. */
import { promote } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { broadcastShapes, type Shape, sizeOf } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { arithmetic, type Tensor, wrap } from './tensor.ts';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function pair(operation: string, a: Tensor, b: Tensor): [Node, Node] {
  const [x, y] = [arithmetic(a, operation), arithmetic(b, operation)];
  const dtype = promote(promote(x.dtype, y.dtype), 'int32');
  return [build.cast(x, dtype), build.cast(y, dtype)];
}

/**
 * Matrix product of the last two axes; the axes before are batches and broadcast. A vector on the left is a row, on the right a column,
 * and its axis disappears.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const [x, y] = pair('matmul', a, b);
  if (x.shape.length === 0 || y.shape.length === 0)
    fail('shape', 'matmul', `expected vectors or matrices, got ${showShape(x.shape)} and ${showShape(y.shape)}`, 'Use mul for scalars.');
  const left = x.shape.length === 1 ? build.reshape(x, [1, ...x.shape]) : x;
  const right = y.shape.length === 1 ? build.reshape(y, [...y.shape, 1]) : y;
  const [m, k] = left.shape.slice(-2);
  const [k2, n] = right.shape.slice(-2);
  if (k !== k2)
    fail(
      'shape',
      'matmul',
      `inner dimensions ${k} and ${k2} differ (${showShape(x.shape)} · ${showShape(y.shape)})`,
      'The last axis of the left must match the second to last of the right. Transpose one?',
    );
  const batch = broadcastShapes('matmul', left.shape.slice(0, -2), right.shape.slice(0, -2));
  const product = batchedProduct(left, right, batch);
  const shape = [...batch, ...(x.shape.length === 1 ? [] : [m]), ...(y.shape.length === 1 ? [] : [n])];
  return wrap(build.reshape(product, shape));
}

function batchedProduct(left: Node, right: Node, batch: Shape): Node {
  // One shared matrix on the right: all rows of the batch in a single product.
  if (right.shape.length === 2 && batch.length > 0) {
    const [k, n] = right.shape;
    return build.reshape(build.matmul(build.reshape(left, [sizeOf(left.shape.slice(0, -1)), k]), right), [...left.shape.slice(0, -1), n]);
  }
  const labels = (shape: Shape): string => {
    // Axes that this operand stretches over are left out.
    const lead = batch.length - (shape.length - 2);
    return batch.map((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? '' : letters[i])).join('');
  };
  const bare = (x: Node): Node => {
    const lead = batch.length - (x.shape.length - 2);
    return build.reshape(
      x,
      x.shape.filter((d, i) => i >= x.shape.length - 2 || !(d === 1 && batch[i + lead] !== 1)),
    );
  };
  const all = batch.map((_, i) => letters[i]).join('');
  return build.contract(bare(left), bare(right), { a: `${labels(left.shape)}YK`, b: `${labels(right.shape)}KZ`, out: `${all}YZ` });
}

/** Inner product of two vectors. */
export function dot(a: Tensor, b: Tensor): Tensor {
  const [x, y] = pair('dot', a, b);
  if (x.shape.length !== 1 || y.shape.length !== 1 || x.shape[0] !== y.shape[0])
    fail('shape', 'dot', `expected two vectors of one length, got ${showShape(x.shape)} and ${showShape(y.shape)}`, 'Use matmul for matrices.');
  return wrap(build.contract(x, y, { a: 'i', b: 'i', out: '' }));
}

/** [m] and [n] to [m, n]: all products. */
export function outer(a: Tensor, b: Tensor): Tensor {
  const [x, y] = pair('outer', a, b);
  if (x.shape.length !== 1 || y.shape.length !== 1) fail('shape', 'outer', `expected two vectors, got ${showShape(x.shape)} and ${showShape(y.shape)}`);
  return wrap(build.contract(x, y, { a: 'i', b: 'j', out: 'ij' }));
}

interface Labelled {
  readonly node: Node;
  readonly labels: string;
}

/**
 * Sums of products by labels, one letter per axis: einsum('bik,bkj->bij', a, b). Letters that are missing after the arrow are summed;
 * a letter twice in one operand takes the diagonal; without an arrow the result has the letters that occur once, in alphabetical order.
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (more.length > 0 || !/^[a-zA-Z,]*$/.test(left) || (right !== undefined && !/^[a-zA-Z]*$/.test(right)))
    fail('argument', 'einsum', `cannot read "${equation}"`, "Write letters per axis, such as 'ij,jk->ik'.");
  if (terms.length !== operands.length) fail('argument', 'einsum', `"${equation}" names ${terms.length} operands, got ${operands.length}`);
  const nodes = operands.map((t) => arithmetic(t, 'einsum'));
  const dtype = nodes.map((n) => n.dtype).reduce(promote, 'int32');
  checkLabels(equation, terms, nodes);
  const count = (letter: string): number => [...left].filter((l) => l === letter).length;
  const out =
    right ??
    [...new Set(left.replaceAll(',', ''))]
      .filter((l) => count(l) === 1)
      .sort()
      .join('');
  const stray = [...out].find((letter, i) => out.indexOf(letter) !== i || !left.includes(letter));
  if (stray) fail('argument', 'einsum', `the result "${out}" names "${stray}" twice, or no operand has it`);

  let pending = terms.map((labels, i): Labelled => diagonals({ node: build.cast(nodes[i], dtype), labels }));
  const elsewhere = (at: readonly number[]): string =>
    out +
    pending
      .filter((_, i) => !at.includes(i))
      .map((p) => p.labels)
      .join('');
  pending = pending.map((operand, i) => sumOut(operand, elsewhere([i])));
  while (pending.length > 1) {
    const [i, j] = cheapestPair(pending, elsewhere);
    const product = multiply(pending[i], pending[j], elsewhere([i, j]));
    pending = [...pending.filter((_, at) => at !== i && at !== j), product];
  }
  const [{ node, labels }] = [sumOut(pending[0], out)];
  return wrap(
    build.permute(
      node,
      [...out].map((letter) => labels.indexOf(letter)),
    ),
  );
}

function checkLabels(equation: string, terms: readonly string[], nodes: readonly Node[]): void {
  const lengths = new Map<string, number>();
  terms.forEach((labels, i) => {
    const { shape } = nodes[i];
    if (labels.length !== shape.length)
      fail('shape', 'einsum', `"${labels}" names ${labels.length} axes but operand ${i} is ${showShape(shape)} ("${equation}")`);
    [...labels].forEach((letter, axis) => {
      const known = lengths.get(letter) ?? shape[axis];
      if (known !== shape[axis])
        fail(
          'shape',
          'einsum',
          `"${letter}" is ${known} in one operand and ${shape[axis]} in another ("${equation}", shapes ${nodes.map((n) => showShape(n.shape)).join(', ')})`,
        );
      lengths.set(letter, known);
    });
  });
}

/** Takes the diagonal where a letter stands twice. */
function diagonals({ node, labels }: Labelled): Labelled {
  const twice = [...labels].findIndex((letter, i) => labels.indexOf(letter) !== i);
  if (twice < 0) return { node, labels };
  const first = labels.indexOf(labels[twice]);
  const onDiagonal = build.equal(build.iota(node.shape, first), build.iota(node.shape, twice));
  const rest = labels.slice(0, twice) + labels.slice(twice + 1);
  return diagonals({ node: build.sum(build.select(onDiagonal, node, 0), [twice]), labels: rest });
}

/** Sums over the letters that nobody else needs. */
function sumOut({ node, labels }: Labelled, needed: string): Labelled {
  const axes = [...labels].flatMap((letter, i) => (needed.includes(letter) ? [] : [i]));
  return { node: build.sum(node, axes), labels: [...labels].filter((letter) => needed.includes(letter)).join('') };
}

/** The pair whose product is smallest. */
function cheapestPair(operands: readonly Labelled[], elsewhere: (at: readonly number[]) => string): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < operands.length; i++) {
    for (let j = i + 1; j < operands.length; j++) {
      const kept = elsewhere([i, j]);
      let size = 1;
      for (const letter of new Set(operands[i].labels + operands[j].labels)) if (kept.includes(letter)) size *= lengthOf(letter, operands[i], operands[j]);
      if (size < least) [best, least] = [[i, j], size];
    }
  }
  return best;
}

function lengthOf(letter: string, a: Labelled, b: Labelled): number {
  const at = a.labels.indexOf(letter);
  return at >= 0 ? a.node.shape[at] : b.node.shape[b.labels.indexOf(letter)];
}

function multiply(a: Labelled, b: Labelled, needed: string): Labelled {
  const x = sumOut(a, needed + b.labels);
  const y = sumOut(b, needed + a.labels);
  const out = [...new Set(x.labels + y.labels)].filter((letter) => needed.includes(letter)).join('');
  return { node: build.contract(x.node, y.node, { a: x.labels, b: y.labels, out }), labels: out };
}
