/** Derivatives: of functions (grad, jacobian, hessian) and of lazy graphs (gradients). */
import { checkpointed } from '../autodiff/checkpoint.ts';
import { gradientsOf } from '../autodiff/reverse.ts';
import { isFloating } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { sameShape, showType, sizeOf } from '../core/shape.ts';
import { mapTree } from '../core/tree.ts';
import { keepingHistory } from '../engine/realize.ts';
import { keepValue, storageOf } from '../engine/values.ts';
import type { Node } from '../graph/node.ts';
import { identity, withGradient } from '../graph/override.ts';
import { cast, concat, constant, constantLike, equal, iota, reshape, zerosLike } from '../ops/build.ts';
import { tensor } from './create.ts';
import { nodeOf, Tensor, wrap } from './tensor.ts';
import { nodesOf, tensorsOf, withNodes } from './trees.ts';

/** The same tree with tensors where it had tensors, variables or numbers. */
export type Gradients<T> = T extends Tensor | number ? Tensor : { [K in keyof T]: Gradients<T[K]> };

/** d loss / d w for every tensor of `wrt` (a tensor, array or record). Where one has no influence on the loss: zeros; an error when none has. */
export function gradients<W>(loss: Tensor, wrt: W): Gradients<W> {
  const targets = nodesOf(wrt);
  return withNodes(wrt, lossGradients('gradients', loss, targets)) as Gradients<W>;
}

function lossGradients(operation: string, loss: Tensor, targets: readonly Node[]): Node[] {
  const { node } = loss;
  const single = `the loss must be a single number, got ${showType(node)}`;
  if (loss.size !== 1) fail('shape', operation, single, 'Reduce it with sum() or mean(), or use jacobian.');
  const floats = `the loss must be floating-point, got ${node.dtype}`;
  if (!isFloating(node.dtype)) fail('dtype', operation, floats, "Cast to 'float32' before the part to be differentiated.");
  const whole = targets.find((target) => !isFloating(target.dtype));
  if (whole) fail('dtype', operation, `cannot differentiate with respect to ${showType(whole)}`, 'Whole numbers have no gradient.');
  const found = gradientsOf([node], [constantLike(1, node)], targets);
  if (targets.length > 0 && found.every((g) => g === null)) {
    const hint = 'A tensor that was read before is a constant: take gradients first, or use grad(fn). Assigning a variable starts a new version too.';
    fail('value', operation, 'the loss does not depend on any of these tensors', hint);
  }
  return found.map((g, i) => g ?? zerosLike(targets[i]));
}

/** The value of a scalar function, and its gradient with respect to the first argument (a tensor, number, or tree of them). */
export function valueAndGrad<X, Rest extends unknown[]>(fn: (x: X, ...rest: Rest) => Tensor): (x: X, ...rest: Rest) => [Tensor, Gradients<X>] {
  return (x, ...rest) =>
    keepingHistory(() => {
      const argument = mapTree(x, asVariableOf);
      const loss = fn(argument as X, ...rest);
      const problem = `the function must return one tensor, got ${loss === undefined ? 'nothing' : typeof loss}`;
      if (!(loss instanceof Tensor)) fail('argument', 'grad', problem, 'Asynchronous functions cannot be differentiated: read values with itemSync().');
      return [loss, withNodes(argument, lossGradients('grad', loss, nodesOf(argument))) as Gradients<X>];
    });
}

/** A tensor of its own for the same value, so that the gradient is taken with respect to the argument alone. */
function asVariableOf(leaf: unknown): unknown {
  if (typeof leaf === 'number') return tensor(leaf);
  if (!(leaf instanceof Tensor)) return leaf;
  const own = identity(leaf.node);
  const storage = storageOf(leaf.node);
  if (storage) keepValue(own, storage);
  return wrap(own);
}

/** The gradient of a scalar function with respect to its first argument. */
export function grad<X, Rest extends unknown[]>(fn: (x: X, ...rest: Rest) => Tensor): (x: X, ...rest: Rest) => Gradients<X> {
  return (x, ...rest) => valueAndGrad(fn)(x, ...rest)[1];
}

/** All derivatives of a tensor-valued function: [...shape of f(x), ...shape of x]. */
export function jacobian(fn: (x: Tensor) => Tensor): (x: Tensor | number) => Tensor {
  return (x) =>
    keepingHistory(() => {
      const argument = asVariableOf(x) as Tensor;
      const y = fn(argument).node;
      const count = sizeOf(y.shape);
      const places = iota([count], 0);
      const rows = Array.from({ length: count }, (_, i) => {
        const unit = reshape(cast(equal(places, i), y.dtype), y.shape);
        const row = gradientsOf([y], [unit], [argument.node])[0] ?? zerosLike(argument.node);
        return reshape(row, [1, ...argument.shape]);
      });
      const shape = [...y.shape, ...argument.shape];
      return wrap(count === 0 ? constant(0, argument.dtype, shape) : reshape(concat(rows, 0), shape));
    });
}

