/** What samples are: operands and attributes on which an op is tried. Shapes are written as text: '2,3 -' is a matrix and a scalar. */
import type { DType } from '../../../src/core/dtype.ts';
import type { Shape } from '../../../src/core/shape.ts';
import type { AttributesOf, OpName, Padding } from '../../../src/graph/attributes.ts';

/** A test case of an op: for conformance on every device and for gradient checks. */
export interface Sample<K extends OpName = OpName> {
  readonly name: string;
  readonly inputs: readonly SampleInput[];
  readonly attributes: AttributesOf[K];
  /** False at kinks and where the second derivative is not defined. Default true. */
  readonly differentiable?: boolean;
}

/** Random values within [low, high] (defaults −1, 1; whole numbers for integer dtypes), or the given values. */
export interface SampleInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly low?: number;
  readonly high?: number;
  readonly values?: readonly number[];
  /** Random values all at least this far apart (so that maxima are unambiguous under finite differences). */
  readonly distinct?: boolean;
}

export const shapes = (text: string): Shape[] => text.split(' ').map((shape) => (shape === '-' ? [] : shape.split(',').map(Number)));

/** Inputs of these shapes, alike in all else. */
export const inputs = (text: string, rest: Omit<SampleInput, 'shape'> = {}): SampleInput[] => shapes(text).map((shape) => ({ ...rest, shape }));

/** A case of given inputs, or of floating ones of the given shapes. */
export const sample = <K extends OpName>(name: string, given: string | readonly SampleInput[], attributes: AttributesOf[K]): Sample<K> => ({
  name,
  inputs: typeof given === 'string' ? inputs(given) : given,
  attributes,
});

/** As `sample`, where only values are compared: at kinks, and where nothing flows. */
export const valuesOnly = <K extends OpName>(name: string, given: string | readonly SampleInput[], attributes: AttributesOf[K]): Sample<K> => ({
  ...sample(name, given, attributes),
  differentiable: false,
});

/** Padding before and after, per axis. */
export const padding = (...pairs: Padding): Padding => pairs;

/** The same case in each of the dtypes. */
export const inDtypes = <K extends OpName>(text: string, attributes: AttributesOf[K], dtypes: readonly DType[] = ['float16', 'uint8', 'bool', 'int32']) =>
  dtypes.map((dtype): Sample<K> => valuesOnly(dtype, inputs(text, { dtype, low: 0, high: 100 }), attributes));

/** Shapes on which elementwise ops are tried: vectors, scalars, empty ones, odd lengths. */
export const oddShapes = shapes('7 - 1 0 3,0,2 2,3,1,5 13,11');

/** The samples of a family of ops, by name. */
export type SamplesOf<K extends OpName> = { readonly [N in K]: readonly Sample<N>[] };

/** The samples that the rows of a table describe. */
export const fromTable = <K extends OpName, Facts>(table: { readonly [N in K]: Facts }, samplesOf: (name: K, facts: Facts) => readonly Sample<K>[]) =>
  Object.fromEntries(Object.entries<Facts>(table).map(([name, facts]) => [name, samplesOf(name as K, facts)])) as unknown as SamplesOf<K>;
