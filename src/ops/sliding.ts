/**
 * Sliding geometry shared by convolutions and windows: which input position each output position meets at each tap.
 * Along one axis:  i · inputDilation = q · stride + k · dilation − low.
 */

export interface SlidingAxis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly inputDilation: number;
  readonly low: number;
}

/** The extent of `size` taps or positions that stand `dilation` apart. */
export const dilated = (size: number, dilation: number): number => (size === 0 ? 0 : (size - 1) * dilation + 1);

/** How many positions a window of `extent` takes along `length` (padding included). */
export const positions = (length: number, extent: number, stride: number): number => Math.max(0, Math.floor((length - extent) / stride) + 1);

/** Row-major positions of outputs and inputs that meet at one tap, in pairs, outputs ascending. */
export interface Meetings {
  readonly output: Int32Array;
  readonly input: Int32Array;
}

function meetingsAlong(axis: SlidingAxis, tap: number): readonly (readonly [number, number])[] {
  const pairs: [number, number][] = [];
  for (let q = 0; q < axis.output; q++) {
    const i = (q * axis.stride + tap * axis.dilation - axis.low) / axis.inputDilation;
    if (i >= 0 && i < axis.input && Number.isInteger(i)) pairs.push([q, i]);
  }
  return pairs;
}

/** All meetings at a tap, numbered row-major over the axes; positions in the padding meet nothing. */
export function meetings(axes: readonly SlidingAxis[], tap: number): Meetings {
  let [output, input] = [Int32Array.of(0), Int32Array.of(0)];
  let inner = axes.reduce((product, axis) => product * axis.taps, 1);
  for (const axis of axes) {
    inner /= axis.taps;
    const pairs = meetingsAlong(axis, Math.floor(tap / inner) % axis.taps);
    const outer = { output, input };
    output = new Int32Array(output.length * pairs.length);
    input = new Int32Array(output.length);
    for (let o = 0, at = 0; o < outer.output.length; o++) {
      for (const [q, i] of pairs) {
        output[at] = outer.output[o] * axis.output + q;
        input[at++] = outer.input[o] * axis.input + i;
      }
    }
  }
  return { output, input };
}
