/** Search spaces: plain objects that say which values each parameter may take, so that they can also stand in a JSON file. */
import { didYouMean, fail } from '../core/errors.ts';
import { checkNumber, checkOptions } from '../nn/options.ts';

/** What a parameter may be. */
export type Value = number | string | boolean;

/** Real numbers in [low, high], all equally likely. */
export interface Uniform {
  readonly type: 'uniform';
  readonly low: number;
  readonly high: number;
}
/** Positive numbers in [low, high], equally likely per factor: as many between 0.001 and 0.01 as between 0.01 and 0.1. */
export interface LogUniform {
  readonly type: 'logUniform';
  readonly low: number;
  readonly high: number;
}
/** Whole numbers low … high, both included. */
export interface Integer {
  readonly type: 'integer';
  readonly low: number;
  readonly high: number;
}
/** One of a list, whose order means nothing. */
export interface Choice<V extends Value = Value> {
  readonly type: 'choice';
  readonly values: readonly V[];
}
export interface Truth {
  readonly type: 'boolean';
}
export type Parameter = Uniform | LogUniform | Integer | Choice | Truth;
export type Space = Readonly<Record<string, Parameter>>;

type ValueOf<P extends Parameter> = P extends Choice<infer V> ? V : P extends Truth ? boolean : number;
/** One value for each parameter of a space. */
export type Values<S extends Space = Space> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** Real numbers in [low, high]. */
export const uniform = (low: number, high: number): Uniform => ({ type: 'uniform', low, high });
/** Numbers in [low, high], low > 0, spread evenly over their logarithms: for learning rates and weight decay. */
export const logUniform = (low: number, high: number): LogUniform => ({ type: 'logUniform', low, high });
/** Whole numbers low … high, both included. */
export const integer = (low: number, high: number): Integer => ({ type: 'integer', low, high });
/** One of some numbers, texts or truth values. */
export const choice = <const V extends Value>(values: readonly V[]): Choice<V> => ({ type: 'choice', values });
/** true or false. */
export const boolean = (): Truth => ({ type: 'boolean' });

const fields = { uniform: ['low', 'high'], logUniform: ['low', 'high'], integer: ['low', 'high'], choice: ['values'], boolean: [] } as const;

/** Checks a space, from code or from a file. Errors: none or unknown parameters, ranges that are empty or not finite, logarithms of what is not positive. */
export function checkSpace(operation: string, space: unknown): Space {
  if (typeof space !== 'object' || space === null || Array.isArray(space))
    fail('argument', operation, `a space must be an object such as { learningRate: logUniform(1e-4, 0.1) }, got ${JSON.stringify(space)}`);
  const entries = Object.entries(space);
  if (entries.length === 0) fail('argument', operation, 'the space has no parameters', 'For example { learningRate: logUniform(1e-4, 0.1) }.');
  for (const [name, parameter] of entries) checkParameter(operation, name, parameter);
  return space as Space;
}

function checkParameter(operation: string, name: string, parameter: unknown): void {
  const types = Object.keys(fields);
  const type = (parameter as { type?: unknown } | null | undefined)?.type;
  if (typeof type !== 'string' || !Object.hasOwn(fields, type))
    fail(
      'argument',
      operation,
      `${name} must have a type that is one of ${types.join(', ')}, got ${JSON.stringify(type === undefined ? parameter : type)}`,
      (typeof type === 'string' ? didYouMean(type, types) : undefined) ?? `For example ${name}: { "type": "uniform", "low": 0, "high": 1 }.`,
    );
  const known = parameter as Parameter;
  checkOptions(`${operation}: ${name}`, known, ['type', ...fields[known.type]]);
  if (known.type === 'choice') checkChoices(operation, name, known.values);
  else if (known.type !== 'boolean') checkRange(operation, name, known);
}

function checkRange(operation: string, name: string, range: Range): void {
  const { type, low, high } = range;
  for (const [side, value] of [['low', low] as const, ['high', high] as const]) {
    checkNumber(operation, `${name}.${side}`, value);
    if (type === 'integer' && !Number.isSafeInteger(value)) fail('argument', operation, `${name}.${side} must be a whole number, got ${value}`);
  }
  if (low > high || (low === high && type !== 'integer'))
    fail('argument', operation, `${name} needs low < high, got ${low} and ${high}`, 'For a value that does not change, leave it out of the space.');
  if (type === 'logUniform' && low <= 0)
    fail('argument', operation, `${name}: logUniform needs low > 0, got ${low}`, 'Zero has no logarithm; use uniform, or a small positive low.');
}

function checkChoices(operation: string, name: string, values: unknown): void {
  if (!Array.isArray(values) || values.length === 0)
    fail('argument', operation, `${name} needs a list of at least one value, got ${JSON.stringify(values)}`, `For example choice([16, 32, 64]).`);
  for (const value of values)
    if (!(typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))))
      fail('argument', operation, `${name}: values must be finite numbers, texts or truth values, got ${String(value)}`);
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) fail('argument', operation, `${name} has the value ${JSON.stringify(twice)} twice`);
}

/** The values of a parameter that has only so many; undefined for ranges of real numbers. */
export function listed(parameter: Parameter): readonly Value[] | undefined {
  if (parameter.type === 'choice') return parameter.values;
  if (parameter.type === 'boolean') return [false, true];
  if (parameter.type === 'integer') return Array.from({ length: parameter.high - parameter.low + 1 }, (_, i) => parameter.low + i);
  return undefined;
}

export type Range = Uniform | LogUniform | Integer;
export const isRange = (parameter: Parameter): parameter is Range => parameter.type !== 'choice' && parameter.type !== 'boolean';

/** Where a number of a range lies in [0, 1]. Whole numbers own equal parts, each in the middle of its own. */
export function toUnit(range: Range, value: number): number {
  const { type, low, high } = range;
  if (type === 'integer') return (value - low + 0.5) / (high - low + 1);
  if (type === 'uniform') return (value - low) / (high - low);
  return Math.log(value / low) / Math.log(high / low);
}

/** The number of a range at a place in [0, 1]; the inverse of `toUnit`. */
export function fromUnit(range: Range, place: number): number {
  const { type, low, high } = range;
  if (type === 'integer') return Math.min(high, low + Math.floor(place * (high - low + 1)));
  const value = type === 'uniform' ? low + place * (high - low) : low * (high / low) ** place;
  return Math.min(high, Math.max(low, value));
}
