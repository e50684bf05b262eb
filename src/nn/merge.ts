/** Layers with several inputs or outputs, the joints of a graph: copy, split, concatenate, add, multiply, average, maximum. */
import { fail, showShape } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';
import { concat, split as splitTensor, type Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkChoice, checkOptions, checkWhole } from './options.ts';

export type MergeMethod = 'add' | 'multiply' | 'average' | 'maximum';

const merges: Readonly<Record<MergeMethod, (inputs: readonly Tensor[]) => Tensor>> = {
  add: (inputs) => inputs.reduce((a, b) => a.add(b)),
  multiply: (inputs) => inputs.reduce((a, b) => a.mul(b)),
  average: (inputs) => inputs.reduce((a, b) => a.add(b)).div(inputs.length),
  maximum: (inputs) => inputs.reduce((a, b) => a.maximum(b)),
};

export class Merge extends Module {
  readonly method: MergeMethod;

  constructor(method: MergeMethod) {
    super();
    this.method = checkChoice('merge', 'method', method, ['add', 'multiply', 'average', 'maximum']);
  }

  override get kind(): string {
    return this.method;
  }

  /** Several tensors of one shape → one of that shape. */
  forward(...inputs: Tensor[]): Tensor {
    if (inputs.length === 0) fail('argument', this.kind, 'there is nothing to merge');
    const odd = inputs.find(({ shape }) => !sameShape(shape, inputs[0].shape));
    if (odd) fail('shape', this.kind, `inputs ${showShape(inputs[0].shape)} and ${showShape(odd.shape)} must have one shape`);
    return merges[this.method](inputs);
  }
}

/** Merges inputs element by element. */
export const merge = (method: MergeMethod): Merge => new Merge(method);
export const add = (): Merge => merge('add');
export const multiply = (): Merge => merge('multiply');
export const average = (): Merge => merge('average');
export const maximum = (): Merge => merge('maximum');

export class Concatenate extends Module {
  readonly axis: number;

  constructor(options: { readonly axis?: number } = {}) {
    super();
    checkOptions('concatenate', options, ['axis']);
    this.axis = options.axis ?? -1;
  }

  override get kind(): string {
    return 'concatenate';
  }

  /** Tensors that differ along the axis only → one. */
  forward(...inputs: Tensor[]): Tensor {
    if (inputs.length === 0) fail('argument', 'concatenate', 'there is nothing to join');
    return concat(inputs, this.axis);
  }
}

/** Joins inputs along an axis, by default the last (channels). */
export const concatenate = (options?: { readonly axis?: number }): Concatenate => new Concatenate(options);

export class Split extends Module {
  readonly parts: number | readonly number[];
  readonly axis: number;

  constructor(parts: number | readonly number[], options: { readonly axis?: number } = {}) {
    super();
    checkOptions('split', options, ['axis']);
    for (const part of typeof parts === 'number' ? [parts] : parts) checkWhole('split', 'parts', part);
    this.parts = parts;
    this.axis = options.axis ?? -1;
  }

  override get kind(): string {
    return 'split';
  }

  /** One tensor → its parts along the axis. */
  forward(x: Tensor): Tensor[] {
    return splitTensor(x, this.parts, this.axis);
  }
}

/** Cuts the last dimension (or `axis`) into equal parts, or into parts of given lengths: the inverse of concatenate. */
export const split = (parts: number | readonly number[], options?: { readonly axis?: number }): Split => new Split(parts, options);

export class Copy extends Module {
  readonly count: number;

  constructor(count: number) {
    super();
    this.count = checkWhole('copy', 'count', count);
  }

  override get kind(): string {
    return 'copy';
  }

  /** One tensor → itself several times; gradients add up. */
  forward(x: Tensor): Tensor[] {
    return new Array<Tensor>(this.count).fill(x);
  }
}

/** Hands its input to `count` successors. */
export const copy = (count = 2): Copy => new Copy(count);
