/**
 * Windows that slide over some axes (pooling): their sums and maxima, and the adjoints that carry gradients back.
 * Positions outside the input take no part: they add 0 to a sum and never win a maximum.
 */
import type { TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { Windowed, WindowGeometry } from '../graph/attributes.ts';
import type { Node } from '../graph/node.ts';
import { windowed } from './build.ts';
import { checkAxes, checkDType, checkOperands, narrow, wide } from './check.ts';
import { paddingPairs, perAxis } from './conv-geometry.ts';
import { family, fromTable, type Member } from './registry.ts';
import { type Meetings, meetings, positions, type SlidingAxis } from './sliding.ts';

/** The shape of one value per window: the input's, with the window axes replaced by the number of positions. */
export function windowShape({ axes, size, stride, padding, inputShape }: WindowGeometry): number[] {
  const shape = [...inputShape];
  for (const [i, axis] of axes.entries()) shape[axis] = positions(inputShape[axis] + padding[i][0] + padding[i][1], size[i], stride[i]);
  return shape;
}

function checkGeometry(operation: string, { axes, size, stride, padding, inputShape }: WindowGeometry): void {
  // Positions in a window count row-major over the axes: in another order they would mean something else.
  checkAxes(operation, axes, inputShape.length);
  perAxis(operation, 'size', size, axes.length);
  perAxis(operation, 'stride', stride, axes.length);
  paddingPairs(operation, padding, size, size, stride);
  for (const [i, axis] of axes.entries()) {
    const [low, high] = padding[i];
    const [length, pair] = [inputShape[axis], showShape(padding[i])];
    if (Math.max(low, high) >= size[i])
      fail('argument', operation, `padding ${pair} lets windows of ${size[i]} lie outside the input`, 'Pad less than the window.');
    if (length + low + high < size[i] || length === 0)
      fail('shape', operation, `windows of ${size[i]} do not fit axis ${axis} of length ${length} (padding ${pair})`, 'Use smaller windows or more padding.');
  }
}

/** Calls `visit` for each position in the window with all (output, input) pairs that meet there. */
function eachTap(geometry: WindowGeometry, visit: (meet: Meetings, tap: number) => void): void {
  const output = windowShape(geometry);
  const axes: SlidingAxis[] = geometry.inputShape.map((input, axis) => {
    const i = geometry.axes.indexOf(axis);
    const [taps, stride, low] = i < 0 ? [1, 1, 0] : [geometry.size[i], geometry.stride[i], geometry.padding[i][0]];
    return { input, output: output[axis], taps, stride, low, dilation: 1, inputDilation: 1 };
  });
  for (let tap = 0; tap < sizeOf(axes.map((axis) => axis.taps)); tap++) visit(meetings(axes, tap), tap);
}

/** Adds up values where positions meet, for each window or for each input position; only at the tap that `at` holds for the window, if it is given. */
function collect(geometry: WindowGeometry, values: TypedArray, to: Side, { shape, dtype }: Node, at?: TypedArray): TypedArray {
  const x = wide(values);
  const out = new Float64Array(sizeOf(shape));
  eachTap(geometry, ({ output, input }, tap) => {
    const [target, source] = to === 'windows' ? [output, input] : [input, output];
    for (let p = 0; p < output.length; p++) if (!at || at[output[p]] === tap) out[target[p]] += x[source[p]];
  });
  return narrow(out, dtype);
}

/** The largest of each window and where it stands: the first of equals; NaN is larger than all. */
function maxima(geometry: WindowGeometry, x: Float64Array): { value: Float64Array; at: Int32Array } {
  const count = sizeOf(windowShape(geometry));
  const value = new Float64Array(count).fill(-Infinity);
  const at = new Int32Array(count).fill(-1);
  eachTap(geometry, ({ output, input }, tap) => {
    for (let p = 0; p < output.length; p++) {
      const q = output[p];
      const candidate = x[input[p]];
      if (at[q] >= 0 && !(candidate > value[q]) && !(Number.isNaN(candidate) && !Number.isNaN(value[q]))) continue;
      value[q] = candidate;
      at[q] = tap;
    }
  });
  return { value, at };
}

/** A value for every window, or for every position of the input. */
type Side = 'windows' | 'input';

interface Facts {
  readonly doc: string;
  /** What the result has values for; the last operand has them for the other side. */
  readonly to: Side;
  /** The first operand names a position of each window. */
  readonly picked?: true;
  /** Which of the maximum's two results it is. Absent: sums. */
  readonly maximum?: 'value' | 'at';
  /** Takes the gradient back. */
  readonly adjoint?: Windowed;
}

const shapeOn = (side: Side, geometry: WindowGeometry): Shape => (side === 'windows' ? windowShape(geometry) : geometry.inputShape);

function windowOp(name: Windowed, { doc, to, picked, maximum, adjoint }: Facts): Member<Windowed> {
  const operands: Side[] = [...(picked ? ['windows' as const] : []), to === 'windows' ? 'input' : 'windows'];
  return {
    doc,
    infer(inputs, geometry) {
      checkGeometry(name, geometry);
      checkOperands(name, inputs, operands.length);
      for (const [i, { shape }] of inputs.entries()) {
        const expected = shapeOn(operands[i], geometry);
        if (!sameShape(shape, expected)) fail('shape', name, `expected input ${i} ${showShape(expected)}, got ${showShape(shape)}`);
      }
      if (picked && inputs[0].dtype !== 'int32') fail('dtype', name, `positions must be int32, got ${inputs[0].dtype}`);
      const { dtype } = inputs[operands.length - 1];
      checkDType(name, dtype, maximum ? 'any' : 'summable');
      return { shape: shapeOn(to, geometry), dtype: maximum === 'at' ? 'int32' : dtype };
    },
    gradient: adjoint
      ? ({ inputs, attributes }, dOut) => {
          const at = picked ? inputs : maximum ? [windowed('windowArgMax', inputs, attributes)] : [];
          const dValues = windowed(adjoint, [...at.slice(0, 1), dOut], attributes);
          return picked ? [null, dValues] : [dValues];
        }
      : null,
    evaluate({ node, inputs }) {
      if (maximum === undefined) return collect(node.attributes, inputs[operands.length - 1], to, node, picked && inputs[0]);
      const { value, at } = maxima(node.attributes, wide(inputs[0]));
      return maximum === 'at' ? at : narrow(value, node.dtype);
    },
  };
}

const table: { readonly [K in Windowed]: Facts } = {
  windowSum: { doc: 'the sum of each window', to: 'windows', adjoint: 'windowSpread' },
  windowSpread: { doc: "each window's value added to all its positions: the adjoint of windowSum", to: 'input', adjoint: 'windowSum' },
  windowMax: { doc: 'the largest value of each window; NaN if there is one', to: 'windows', maximum: 'value', adjoint: 'windowPlace' },
  windowArgMax: { doc: 'the row-major position inside its window of the largest value, the first of equals', to: 'windows', maximum: 'at' },
  windowPick: { doc: 'the value at a given position of each window, 0 where that lies in the padding', to: 'windows', picked: true, adjoint: 'windowPlace' },
  windowPlace: { doc: "each window's value added at a given position of it: the adjoint of windowPick", to: 'input', picked: true, adjoint: 'windowPick' },
};
export const windowOps = family('window', fromTable(table, windowOp));
