/** Terse constructors of samples. Shapes are written as text: '2,3 -' is a matrix and a scalar. */
import type { DType } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';
import type { AttributesOf, OpName, Padding } from '../graph/attributes.ts';
import type { Sample, SampleInput } from './op.ts';

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
