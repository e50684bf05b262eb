/** Products of matrices and their general form, einsum. */
import { fail, showShape } from '../core/errors.ts';
import { broadcastShapes, dropAxes, type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import * as build from '../ops/build.ts';
import { countable, type Tensor, wrap } from './tensor.ts';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** "[2, 3] and [4]": two operands that do not fit. */
const showBoth = (x: Node, y: Node): string => `${showShape(x.shape)} and ${showShape(y.shape)}`;

/**
 * Matrix product of the last two axes; the axes before are batches and broadcast. A vector on the left is a row, on the right a column,
 * and its axis disappears.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const [x, y] = [countable(a, 'matmul'), countable(b, 'matmul')];
  const [row, column] = [x.shape.length === 1, y.shape.length === 1];
  if (x.shape.length === 0 || y.shape.length === 0) fail('shape', 'matmul', `expected vectors or matrices, got ${showBoth(x, y)}`, 'Use mul for scalars.');
  const left = row ? build.reshape(x, [1, ...x.shape]) : x;
  const right = column ? build.reshape(y, [...y.shape, 1]) : y;
  const [m, k] = left.shape.slice(-2);
  const [k2, n] = right.shape.slice(-2);
  if (k !== k2) {
    const problem = `inner dimensions ${k} and ${k2} differ (${showShape(x.shape)} · ${showShape(y.shape)})`;
    fail('shape', 'matmul', problem, 'The last axis of the left must match the second to last of the right. Transpose one?');
  }
  const batch = broadcastShapes('matmul', left.shape.slice(0, -2), right.shape.slice(0, -2));
  return wrap(build.reshape(batchedProduct(left, right, batch), [...batch, ...(row ? [] : [m]), ...(column ? [] : [n])]));
}

function batchedProduct(left: Node, right: Node, batch: Shape): Node {
  // One shared matrix on the right: all rows of the batch in a single product.
  if (right.shape.length === 2 && batch.length > 0) {
    const rows = build.reshape(left, [sizeOf(left.shape.slice(0, -1)), ...left.shape.slice(-1)]);
    return build.reshape(build.matmul(rows, right), [...left.shape.slice(0, -1), right.shape[1]]);
  }
  /** The operand without the batch axes that it stretches over, and the letters of those that it has. */
  const bare = (x: Node): Labelled => {
    const own = x.shape.length - 2;
    const lead = batch.length - own;
    const stretched = [...x.shape.keys()].filter((i) => i < own && x.shape[i] !== batch[i + lead]);
    const labels = [...letters.slice(lead, batch.length)].filter((_, i) => !stretched.includes(i)).join('');
    return { node: build.reshape(x, dropAxes(x.shape, stretched)), labels };
  };
  const [a, b] = [bare(left), bare(right)];
  return build.contract(a.node, b.node, { a: `${a.labels}YK`, b: `${b.labels}KZ`, out: `${letters.slice(0, batch.length)}YZ` });
}

/** Inner product of two vectors. */
export function dot(a: Tensor, b: Tensor): Tensor {
  const [x, y] = [countable(a, 'dot'), countable(b, 'dot')];
  if (x.shape.length !== 1 || !sameShape(x.shape, y.shape))
    fail('shape', 'dot', `expected two vectors of one length, got ${showBoth(x, y)}`, 'Use matmul for matrices.');
  return wrap(build.contract(x, y, { a: 'i', b: 'i', out: '' }));
}

/** [m] and [n] to [m, n]: all products. */
export function outer(a: Tensor, b: Tensor): Tensor {
  const [x, y] = [countable(a, 'outer'), countable(b, 'outer')];
  if (x.shape.length !== 1 || y.shape.length !== 1) fail('shape', 'outer', `expected two vectors, got ${showBoth(x, y)}`);
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
  const nodes = build.promoted(operands.map((t) => countable(t, 'einsum')));
  const lengths = lengthsOf(equation, terms, nodes);
  const once = [...lengths.keys()].filter((letter) => left.indexOf(letter) === left.lastIndexOf(letter));
  const out = right ?? once.sort().join('');
  const stray = [...out].find((letter, i) => out.indexOf(letter) !== i || !left.includes(letter));
  if (stray) fail('argument', 'einsum', `the result "${out}" names "${stray}" twice, or no operand has it`);

  let pending = terms.map((labels, i) => diagonals({ node: nodes[i], labels }));
  /** The letters that are needed beside these operands. */
  const neededBeside = (...some: readonly Labelled[]): string => pending.reduce((all, { labels }, i) => (some.includes(pending[i]) ? all : all + labels), out);
  pending = pending.map((operand) => sumOut(operand, neededBeside(operand)));
  while (pending.length > 1) {
    const pairs = pending.flatMap((a, i) => pending.slice(i + 1).map((b) => ({ a, b, labels: productLabels(a, b, neededBeside(a, b)) })));
    const sizeOfProduct = ({ labels }: Labelled | (typeof pairs)[number]) => sizeOf([...labels].map((letter) => lengths.get(letter) as number));
    const { a, b, labels } = pairs.reduce((best, next) => (sizeOfProduct(next) < sizeOfProduct(best) ? next : best));
    pending = [...pending.filter((operand) => operand !== a && operand !== b), multiply(a, b, labels)];
  }
  const { node, labels } = sumOut(pending[0], out);
  const order = [...out].map((letter) => labels.indexOf(letter));
  return wrap(build.permute(node, order));
}

/** The length of every letter, in the order of their first use. */
function lengthsOf(equation: string, terms: readonly string[], nodes: readonly Node[]): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>();
  for (const [i, labels] of terms.entries()) {
    const { shape } = nodes[i];
    if (labels.length !== shape.length)
      fail('shape', 'einsum', `"${labels}" names ${labels.length} axes but operand ${i} is ${showShape(shape)} ("${equation}")`);
    for (const [axis, letter] of [...labels].entries()) {
      const known = lengths.get(letter) ?? shape[axis];
      const where = () => `("${equation}", shapes ${nodes.map((n) => showShape(n.shape)).join(', ')})`;
      if (known !== shape[axis]) fail('shape', 'einsum', `"${letter}" is ${known} in one operand and ${shape[axis]} in another ${where()}`);
      lengths.set(letter, known);
    }
  }
  return lengths;
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

/** The letters of a product: those of both that are needed. */
const productLabels = (a: Labelled, b: Labelled, needed: string): string =>
  [...new Set(a.labels + b.labels)].filter((letter) => needed.includes(letter)).join('');

/** The product with the given letters; what only one of the two has is summed before. */
function multiply(a: Labelled, b: Labelled, labels: string): Labelled {
  const x = sumOut(a, labels + b.labels);
  const y = sumOut(b, labels + a.labels);
  return { node: build.contract(x.node, y.node, { a: x.labels, b: y.labels, out: labels }), labels };
}
