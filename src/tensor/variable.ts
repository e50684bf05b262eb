/** Variable: a tensor that can be assigned. Parameters, optimizer slots, running statistics and counters are Variables. */
import type { DType } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { sameShape, type TensorType } from '../core/shape.ts';
import { currentRecorder } from '../engine/recorder.ts';
import { storageOf, type VariableState } from '../engine/values.ts';
import { assignVariable, newVariable, readVariable } from '../engine/variables.ts';
import type { Node } from '../graph/node.ts';
import { broadcast, cast } from '../ops/build.ts';
import { type TensorValues, tensor } from './create.ts';
import { nodeOf, type Operand, Tensor, wrap } from './tensor.ts';

export class Variable extends Tensor {
  /** Internal. */
  readonly state: VariableState;

  constructor(state: VariableState) {
    super();
    this.state = state;
  }

  override get node(): Node {
    return readVariable(this.state);
  }

  protected override get type(): TensorType {
    return this.state;
  }

  get name(): string {
    return this.state.name;
  }

  get trainable(): boolean {
    return this.state.trainable;
  }

  set trainable(value: boolean) {
    this.state.trainable = value;
  }

  /** Gives the variable a new value of the same shape and dtype (a number fills it). Lazy: computed with the next value that is read. */
  assign(value: Operand): this {
    const { shape, dtype, name } = this.state;
    const node = nodeOf(value, 'assign');
    if (typeof value !== 'number') {
      if (!sameShape(node.shape, shape))
        fail('shape', 'assign', `variable ${name} is ${showShape(shape)} but the value is ${showShape(node.shape)}`, 'A variable keeps its shape.');
      if (node.dtype !== dtype) fail('dtype', 'assign', `variable ${name} is ${dtype} but the value is ${node.dtype}`, `Use .cast('${dtype}').`);
    }
    assignVariable(this.state, broadcast(cast(node, dtype), shape));
    return this;
  }

  /** The present value as a tensor that later assignments do not change. */
  snapshot(): Tensor {
    return wrap(this.node);
  }
}

export interface VariableOptions {
  readonly name?: string;
  /** Default true. */
  readonly trainable?: boolean;
  readonly shape?: readonly number[];
  readonly dtype?: DType;
}

/** A variable that starts as `initial`: a tensor, a number, nested or typed arrays. */
export function variable(initial: Tensor | TensorValues, { name, trainable = true, ...options }: VariableOptions = {}): Variable {
  const value = initial instanceof Tensor ? initial : tensor(initial, options);
  const node = options.dtype === undefined ? value.node : cast(value.node, options.dtype);
  if (currentRecorder() && storageOf(node) === undefined) {
    const problem = `a variable ${showShape(node.shape)} cannot start from a value that is computed inside a recorded function`;
    fail('state', 'variable', problem, 'Make variables outside, or from numbers.');
  }
  return new Variable(newVariable(node, name, trainable));
}
