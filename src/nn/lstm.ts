/**
 * lstm: long short-term memory (Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 2000), gates in the order input, forget, cell, output.
 * The contraction with the inputs is done for all steps at once, before the loop. Letters: N batch, T steps, F features, H units.
 */
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape } from '../core/shape.ts';
import { einsum, scan, split, type Tensor, type Variable, zeros } from '../tensor/index.ts';
import { type Initializer, uniform } from './initializers.ts';
import { checkChoice, checkNumber, checkOptions, checkWhole } from './options.ts';
import { type ParameterDType, parameter, parameterDTypes } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export interface LstmOptions {
  /** Added to the forget gate's initial bias (Jozefowicz et al. 2015 advise 1); default 0. */
  readonly forgetBias?: number;
  /** Default: uniform in ±1/√units, for weights and bias. */
  readonly initializer?: Initializer;
  readonly dtype?: ParameterDType;
}

/** What an LSTM carries from step to step. */
export interface LstmState {
  readonly hidden: Tensor; // [N, H]
  readonly cell: Tensor; // [N, H]
}

type LstmParameters = {
  readonly inputWeight: Variable; // [F, 4 H]
  readonly recurrentWeight: Variable; // [H, 4 H]
  readonly bias: Variable; // [4 H]
};

export class Lstm extends SizedLayer<LstmParameters> {
  readonly units: number;
  readonly forgetBias: number;
  readonly options: LstmOptions;

  constructor(units: number, options: LstmOptions = {}) {
    super();
    checkOptions('lstm', options, ['forgetBias', 'initializer', 'dtype']);
    if (options.dtype !== undefined) checkChoice('lstm', 'dtype', options.dtype, parameterDTypes);
    this.units = checkWhole('lstm', 'units', units);
    this.forgetBias = checkNumber('lstm', 'forgetBias', options.forgetBias ?? 0);
    this.options = options;
  }

  override get kind(): string {
    return 'lstm';
  }

  protected override create(features: number): LstmParameters {
    const { units, forgetBias } = this;
    const limit = 1 / Math.sqrt(units);
    const { initializer = uniform(-limit, limit), dtype = 'float32' } = this.options;
    const withForgetBias: Initializer = (shape, fans) => initializer(shape, fans).map((value, i) => (i >= units && i < 2 * units ? value + forgetBias : value));
    return {
      inputWeight: parameter([features, 4 * units], initializer, { dtype }),
      recurrentWeight: parameter([units, 4 * units], initializer, { dtype }),
      bias: parameter([4 * units], withForgetBias, { dtype, fans: { fanIn: units, fanOut: 4 * units } }),
    };
  }

  protected override inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined {
    return shapeOf('inputWeight')?.[0];
  }

  /** [N, T, F] → the hidden states of all steps [N, T, H], starting from zeros. */
  forward(x: Tensor): Tensor {
    return this.run(x).outputs;
  }

  /** As forward, from a given state (default zeros), with the state after the last step. */
  run(x: Tensor, state?: LstmState): { readonly outputs: Tensor; readonly state: LstmState } {
    if (x.rank !== 3) fail('shape', 'lstm', `expected [batch, steps, features], got ${showShape(x.shape)}`);
    const { inputWeight, recurrentWeight, bias } = this.parametersFor(x);
    const shape = [x.shape[0], this.units];
    const { hidden, cell } = state ?? { hidden: zeros(shape, { dtype: inputWeight.dtype }), cell: zeros(shape, { dtype: inputWeight.dtype }) };
    for (const given of [hidden, cell])
      if (!sameShape(given.shape, shape)) fail('shape', 'lstm', `expected a state of ${showShape(shape)}, got ${showShape(given.shape)}`);
    const fromInputs = einsum('ntf,fg->tng', x, inputWeight).add(bias); // [T, N, 4 H]
    const [last, hiddens] = scan(
      ([h, c]: readonly Tensor[], gates: Tensor) => lstmStep(h, c, gates.add(h.matmul(recurrentWeight))),
      [hidden, cell],
      fromInputs,
    );
    return { outputs: hiddens.transpose([1, 0, 2]), state: { hidden: last[0], cell: last[1] } };
  }

  override multiplyAdds(input: Shape, _output: Shape): number {
    return (input[0] ?? 0) * 4 * this.units * ((this.inputSize ?? 0) + this.units);
  }
}

/** One step from the gates' sums [N, 4 H]: the new carries and the output. */
function lstmStep(_hidden: Tensor, cell: Tensor, gates: Tensor): [Tensor[], Tensor] {
  const [input, forget, candidate, output] = split(gates, 4, 1);
  const nextCell = forget.sigmoid().mul(cell).add(input.sigmoid().mul(candidate.tanh()));
  const nextHidden = output.sigmoid().mul(nextCell.tanh());
  return [[nextHidden, nextCell], nextHidden];
}

/** An LSTM layer: apply(x) gives all hidden states; run(x, state) also the final state. Names in states: inputWeight, recurrentWeight, bias. */
export const lstm = (units: number, options?: LstmOptions): Lstm => new Lstm(units, options);
