/**
 * Sequence to sequence by two LSTMs (Cho et al. 2014; Sutskever et al. 2014): the encoder reads, the decoder begins with the encoder's last state, which it also
 * sees at every step, and answers. Letters: N batch, T steps read, A steps answered, K symbols.
 */

import { isFloating } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import * as nn from '../nn/index.ts';
import { checkOptions, checkWhole } from '../nn/options.ts';
import type { Tensor } from '../tensor/index.ts';

export interface SequenceToSequenceOptions {
  /** How many different symbols there are, in questions and answers: K. */
  readonly symbols: number;
  /** Length of an answer: A. */
  readonly answerLength: number;
  /** LSTM units on both sides; default 128. */
  readonly units?: number;
}

export class SequenceToSequence extends nn.Module {
  readonly symbols: number;
  readonly answerLength: number;
  readonly encoder: nn.Lstm;
  readonly decoder: nn.Lstm;
  readonly output: nn.Linear;

  constructor(options: SequenceToSequenceOptions) {
    super();
    const name = 'sequenceToSequence';
    checkOptions(name, options, ['symbols', 'answerLength', 'units']);
    const { symbols, answerLength, units = 128 } = options;
    this.symbols = checkWhole(name, 'symbols', symbols);
    this.answerLength = checkWhole(name, 'answerLength', answerLength);
    this.encoder = nn.lstm(units, { forgetBias: 1 });
    this.decoder = nn.lstm(units, { forgetBias: 1 });
    this.output = nn.linear(symbols);
  }

  override get kind(): string {
    return 'sequenceToSequence';
  }

  /** Symbols as integers [N, T] → logits of the answer's symbols [N, A, K] */
  forward(x: Tensor): Tensor {
    if (x.rank !== 2 || isFloating(x.dtype)) fail('shape', this.kind, `expected whole numbers [batch, steps], got ${x.dtype} ${showShape(x.shape)}`);
    const { state } = this.encoder.run(x.oneHot(this.symbols).cast('float32'));
    const [batch, units] = state.hidden.shape;
    const seen = state.hidden.expandDims(1).broadcastTo([batch, this.answerLength, units]);
    return this.output.apply(this.decoder.run(seen, state).outputs);
  }
}

export const sequenceToSequence = (options: SequenceToSequenceOptions): SequenceToSequence => new SequenceToSequence(options);
