/**
 * What an optimizer is: a pure rule over named trees. `init` says the state's first values, `update` computes new parameters and state from gradients.
 * Rules build plain elementwise expressions per parameter and never touch a Variable, so the compiler can fuse the update of all of them.
 */
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../tensor/index.ts';

/** Tensors by parameter name, e.g. `0.weight`. */
export type Named<T = Tensor> = Readonly<Record<string, T>>;

/** A slot's name (`momentum`) to one tensor per parameter. */
export type State<T = Tensor> = Readonly<Record<string, Named<T>>>;

/** Shape of a state tensor; it starts as zeros. */
export type SlotShapes = State<Shape>;

export interface Update {
  readonly parameters: Named;
  readonly gradients: Named;
  readonly state: State;
  /** Scalar. */
  readonly learningRate: Tensor;
  /** Scalar, 1 in the first step, of the learning rate's dtype. */
  readonly step: Tensor;
}

export interface Rule {
  /** For errors and saved states: 'adam'. */
  readonly name: string;
  readonly init: (parameters: Named<{ readonly shape: Shape }>) => SlotShapes;
  readonly update: (given: Update) => { readonly parameters: Named; readonly state: State };
}

/** What a rule for one parameter at a time is given. */
export interface Single {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** The parameter's own state, by slot. */
  readonly slots: Named;
}

/**
 * A rule that treats every parameter alike. `slots` names the state tensors of a parameter's shape; `prepare` gets the step's scalars once and
 * returns the update of one parameter: its new value and its new slots.
 */
export function perParameter<Slot extends string>(
  name: string,
  slots: readonly Slot[],
  prepare: (scalars: {
    readonly learningRate: Tensor;
    readonly step: Tensor;
  }) => (single: Single & { readonly slots: Readonly<Record<Slot, Tensor>> }) => { readonly parameter: Tensor } & Readonly<Record<Slot, Tensor>>,
): Rule {
  return {
    name,
    init: (parameters) => Object.fromEntries(slots.map((slot) => [slot, mapNamed(parameters, ({ shape }) => shape)])),
    update: ({ parameters, gradients, state, learningRate, step }) => {
      const updateOne = prepare({ learningRate, step });
      const updated = mapNamed(parameters, (parameter, key) => {
        const own = Object.fromEntries(slots.map((slot) => [slot, state[slot][key]])) as Record<Slot, Tensor>;
        return updateOne({ parameter, gradient: gradients[key], slots: own });
      });
      return {
        parameters: mapNamed(updated, (one) => one.parameter),
        state: Object.fromEntries(slots.map((slot) => [slot, mapNamed(updated, (one): Tensor => one[slot])])),
      };
    },
  };
}

/** The record with each value replaced. */
export const mapNamed = <A, B>(tree: Named<A>, visit: (value: A, name: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, visit(value, name)]));