/** Second derivatives of a scalar function: [...shape of x, ...shape of x]. */
export const hessian = (fn: (x: Tensor) => Tensor): ((x: Tensor | number) => Tensor) => jacobian(grad(fn) as (x: Tensor) => Tensor);

/** The same function, whose backward pass computes inner values again instead of keeping them (Chen et al. 2016). */
export function checkpoint<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    let result: R | undefined;
    const nodes = checkpointed(() => {
      result = fn(...args);
      return nodesOf(result);
    });
    return withNodes(result, nodes) as R;
  };
}

/**
 * The function `fn` of tensors with a gradient of its own: `rule(dOut, ...inputs)` returns the gradient with respect to each input
 * (null: none), each of the input's shape.
 */
export function customGradient<A extends Tensor[]>(
  fn: (...inputs: A) => Tensor,
  rule: (dOut: Tensor, ...inputs: A) => Tensor | readonly (Tensor | null)[],
): (...inputs: A) => Tensor {
  return (...inputs) => {
    const result = fn(...inputs);
    const targets = inputs.map((x) => nodeOf(x, 'customGradient'));
    return wrap(
      withGradient(result.node, targets, (dOut, now) => {
        const found = rule(wrap(dOut), ...(now.map(wrap) as A));
        const list = found instanceof Tensor ? [found] : found;
        if (list.length !== now.length) fail('argument', 'customGradient', `the rule must return ${now.length} gradients, one per input, got ${list.length}`);
        return list.map((gradient, i) => checkedGradient(gradient, now[i]));
      }),
    );
  };
}

function checkedGradient(gradient: Tensor | null, input: Node): Node | null {
  if (gradient === null) return null;
  const problem = `the rule returned a gradient ${showShape(gradient.shape)} for an input ${showShape(input.shape)}`;
  if (!sameShape(gradient.shape, input.shape)) fail('shape', 'customGradient', problem);
  return cast(gradient.node, input.dtype);
}

export interface GradientCheck {
  /** Largest error allowed, relative to the gradient where that is above 1. Default 1e-6. */
  readonly tolerance?: number;
  /** Step of the central differences. Default 1e-5. */
  readonly step?: number;
}

/**
 * Compares the gradients of `fn` (any output shape; its elements are weighted and summed) with central differences in float64.
 * Returns the largest error; throws with the worst entry when it is above the tolerance.
 */
export function checkGradients(fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[], { tolerance = 1e-6, step = 1e-5 }: GradientCheck = {}): number {
  const values = inputs.map((x) => Float64Array.from(x.dataSync()));
  const at = (changed: readonly Float64Array[]): Tensor[] => changed.map((data, i) => tensor(data, { shape: inputs[i].shape, dtype: 'float64' }));
  const weighted = (xs: Tensor[]): Tensor => {
    const y = fn(...xs).cast('float64');
    const weights = Float64Array.from({ length: y.size }, (_, i) => 1 + 0.5 * Math.sin(3 * i + 1));
    return y.mul(tensor(weights, { shape: y.shape })).sum();
  };
  const found = tensorsOf(grad(weighted)(at(values)));
  let worst = { error: 0, text: '' };
  for (const [which, gradient] of found.entries()) {
    const exact = gradient.dataSync();
    for (const [i, x] of values[which].entries()) {
      const nudged = (by: number): number => weighted(at(values.with(which, values[which].with(i, x + by)))).itemSync();
      const h = step * Math.max(1, Math.abs(x));
      const measured = (nudged(h) - nudged(-h)) / (2 * h);
      const error = Math.abs(exact[i] - measured) / Math.max(1, Math.abs(exact[i]), Math.abs(measured));
      if (error <= worst.error) continue;
      const text = `input ${which} ${showShape(inputs[which].shape)}, element ${i}: the gradient is ${exact[i]}, finite differences give ${measured}`;
      worst = { error: Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, text };
    }
  }
  const problem = `${worst.text} (error ${worst.error.toExponential(2)}, allowed ${tolerance})`;
  if (worst.error > tolerance) fail('numeric', 'checkGradients', problem, 'Is there a kink (relu at 0) or a float32 constant on the way?');
  return worst.error;
}
