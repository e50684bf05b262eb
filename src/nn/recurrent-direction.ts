/**
 * One layer of a recurrent net in one direction: the contraction with the inputs is done for all steps at once, before the loop over steps.
 * A Cell says what is particular to rnn, lstm and gru. Letters: N batch, T steps, F features, H units, G gates.
 */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape } from '../core/shape.ts';
import { concat, einsum, scan, type Tensor, type Variable, where, zeros } from '../tensor/index.ts';
import { type Initializer, uniform } from './initializers.ts';
import { type ParameterDType, parameter } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

/** What a cell carries from step to step, all [N, H]; `hidden` is also its output. */
export type CellState = { readonly hidden: Tensor } & Readonly<Record<string, Tensor>>;

/** A parameter beside the weight of the inputs. */
export interface CellParameter {
  readonly shape: Shape;
  /** Changes the initial values, e.g. adds a forget bias. */
  readonly adjust?: (value: number, index: number) => number;
}

export interface Cell<S extends CellState> {
  readonly name: string;
  readonly units: number;
  /** Blocks of H columns in the weights. */
  readonly gates: number;
  readonly stateNames: readonly string[];
  /** Parameters besides inputWeight [F, G H] and recurrentWeight [H, G H]; `bias` [G H] is added to the inputs' part. */
  readonly extra: Readonly<Record<string, CellParameter>>;
  /** One step from the inputs' part of the gates [N, G H]. */
  readonly step: (state: S, fromInputs: Tensor, weights: Readonly<Record<string, Tensor>>) => S;
}

export interface DirectionOptions {
  readonly reverse: boolean;
  readonly truncate?: number;
  readonly initializer?: Initializer;
  readonly dtype?: ParameterDType;
}

type DirectionParameters = Readonly<Record<string, Variable>>;

export class Direction<S extends CellState> extends SizedLayer<DirectionParameters> {
  readonly cell: Cell<S>;
  readonly options: DirectionOptions;

  constructor(cell: Cell<S>, options: DirectionOptions) {
    super();
    this.cell = cell;
    this.options = options;
  }

  override get kind(): string {
    return this.cell.name;
  }

  protected override create(features: number): DirectionParameters {
    const { units, gates, extra } = this.cell;
    const limit = 1 / Math.sqrt(units);
    const { initializer = uniform(-limit, limit), dtype = 'float32' } = this.options;
    const fans = { fanIn: units, fanOut: gates * units };
    const more = Object.entries(extra).map(([name, { shape, adjust = (value: number) => value }]) => {
      const adjusted: Initializer = (s, f) => initializer(s, f).map(adjust);
      return [name, parameter(shape, adjusted, { dtype, fans })] as const;
    });
    return {
      inputWeight: parameter([features, gates * units], initializer, { dtype }),
      recurrentWeight: parameter([units, gates * units], initializer, { dtype }),
      ...Object.fromEntries(more),
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('inputWeight')?.[0];
  }

  /** [N, T, F] and a first state (default zeros) → the hidden states [N, T, H] in the order of the input, and the last state. */
  forward(x: Tensor, start?: S, mask?: Tensor): { readonly outputs: Tensor; readonly state: S } {
    const { cell } = this;
    const weights = this.parametersFor(x);
    const first = this.#firstState(x, start, weights.inputWeight);
    const product = einsum('tnf,fg->tng', x.transpose([1, 0, 2]), weights.inputWeight); // [T, N, G H]
    const fromInputs = weights.bias ? product.add(weights.bias) : product;
    const counts = mask?.cast('bool').transpose().expandDims(2); // [T, N, 1]
    const step = (state: S, gates: Tensor, counted: Tensor | undefined): readonly [S, Tensor] => {
      const next = cell.step(state, gates, weights);
      if (!counted) return [next, next.hidden];
      const held = Object.fromEntries(Object.entries(next).map(([key, value]) => [key, where(counted, value, state[key])]));
      return [held as S, where(counted, next.hidden, 0)];
    };
    const { outputs, state } = this.#loop(step, first, fromInputs, counts);
    return { outputs: outputs.transpose([1, 0, 2]), state };
  }

  /** The loop over all steps, cut into pieces where the gradient is truncated. */
  #loop(
    step: (state: S, gates: Tensor, counted: Tensor | undefined) => readonly [S, Tensor],
    first: S,
    fromInputs: Tensor,
    counts: Tensor | undefined,
  ): { outputs: Tensor; state: S } {
    const { reverse, truncate = fromInputs.shape[0] } = this.options;
    const length = fromInputs.shape[0];
    const outputs: Tensor[] = [];
    let state = first;
    for (let done = 0; done < length; done += truncate) {
      const size = Math.min(truncate, length - done);
      const begin = reverse ? length - done - size : done;
      const piece = (x: Tensor): Tensor => (size === length ? x : x.slice([begin], [size]));
      const xs = counts ? [piece(fromInputs), piece(counts)] : [piece(fromInputs)];
      const from = done === 0 ? state : (Object.fromEntries(Object.entries(state).map(([key, value]) => [key, value.stopGradient()])) as S);
      const [last, hidden] = scan((carry: S, [gates, counted]: readonly Tensor[]) => step(carry, gates, counted), from, xs as readonly Tensor[], { reverse });
      state = last;
      if (reverse) outputs.unshift(hidden as unknown as Tensor);
      else outputs.push(hidden as unknown as Tensor);
    }
    return { outputs: outputs.length === 1 ? outputs[0] : concat(outputs, 0), state };
  }

  #firstState(x: Tensor, start: S | undefined, weight: Variable): S {
    const { units, stateNames, name } = this.cell;
    const shape = [x.shape[0], units];
    if (!start) return Object.fromEntries(stateNames.map((key) => [key, zeros(shape, { dtype: weight.dtype })])) as unknown as S;
    for (const key of stateNames) {
      const given = start[key] ?? fail('argument', name, `the state lacks ${key}`, `It has ${stateNames.join(' and ')}.`);
      if (!sameShape(given.shape, shape)) fail('shape', name, `expected a state of ${showShape(shape)}, got ${showShape(given.shape)}`);
    }
    return Object.fromEntries(stateNames.map((key) => [key, start[key]])) as unknown as S;
  }

  override multiplyAdds(input: Shape, _output: Shape): number {
    return (input[0] ?? 0) * this.cell.gates * this.cell.units * ((this.inputSize ?? 0) + this.cell.units);
  }
}
