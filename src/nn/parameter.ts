/** Making parameters and buffers: Variables with concrete first values, also when the first call happens while a function is being recorded. */
import { type DType, newArray } from '../core/dtype.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { type Variable, variable } from '../tensor/index.ts';
import type { Fans, Initializer } from './initializers.ts';

/** The dtypes that parameters can have. */
export type ParameterDType = 'float32' | 'float64';
export const parameterDTypes: readonly ParameterDType[] = ['float32', 'float64'];

const buffers = new WeakSet<Variable>();

/** True for variables that no gradient updates, such as running statistics. */
export const isBuffer = (v: Variable): boolean => buffers.has(v);

/** A trainable variable of a shape, filled by an initializer. `fans` defaults to what the shape says: [...receptive field, in, out]. */
export function parameter(shape: Shape, initializer: Initializer, { dtype = 'float32', fans }: { dtype?: DType; fans?: Fans } = {}): Variable {
  const values = initializer(shape, fans ?? fansOf(shape));
  const data = newArray(dtype, sizeOf(shape));
  data.set(values);
  return variable(data, { shape, dtype });
}

/** A variable that is saved with the model but not trained; `value`: of all entries, or one for each. */
export function buffer(shape: Shape, value: number | ArrayLike<number>, dtype: DType = 'float32'): Variable {
  const data = newArray(dtype, sizeOf(shape));
  if (typeof value === 'number') data.fill(value);
  else data.set(value);
  const made = variable(data, { shape, dtype, trainable: false });
  buffers.add(made);
  return made;
}

/** How many inputs reach an output and how many outputs an input reaches, for a weight [...receptive field, in, out]. */
export function fansOf(shape: Shape): Fans {
  const field = sizeOf(shape.slice(0, -2));
  return { fanIn: field * (shape.at(-2) ?? 1), fanOut: field * (shape.at(-1) ?? 1) };
}
