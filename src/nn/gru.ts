/** gru: gated recurrent units (Cho et al. 2014). Gates stand in the order reset, update, candidate. Letters: N batch, T steps, F features, H units. */
import { split, type Tensor } from '../tensor/index.ts';
import { checkWhole } from './options.ts';
import { Recurrent, type RecurrentOptions } from './recurrent.ts';
import type { CellState } from './recurrent-direction.ts';

export interface GruOptions extends RecurrentOptions {
  /**
   * true (default): the reset gate scales the recurrent product, n = tanh(x W + b + r (h U + b′)), as in cuDNN, PyTorch and Keras;
   * false: it scales the state before the product, n = tanh(x W + b + (r h) U), as in the paper.
   */
  readonly resetAfter?: boolean;
}

export type GruState = CellState;
export type Gru = Recurrent<GruState>;

type Weights = Readonly<Record<string, Tensor>>;

/**
 * h ← z h + (1 − z) n with r, z = σ(x W + b + h U): [N, T, F] → [N, T, H]; run(x, { state, mask }) also gives the final state.
 * Names in states: inputWeight [F, 3 H], recurrentWeight [H, 3 H], bias [3 H], and with resetAfter candidateBias [H], the b′.
 */
export function gru(units: number, options: GruOptions = {}): Gru {
  checkWhole('gru', 'units', units);
  const after = options.resetAfter ?? true;
  const bias = { shape: [3 * units] };
  const extra = after ? { bias, candidateBias: { shape: [units] } } : { bias };
  const stepAfter = ({ hidden }: GruState, fromInputs: Tensor, { recurrentWeight, candidateBias }: Weights): GruState => {
    const [resetIn, updateIn, candidateIn] = split(fromInputs, 3, 1);
    const [resetOld, updateOld, candidateOld] = split(hidden.matmul(recurrentWeight), 3, 1);
    const reset = resetIn.add(resetOld).sigmoid();
    const candidate = candidateIn.add(reset.mul(candidateOld.add(candidateBias))).tanh();
    return { hidden: mixed(updateIn.add(updateOld).sigmoid(), hidden, candidate) };
  };
  const stepBefore = ({ hidden }: GruState, fromInputs: Tensor, { recurrentWeight }: Weights): GruState => {
    const [gatesIn, candidateIn] = split(fromInputs, [2 * units, units], 1);
    const [gateWeight, candidateWeight] = split(recurrentWeight, [2 * units, units], 1);
    const [reset, update] = split(gatesIn.add(hidden.matmul(gateWeight)).sigmoid(), 2, 1);
    const candidate = candidateIn.add(reset.mul(hidden).matmul(candidateWeight)).tanh();
    return { hidden: mixed(update, hidden, candidate) };
  };
  return new Recurrent({ name: 'gru', units, gates: 3, stateNames: ['hidden'], extra, step: after ? stepAfter : stepBefore }, options, ['resetAfter']);
}

/** z h + (1 − z) n */
const mixed = (update: Tensor, hidden: Tensor, candidate: Tensor): Tensor => candidate.add(update.mul(hidden.sub(candidate)));
