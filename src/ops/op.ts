/** What is known of a primitive operation, in one object: shape rule, gradient, meaning, lowering property. */
import type { TypedArray } from '../core/dtype.ts';
import type { AttributesOf, OpName } from '../graph/attributes.ts';
import type { Node, TensorType } from '../graph/node.ts';

/**
 * What the compiler asks of an op, never its name:
 * `leaf` has no inputs; `elementwise` computes out[i] from in[i] (its IR operation has the op's own name); `movement` only renames indices;
 * `reduction` folds axes; the rest have a schedule of their own.
 */
export type OpKind = 'leaf' | 'elementwise' | 'movement' | 'reduction' | 'window' | 'contraction' | 'indexed' | 'sequential' | 'loop';

export interface Evaluation<K extends OpName = OpName> {
  readonly node: Node<K>;
  readonly inputs: readonly TypedArray[];
}

/** One per input or per node asked for; null: none flows. */
type Gradients = readonly (Node | null)[];

/**
 * Reverse rule: from a node and the gradient of the loss with respect to it, the gradients with respect to its inputs.
 * Built of ordinary nodes, so it can be differentiated again. `needed[i]` is false where nobody asks for input i.
 */
export type GradientRule<K extends OpName> = (node: Node<K>, dOut: Node, needed: readonly boolean[]) => Gradients;

/** Reverse-mode differentiation of a graph, handed to ops that hold graphs: gradients of Σ ⟨dOutputs, outputs⟩ with respect to `wrt`. */
export type Differentiate = (outputs: readonly Node[], dOutputs: Gradients, wrt: readonly Node[]) => Gradients;

/** As GradientRule for an op with several results, each read through a `part` node; dParts[i] is null where no gradient arrives. */
export type PartsGradientRule<K extends OpName> = (node: Node<K>, dParts: Gradients, needed: readonly boolean[], differentiate: Differentiate) => Gradients;

export interface Op<K extends OpName = OpName> {
  readonly name: K;
  readonly kind: OpKind;
  /** One line: what it computes. */
  readonly doc: string;
  /** Shape and dtype of the result; throws a GradixError for inputs that do not fit. */
  readonly infer: (inputs: readonly TensorType[], attributes: AttributesOf[K]) => TensorType;
  /** Only ops with several results: their types, in the order that `part` counts them. Such a node's own shape and dtype mean nothing. */
  readonly inferParts?: (inputs: readonly TensorType[], attributes: AttributesOf[K]) => readonly TensorType[];
  /** null: piecewise constant or integer-valued, no gradient flows. Ops with several results have gradientOfParts instead. */
  readonly gradient: GradientRule<K> | null;
  readonly gradientOfParts?: PartsGradientRule<K>;
  /** The meaning, in plain TypeScript with float64 inside. `inputs` are row-major and not to be changed. */
  readonly evaluate: (call: Evaluation<K>) => TypedArray;
  /** Instead of `evaluate`, for ops with several results: all of them. Whoever interprets graphs (evaluate.ts) must call it and resolve `part` nodes. */
  readonly evaluateParts?: (call: Evaluation<K>) => readonly TypedArray[];
}
