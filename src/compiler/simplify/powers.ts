/**
 * Powers with a known exponent as roots, products and quotients, which vectors have as instructions. Only float32, and only exponents for which the result
 * stays within 2 ulp of the power for every number, zeros, denormals and infinities included (powers.test.ts); for ±1.75, say, it would not.
 */
import { isOp, type Node } from '../../graph/node.ts';
import * as build from '../../ops/build.ts';

const { abs, div, mul, reciprocal, sqrt } = build;

/** Powers with whole exponents, in an order in which nothing overflows or loses digits before the power does. */
const whole: Readonly<Record<number, (x: Node) => Node>> = {
  [-3]: (x) => div(div(reciprocal(x), x), x),
  [-2]: (x) => div(reciprocal(x), x),
  [-1]: reciprocal,
  3: (x) => mul(mul(x, x), x),
  4: (x) => mul(mul(x, x), mul(x, x)),
};

/** Powers with exponents between whole numbers from |x| and |√x|, which is NaN below 0. */
const fractional: Readonly<Record<number, (x: Node, root: Node) => Node>> = {
  [-1.5]: (x, root) => div(reciprocal(root), x),
  [-1.25]: (x, root) => div(sqrt(reciprocal(root)), x),
  [-0.75]: (x, root) => div(fourthRoot(root), x),
  [-0.5]: (_, root) => reciprocal(root),
  [-0.25]: (_, root) => sqrt(reciprocal(root)),
  0.25: (_, root) => sqrt(root),
  0.5: (_, root) => root,
  0.75: (x, root) => div(x, fourthRoot(root)),
  1.25: (x, root) => mul(x, sqrt(root)),
  1.5: mul,
};

/** Roots of finite numbers lie between these bounds; 0 and ∞ are kept off, so that neither 0 / 0 nor ∞ / ∞ arises. */
const fourthRoot = (root: Node): Node => build.minimum(build.maximum(sqrt(root), 1e-12), 1e10);

/** `pow` with a known exponent, or e^(c log x), as roots and products; undefined for any other node. `known`: the number that all elements are. */
export function powerAsRoots(node: Node, known: (node: Node) => number | undefined): Node | undefined {
  if (node.dtype !== 'float32') return undefined;
  const [x, y] = node.inputs;
  if (isOp(node, 'pow')) {
    const exponent = known(y) ?? Number.NaN;
    if (whole[exponent]) return whole[exponent](x);
    // A power of −∞ is one of ∞, its root is not.
    const base = build.select(build.equal(x, Number.NEGATIVE_INFINITY), Number.POSITIVE_INFINITY, x);
    return fractional[exponent]?.(abs(base), abs(sqrt(base)));
  }
  if (!isOp(node, 'exp') || !isOp(x, 'mul')) return undefined;
  const logarithm = x.inputs.find((input) => isOp(input, 'log'));
  const exponent = x.inputs.map(known).find((value) => value !== undefined);
  if (!logarithm || exponent === undefined) return undefined;
  const [base] = logarithm.inputs;
  return fractional[exponent]?.(abs(base), abs(sqrt(base)));
}
