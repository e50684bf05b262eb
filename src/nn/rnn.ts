/** rnn: the simple recurrent net of Elman (1990). Letters: N batch, T steps, F features, H units. */

import type { Tensor } from '../tensor/index.ts';
import { checkChoice, checkWhole } from './options.ts';
import { Recurrent, type RecurrentOptions } from './recurrent.ts';
import type { CellState } from './recurrent-direction.ts';

export interface RnnOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly activation?: 'tanh' | 'relu';
}

/** [N, H] */
export type RnnState = CellState;
export type Rnn = Recurrent<RnnState>;

/**
 * h ← tanh(x W + b + h U): [N, T, F] → [N, T, H]. Names in states: inputWeight [F, H], recurrentWeight [H, H], bias [H].
 * `run(x, { state, mask })` also gives the final state.
 */
export function rnn(units: number, options: RnnOptions = {}): Rnn {
  const activation = checkChoice('rnn', 'activation', options.activation ?? 'tanh', ['tanh', 'relu']);
  checkWhole('rnn', 'units', units);
  const step = ({ hidden }: RnnState, fromInputs: Tensor, { recurrentWeight }: Readonly<Record<string, Tensor>>): RnnState => ({
    hidden: fromInputs.add(hidden.matmul(recurrentWeight))[activation](),
  });
  return new Recurrent({ name: 'rnn', units, gates: 1, stateNames: ['hidden'], extra: { bias: { shape: [units] } }, step }, options, ['activation']);
}
