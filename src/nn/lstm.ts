/**
 * lstm: long short-term memory (Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 2000, peepholes of Gers & Schmidhuber 2000).
 * Gates stand in the order input, forget, cell, output. Letters: N batch, T steps, F features, H units.
 */
import { split, type Tensor } from '../tensor/index.ts';
import { checkNumber, checkWhole } from './options.ts';
import { Recurrent, type RecurrentOptions } from './recurrent.ts';
import type { CellState } from './recurrent-direction.ts';

export interface LstmOptions extends RecurrentOptions {
  /** Added to the forget gate's initial bias (Jozefowicz et al. 2015 advise 1); default 0. */
  readonly forgetBias?: number;
  /** The gates also see the cell: input and forget gate the old one, the output gate the new one; default false. */
  readonly peepholes?: boolean;
}

/** What an LSTM carries from step to step; both [N, H]. */
export type LstmState = CellState & { readonly cell: Tensor };
export type Lstm = Recurrent<LstmState>;

/**
 * c ← σ(f) c + σ(i) tanh(g), h ← σ(o) tanh(c), with i, f, g, o = x W + b + h U: [N, T, F] → [N, T, H]; run(x, { state, mask }) also gives the final state.
 * Names in states: inputWeight [F, 4 H], recurrentWeight [H, 4 H], bias [4 H], and peephole [3, H] (input, forget, output).
 */
export function lstm(units: number, options: LstmOptions = {}): Lstm {
  checkWhole('lstm', 'units', units);
  const { forgetBias = 0, peepholes = false } = options;
  checkNumber('lstm', 'forgetBias', forgetBias);
  const bias = { shape: [4 * units], adjust: (value: number, i: number) => (i >= units && i < 2 * units ? value + forgetBias : value) };
  const extra = peepholes ? { bias, peephole: { shape: [3, units] } } : { bias };
  const cell = { name: 'lstm', units, gates: 4, stateNames: ['hidden', 'cell'], extra, step: peepholes ? peepholeStep : plainStep };
  return new Recurrent<LstmState>(cell, options, ['forgetBias', 'peepholes']);
}

type Weights = Readonly<Record<string, Tensor>>;

function plainStep({ hidden, cell }: LstmState, fromInputs: Tensor, { recurrentWeight }: Weights): LstmState {
  const [input, forget, candidate, output] = split(fromInputs.add(hidden.matmul(recurrentWeight)), 4, 1);
  const next = forget.sigmoid().mul(cell).add(input.sigmoid().mul(candidate.tanh()));
  return { hidden: output.sigmoid().mul(next.tanh()), cell: next };
}

function peepholeStep({ hidden, cell }: LstmState, fromInputs: Tensor, { recurrentWeight, peephole }: Weights): LstmState {
  const [input, forget, candidate, output] = split(fromInputs.add(hidden.matmul(recurrentWeight)), 4, 1);
  const [toInput, toForget, toOutput] = split(peephole, 3, 0); // [1, H] each
  const keep = forget.add(cell.mul(toForget)).sigmoid();
  const write = input.add(cell.mul(toInput)).sigmoid();
  const next = keep.mul(cell).add(write.mul(candidate.tanh()));
  return { hidden: output.add(next.mul(toOutput)).sigmoid().mul(next.tanh()), cell: next };
}
