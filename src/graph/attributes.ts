/**
 * The primitives by name, each with its attributes (everything about an operation that is not a tensor), and the type of a node.
 * Adding an op starts here; the compiler of TypeScript then names the missing object in ops/.
 */
import type { DType } from '../core/dtype.ts';
import type { Shape, TensorType } from '../core/shape.ts';

/** Elements before and after, per axis. */
export type Padding = readonly (readonly [number, number])[];

export interface Node<K extends OpName = OpName> extends TensorType {
  /** Grows with creation, so inputs have smaller ids: sorting by id is a topological order. */
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Node[];
  readonly attributes: AttributesOf[K];
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
  readonly padding: Padding;
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
  readonly padding: Padding;
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

const stepwise = ['neg', 'abs', 'sign', 'floor', 'ceil', 'round', 'isNaN', 'logicalNot'] as const;
const smooth = ['exp', 'log', 'log1p', 'expm1', 'sqrt', 'rsqrt', 'reciprocal', 'sin', 'cos', 'tan', 'tanh', 'sigmoid', 'erf'] as const;
/** Elementwise, one operand. */
export const unaryNames = [...stepwise, ...smooth] as const;
export type Unary = (typeof unaryNames)[number];

const arithmetic = ['add', 'sub', 'mul', 'div', 'pow', 'mod', 'minimum', 'maximum'] as const;
const relations = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual', 'logicalAnd', 'logicalOr'] as const;
/** Elementwise, two operands of one shape and dtype. */
export const binaryNames = [...arithmetic, ...relations] as const;
export type Binary = (typeof binaryNames)[number];

/** Reductions: the reduced axes disappear. */
export type Fold = 'sum' | 'prod' | 'max' | 'min';
export type ArgFold = 'argMax' | 'argMin';
export type Windowed = 'windowSum' | 'windowSpread' | 'windowMax' | 'windowArgMax' | 'windowPick' | 'windowPlace';

type Alike = Record<Unary | Binary | 'select', Record<never, never>> &
  Record<Fold, { readonly axes: readonly number[] }> &
  Record<ArgFold, { readonly axis: number }> &
  Record<Windowed, WindowGeometry>;

export interface AttributesOf extends Alike {
  // Leaves
  leaf: { readonly source: Source };
  constant: { readonly value: number };
  iota: { readonly axis: number };
  // Elementwise
  cast: { readonly dtype: DType };
  bitsToUniform: { readonly dtype: 'float32' | 'float64' };
  // Movement
  /** `apart`: an identity that the compiler keeps, so that what follows is not merged with the same computation elsewhere (recomputation). */
  reshape: { readonly shape: Shape; readonly apart?: true };
  permute: { readonly axes: readonly number[] };
  broadcast: { readonly shape: Shape };
  slice: { readonly start: readonly number[]; readonly size: readonly number[]; readonly step: readonly number[] };
  pad: { readonly padding: Padding; readonly value: number };
  flip: { readonly axes: readonly number[] };
  concat: { readonly axis: number };
  cumsum: { readonly axis: number; readonly reverse: boolean; readonly exclusive: boolean };
  // Contraction: one letter per dimension, as in einsum. Every letter of `out` is in a or b; a letter of a that is neither in b nor in out is not allowed.
  contract: { readonly a: string; readonly b: string; readonly out: string; readonly panel?: Panel };
  // Convolution: `role` names the factor of the trilinear form that is computed from the other two: output (x, w), input (dy, w), kernel (x, dy).
  // `chunks` (set by the compiler, role kernel only): the batch is summed in that many parts, which become a leading axis of the result.
  conv: ConvGeometry & { readonly role: 'output' | 'input' | 'kernel'; readonly chunks?: number; readonly panel?: Panel };
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
