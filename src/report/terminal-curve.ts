/** A curve in the terminal, drawn with block characters in eighths of a line. */
import { short } from './scale.ts';

const blocks = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export interface TerminalCurve {
  readonly title: string;
  /** One per epoch. */
  readonly values: readonly number[];
  /** Characters in all (default 80). */
  readonly columns?: number;
  /** Lines of the curve (default 6). */
  readonly lines?: number;
}

/** Columns rise from the lowest value to the highest; with more epochs than columns each is a mean. Values that are not finite are left blank. */
export function terminalCurve({ title, values, columns = 80, lines = 6 }: TerminalCurve): string[] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [];
  const [low, high] = [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))];
  const labels = [short(Number(high.toPrecision(3))), short(Number(low.toPrecision(3)))];
  const side = Math.max(...labels.map((label) => label.length));
  const room = Math.max(1, columns - side - 2);
  const shown = values.length > room ? means(values, room) : values;
  const wide = Math.max(1, Math.min(4, Math.floor(room / shown.length)));
  // An eighth at least, so that the lowest value is seen too.
  const heights = shown.map((value) => (Number.isFinite(value) ? 1 + Math.round((high > low ? (value - low) / (high - low) : 0) * (8 * lines - 1)) : 0));
  const drawn = Array.from({ length: lines }, (_, line) => {
    const below = 8 * (lines - 1 - line);
    const label = line === 0 ? labels[0] : line === lines - 1 ? labels[1] : '';
    return `${label.padStart(side)} ┤${heights.map((height) => blocks[Math.max(0, Math.min(8, height - below))].repeat(wide)).join('')}`.trimEnd();
  });
  return [title, ...drawn];
}

/** `count` means of neighbours. */
const means = (values: readonly number[], count: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count)).filter(Number.isFinite);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
