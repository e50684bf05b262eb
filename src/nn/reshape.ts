/** reshape, permute, zeroPadding: layers that only move numbers. The batch dimension stays. */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkWhole } from './options.ts';

export class Reshape extends Module {
  readonly shape: Shape;

  constructor(shape: Shape) {
    super();
    if (!Array.isArray(shape) || shape.filter((d) => d === -1).length > 1)
      fail('argument', 'reshape', `expected a shape with at most one −1, got ${String(shape)}`, 'The batch dimension is left out.');
    for (const d of shape) if (d !== -1) checkWhole('reshape', 'dimension', d);
    this.shape = shape;
  }

  override get kind(): string {
    return 'reshape';
  }

  /** [N, ...] → [N, ...shape] */
  forward(x: Tensor): Tensor {
    const [size, known] = [sizeOf(x.shape.slice(1)), sizeOf(this.shape.filter((d) => d !== -1))];
    const fits = this.shape.includes(-1) ? known > 0 && size % known === 0 : known === size;
    if (x.rank < 1 || !fits)
      fail(
        'shape',
        'reshape',
        `examples of ${showShape(x.shape.slice(1))} (${size} numbers) do not fit ${showShape(this.shape)}`,
        'The batch dimension is left out.',
      );
    return x.reshape([x.shape[0], ...this.shape.map((d) => (d === -1 ? size / known : d))]);
  }
}

/** Gives each example another shape, e.g. `nn.reshape([7, 7, 16])`; one dimension may be −1. */
export const reshape = (shape: Shape): Reshape => new Reshape(shape);

export class Permute extends Module {
  readonly axes: readonly number[];

  constructor(axes: readonly number[]) {
    super();
    const sorted = [...axes].sort((a, b) => a - b);
    if (sorted.some((axis, i) => axis !== i + 1))
      fail('argument', 'permute', `the axes must be an order of 1 … ${axes.length}, got ${showShape(axes)}`, 'Axis 0, the batch, stays in front.');
    this.axes = axes;
  }

  override get kind(): string {
    return 'permute';
  }

  /** [N, ...] → [N, ...dimensions in the new order] */
  forward(x: Tensor): Tensor {
    if (x.rank !== this.axes.length + 1) fail('shape', 'permute', `expected ${this.axes.length + 1} dimensions, got ${showShape(x.shape)}`);
    return x.transpose([0, ...this.axes]);
  }
}

/** Puts the axes of each example (1, 2, …) in another order: `nn.permute([2, 1])` swaps steps and features. */
export const permute = (axes: readonly number[]): Permute => new Permute(axes);

export type SidePadding = number | readonly (number | readonly [number, number])[];

export class ZeroPadding extends Module {
  readonly padding: SidePadding;

  constructor(padding: SidePadding) {
    super();
    const entries = typeof padding === 'number' ? [padding] : padding;
    for (const entry of entries) for (const p of typeof entry === 'number' ? [entry] : entry) checkWhole('zeroPadding', 'padding', p, 0);
    this.padding = padding;
  }

  override get kind(): string {
    return 'zeroPadding';
  }

  /** [N, ...size, C] → [N, ...(before + size + after), C] */
  forward(x: Tensor): Tensor {
    const { padding } = this;
    const count = x.rank - 2;
    if (count < 1 || (typeof padding !== 'number' && padding.length !== count))
      fail(
        'shape',
        'zeroPadding',
        `the padding ${JSON.stringify(padding)} does not fit ${showShape(x.shape)}`,
        'One entry per dimension between batch and channels.',
      );
    const list = typeof padding === 'number' ? new Array<number>(count).fill(padding) : padding;
    return x.pad([[0, 0], ...list.map((p): readonly [number, number] => (typeof p === 'number' ? [p, p] : p)), [0, 0]]);
  }
}

/** Zeros around each spatial dimension: one number for all sides, or per dimension a number or [before, after]. */
export const zeroPadding = (padding: SidePadding): ZeroPadding => new ZeroPadding(padding);
