/**
 * The primitives by name, each with its attributes (everything about an operation that is not a tensor), and the type of a node.
 * Adding an op starts here; the compiler of TypeScript then names the missing object in ops/.
 */
import type { DType } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface Node extends TensorType {
  /** Grows with creation, so inputs have smaller ids: sorting by id is a topological order. */
  readonly id: number;
  readonly op: OpName;
  readonly inputs: readonly Node[];
  readonly attributes: AttributesOf[OpName];
}

/** Where a leaf's values come from. The graph does not look inside; the engine does. */
export interface Source {
  readonly kind: 'storage' | 'variable' | 'input';
}

/**
 * Geometry of a convolution, channels last. It is one trilinear form in input x [N, …I, C], kernel w [...K, C/groups, O] and output y [N, …Q, O]:
 * the sum over all positions with  i · inputDilation = q · stride + k · kernelDilation − paddingLow.
 */
export interface ConvGeometry {
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly kernelDilation: readonly number[];
  readonly inputDilation: readonly number[];
  readonly groups: number;
  readonly inputShape: Shape;
  readonly kernelShape: Shape;
  readonly outputShape: Shape;
}

/** Windows of `size` every `stride` along `axes`; positions outside the input (padding) take no part. */
export interface WindowGeometry {
  readonly axes: readonly number[];
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly inputShape: Shape;
}

/** A loop body: `parameters` are leaves (constants, then carries, then slices of xs); `results` the new carries, then slices of ys. */
export interface Body {
  readonly parameters: readonly Node[];
  readonly results: readonly Node[];
  readonly constants: number;
  readonly carries: number;
}

/**
 * Set by the compiler's layout pass: the second operand has been packed as [groups, panels, depth, width], where depth runs over the contracted
 * dimensions in row-major order and the columns of a group are padded to whole panels.
 */
export interface Panel {
  readonly width: number;
}

type None = Record<never, never>;

export interface AttributesOf {
  // Leaves
  leaf: { readonly source: Source };
  constant: { readonly value: number };
  iota: { readonly axis: number };
  // Elementwise, one operand
  neg: None;
  abs: None;
  sign: None;
  exp: None;
  log: None;
  log1p: None;
  expm1: None;
  sqrt: None;
  rsqrt: None;
  reciprocal: None;
  sin: None;
  cos: None;
  tan: None;
  tanh: None;
  sigmoid: None;
  erf: None;
  floor: None;
  ceil: None;
  round: None;
  isNaN: None;
  logicalNot: None;
  cast: { readonly dtype: DType };
  bitsToUniform: { readonly dtype: 'float32' | 'float64' };
  // Elementwise, two or three operands of one shape and dtype
  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  mod: None;
  minimum: None;
  maximum: None;
  equal: None;
  notEqual: None;
  less: None;
  lessEqual: None;
  greater: None;
  greaterEqual: None;
  logicalAnd: None;
  logicalOr: None;
  select: None;
  // Movement
  /** `apart`: an identity that the compiler keeps, so that what follows is not merged with the same computation elsewhere (recomputation). */
  reshape: { readonly shape: Shape; readonly apart?: true };
  permute: { readonly axes: readonly number[] };
  broadcast: { readonly shape: Shape };
  slice: { readonly start: readonly number[]; readonly size: readonly number[]; readonly step: readonly number[] };
  pad: { readonly padding: readonly (readonly [number, number])[]; readonly value: number };
  flip: { readonly axes: readonly number[] };
  concat: { readonly axis: number };
  // Reductions (the reduced axes disappear) and cumulative sum
  sum: { readonly axes: readonly number[] };
  prod: { readonly axes: readonly number[] };
  max: { readonly axes: readonly number[] };
  min: { readonly axes: readonly number[] };
  argMax: { readonly axis: number };
  argMin: { readonly axis: number };
  cumsum: { readonly axis: number; readonly reverse: boolean; readonly exclusive: boolean };
  // Contraction: one letter per dimension, as in einsum. Every letter of `out` is in a or b; a letter of a that is neither in b nor in out is not allowed.
  contract: { readonly a: string; readonly b: string; readonly out: string; readonly panel?: Panel };
  // Convolution: `role` names the factor of the trilinear form that is computed from the other two: output (x, w), input (dy, w), kernel (x, dy).
  // `chunks` (set by the compiler, role kernel only): the batch is summed in that many parts, which become a leading axis of the result.
  conv: ConvGeometry & { readonly role: 'output' | 'input' | 'kernel'; readonly chunks?: number; readonly panel?: Panel };
  // Windows
  windowSum: WindowGeometry;
  windowSpread: WindowGeometry;
  windowMax: WindowGeometry;
  windowArgMax: WindowGeometry;
  windowPick: WindowGeometry;
  windowPlace: WindowGeometry;
  // Data-dependent indices
  take: { readonly axis: number };
  scatterAdd: { readonly axis: number; readonly size: number };
  argSort: { readonly descending: boolean; readonly count: number };
  // Randomness and loops
  randomBits: { readonly shape: Shape };
  scan: { readonly body: Body; readonly length: number; readonly reverse: boolean };
  part: { readonly index: number };
}

export type OpName = keyof AttributesOf;
