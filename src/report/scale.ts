/** Axes: round ticks over a range, and numbers as short text. */

export interface Axis {
  readonly low: number;
  readonly high: number;
  /** Ascending, within low … high. */
  readonly ticks: readonly number[];
}

/**
 * An axis that holds all values, with about `count` ticks at multiples of 1, 2 or 5 times a power of ten. Values that are not finite are left out.
 * `whole`: ticks at whole numbers only, and the axis ends at the outermost values (epochs); otherwise it ends at ticks.
 */
export function axisOf(values: readonly number[], { count = 5, whole = false }: { readonly count?: number; readonly whole?: boolean } = {}): Axis {
  const finite = values.filter(Number.isFinite);
  let low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  let high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (finite.length === 0) [low, high] = [0, 1];
  const size = Math.max(Math.abs(low), Math.abs(high));
  // So near each other that ticks between them would look the same.
  const flat = high - low <= 1e-9 * size || size < 1e-30;
  if (flat) {
    const margin = whole || size < 1e-30 ? 0.5 : 0.1 * size;
    [low, high] = [low - margin, high + margin];
  }
  const step = whole ? Math.max(1, roundStep((high - low) / count)) : roundStep((high - low) / count);
  const [first, last] = whole ? [Math.ceil(low / step), Math.floor(high / step)] : [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  // Multiples by division: 3 × 0.1 would be 0.30000000000000004.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return whole ? { low, high, ticks } : { low: ticks[0], high: ticks[ticks.length - 1], ticks };
}

/** The smallest of 1, 2, 5 × 10ⁿ that is not below a width. */
function roundStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const times = [1, 2, 5, 10].find((factor) => factor * power >= width * (1 - 1e-9)) ?? 10;
  return times * power;
}

/** Where a value lies between two places. */
export const placed = ({ low, high }: Axis, value: number, from: number, to: number): number => from + ((value - low) / (high - low)) * (to - from);

/** A number in few characters: 1,234  12.5  0.0371  1.2e-5 */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString('en-US');
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replace(/\.?0+e/, 'e');
  return size >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}

/** Figures that are shares of 1 are shown in per cent. */
export const isShare = (name: string): boolean => /(accuracy|precision|recall|f1)$/i.test(name);

/** A figure as its name asks for: 98.55 % or 0.0451. */
export function figureText(name: string, value: number): string {
  if (isShare(name) && Number.isFinite(value)) return `${(100 * value).toFixed(2)} %`;
  const size = Math.abs(value);
  return !Number.isInteger(value) && size >= 1e-3 && size < 1000 ? value.toPrecision(4) : short(value);
}

/** valAccuracy → validation accuracy */
export const figureTitle = (name: string): string =>
  name
    .replace(/^val(?=[A-Z])/, 'validation')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
