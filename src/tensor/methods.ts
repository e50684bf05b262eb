/** Methods of Tensor: every function of this list, called on its first argument. */
import * as activations from './activations.ts';
import * as convolution from './convolution.ts';
import * as elementwise from './elementwise.ts';
import * as indexing from './indexing.ts';
import * as linear from './linear.ts';
import * as movement from './movement.ts';
import * as reduce from './reduce.ts';
import { Tensor } from './tensor.ts';

const { where, ...ofElements } = elementwise;
const { concat, stack, ...ofMovement } = movement;
const { einsum, ...ofProducts } = linear;
const { shiftedByPeak, ...ofReductions } = reduce;
const methods = { ...ofElements, ...ofMovement, ...ofProducts, ...ofReductions, ...activations, ...convolution, ...indexing };

type Method<F> = F extends (self: never, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;
type Methods = typeof methods;
export type TensorMethods = { readonly [Name in keyof Methods]: Method<Methods[Name]> } & {
  /** a where this condition holds, else b. */
  where(a: Tensor | number, b: Tensor | number): Tensor;
  /** Joins with others along an axis (default 0). */
  concat(others: Tensor | readonly Tensor[], axis?: number): Tensor;
  stack(others: Tensor | readonly Tensor[], axis?: number): Tensor;
};

declare module './tensor.ts' {
  interface Tensor extends TensorMethods {}
}

const list = (others: Tensor | readonly Tensor[]): readonly Tensor[] => (others instanceof Tensor ? [others] : others);
const more = {
  where(this: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
    return where(this, a, b);
  },
  concat(this: Tensor, others: Tensor | readonly Tensor[], axis = 0): Tensor {
    return concat([this, ...list(others)], axis);
  },
  stack(this: Tensor, others: Tensor | readonly Tensor[], axis = 0): Tensor {
    return stack([this, ...list(others)], axis);
  },
};

function install(name: string, value: unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true, enumerable: false });
}

for (const [name, method] of Object.entries(more)) install(name, method);
for (const [name, operation] of Object.entries(methods)) {
  const call = operation as unknown as (self: Tensor, ...rest: unknown[]) => unknown;
  install(name, function (this: Tensor, ...rest: unknown[]): unknown {
    return call(this, ...rest);
  });
}
