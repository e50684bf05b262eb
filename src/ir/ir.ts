/**
 * The loop IR: the one language between the compiler and the renderers. A kernel is a function of buffers and of a range of units;
 * its body is structured (loops, branches) with single-assignment values, a few mutable accumulators, loads and stores.
 * Vectors have a fixed number of lanes; lanes 1 is a scalar. Nothing here knows a language or a device.
 */

/** `index` is a signed machine word for addresses and loop counters. A bool is 0 or 1 (in vectors: a lane mask). */
export type Scalar = 'f32' | 'f64' | 'f16' | 'bf16' | 'i32' | 'u8' | 'bool' | 'index';

export interface Type {
  readonly scalar: Scalar;
  readonly lanes: number;
}

export type ElementaryOp = 'exp' | 'log' | 'log1p' | 'expm1' | 'sqrt' | 'rsqrt' | 'sin' | 'cos' | 'tan' | 'tanh' | 'sigmoid' | 'erf';
export type RoundingOp = 'floor' | 'ceil' | 'round';
/** splat: all lanes = the scalar operand. */
export type ConversionOp = 'cast' | 'bitsToUniform' | 'splat';
/** Horizontal folds of a vector to a scalar, in a fixed pairwise order. */
export type FoldOp = 'foldAdd' | 'foldMul' | 'foldMax' | 'foldMin';
export type UnaryOp = ElementaryOp | RoundingOp | ConversionOp | FoldOp | 'neg' | 'abs' | 'sign' | 'reciprocal' | 'isNaN' | 'logicalNot';

export type ArithmeticOp = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'mod' | 'minimum' | 'maximum';
export type ComparisonOp = 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual';
export type BitOp = 'logicalAnd' | 'logicalOr' | 'bitXor' | 'bitAnd' | 'bitOr' | 'shiftLeft' | 'shiftRight';
/** Index arithmetic on non-negative numbers. */
export type IndexOp = 'quotient' | 'remainder';
export type BinaryOp = ArithmeticOp | ComparisonOp | BitOp | IndexOp;

/** fma(a, b, c) = a·b + c with one rounding where the target has it; select(condition, a, b). */
export type TernaryOp = 'fma' | 'select';

export type IrOp = UnaryOp | BinaryOp | TernaryOp;

export type Expr =
  | { readonly kind: 'const'; readonly type: Type; readonly value: number }
  | { readonly kind: 'var'; readonly type: Type; readonly name: string }
  | { readonly kind: 'op'; readonly type: Type; readonly op: IrOp; readonly args: readonly Expr[] }
  /** Lane indices: 0, 1, 2, … */
  | { readonly kind: 'lanes'; readonly type: Type }
  /**
   * Elements index, index + stride, … of a parameter (stride 0: one element splat over the lanes). With `count`, only the first `count` lanes are read, the others are 0.
   */
  | { readonly kind: 'load'; readonly type: Type; readonly buffer: number; readonly index: Expr; readonly stride: number; readonly count?: Expr }
  /** Lane l reads element indices[l]: one vector of i32 indices. */
  | { readonly kind: 'gather'; readonly type: Type; readonly buffer: number; readonly indices: Expr };

export type Stmt =
  | { readonly kind: 'let'; readonly name: string; readonly value: Expr }
  /** A mutable variable (an accumulator). */
  | { readonly kind: 'declare'; readonly name: string; readonly value: Expr }
  | { readonly kind: 'assign'; readonly name: string; readonly value: Expr }
  | {
      readonly kind: 'for';
      readonly name: string;
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      readonly body: readonly Stmt[];
      readonly unroll?: number;
    }
  | { readonly kind: 'if'; readonly condition: Expr; readonly body: readonly Stmt[]; readonly otherwise: readonly Stmt[] }
  /** The cache line of an element that is read later; no harm where there is none. */
  | { readonly kind: 'prefetch'; readonly buffer: number; readonly index: Expr }
  /** Lane l goes to element indices[l]; only the first `count` lanes where given. */
  | { readonly kind: 'scatter'; readonly buffer: number; readonly indices: Expr; readonly value: Expr; readonly count?: Expr }
  /** A vector goes to index, index + stride, …; with `count`, only its first `count` lanes. */
  | { readonly kind: 'store'; readonly buffer: number; readonly index: Expr; readonly value: Expr; readonly stride: number; readonly count?: Expr };

export interface Parameter {
  readonly scalar: Scalar;
  readonly name: string;
  readonly written: boolean;
}

/**
 * f(parameters, from, to): does units from … to−1 of its work. Units are independent: any split over threads gives the same bits.
 */
export interface Kernel {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Stmt[];
  /** What it is, for people: one line. */
  readonly comment: string;
  /** Work of all units together, for profiles and cost decisions. */
  readonly flops: number;
  readonly bytes: number;
}

/** The unit range inside a kernel's body. */
export const unitsFrom: Expr = { kind: 'var', type: { scalar: 'index', lanes: 1 }, name: 'unitsFrom' };
export const unitsTo: Expr = { kind: 'var', type: { scalar: 'index', lanes: 1 }, name: 'unitsTo' };

/** What a schedule and a renderer may know of the machine. */
export interface Target {
  readonly language: 'c' | 'wasm' | 'wgsl';
  /** float32 lanes of the widest vector. */
  readonly lanes: number;
  /** Vector registers. */
  readonly registers: number;
  readonly fma: boolean;
  /** Cheap partial loads and stores. */
  readonly masks: boolean;
  readonly threads: number;
  readonly l1Bytes: number;
  readonly l2Bytes: number;
  /** Distinguishes kernels in a cache: compiler, flags, vector units. */
  readonly identity: string;
}
