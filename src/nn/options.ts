/** Checks of layer and loss options at the moment they are given: a layer never accepts what it ignores. */
import { didYouMean, fail } from '../core/errors.ts';

/** A wrong value in words. */
const shown = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value}]`;
  return typeof value === 'object' && value !== null ? `{ ${Object.keys(value).join(', ')} }` : String(value);
};

/** Refuses option names that the operation does not know. `hint` is for values that are no options at all. */
export function checkOptions(operation: string, options: object, known: readonly string[], hint?: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    fail('argument', operation, `expected an options object such as { ${known[0] ?? ''}: … }, got ${shown(options)}`, hint);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    fail('argument', operation, `unknown option ${name}`, didYouMean(name, known) ?? (known.length > 0 ? `It has ${known.join(', ')}.` : 'It has no options.'));
  }
}

/** A whole number ≥ least. */
export function checkWhole(operation: string, name: string, value: unknown, least = 1): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least)
    fail('argument', operation, `${name} must be a whole number ≥ ${least}, got ${shown(value)}`);
  return value;
}

/** For layers that are told sizes as PyTorch's are, inputs first. */
export const inputsAreFound = 'Give the size of the output alone: that of the input is found when the layer first sees one.';

/** A finite number within [low, high]; with `open`, below high. */
export function checkNumber(operation: string, name: string, value: unknown, { low = -Infinity, high = Infinity, open = false } = {}): number {
  const inside = typeof value === 'number' && Number.isFinite(value) && value >= low && (open ? value < high : value <= high);
  if (!inside) {
    const range = high < Infinity ? ` in [${low}, ${high}${open ? ')' : ']'}` : low > -Infinity ? ` ≥ ${low}` : '';
    fail('argument', operation, `${name} must be a finite number${range}, got ${shown(value)}`);
  }
  return value;
}

/** One of some words. */
export function checkChoice<T extends string>(operation: string, name: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  return found ?? fail('argument', operation, `${name} must be one of ${choices.join(', ')}, got ${shown(value)}`, didYouMean(String(value), choices));
}

/** One size for every dimension, or one each. */
export type PerDimension = number | readonly number[];

export function perDimension(operation: string, name: string, value: PerDimension, dimensions: number, least = 1): readonly number[] {
  const list = typeof value === 'number' ? new Array<number>(dimensions).fill(value) : value;
  if (!Array.isArray(list) || list.length !== dimensions) {
    fail('argument', operation, `${name} must be a number or a list of ${dimensions}, got ${Array.isArray(list) ? `a list of ${list.length}` : shown(value)}`);
  }
  for (const entry of list) checkWhole(operation, name, entry, least);
  return list;
}

/** The same padding before and after, per dimension. */
export const bothSides = (padding: readonly number[]): (readonly [number, number])[] => padding.map((p) => [p, p]);
