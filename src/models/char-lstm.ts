/**
 * A character-level language model: embedding, a stateful LSTM, a linear layer (Graves 2013, section 2; Karpathy 2015).
 * Letters: N streams of text, T characters, K different characters.
 */
import { fail } from '../core/errors.ts';
import * as nn from '../nn/index.ts';
import { checkNumber, checkOptions, checkWhole } from '../nn/options.ts';
import { compile, random, type Tensor, tensor } from '../tensor/index.ts';

export interface CharLstmOptions {
  /** How many different characters there are: K. */
  readonly characters: number;
  /** LSTM units; default 256. */
  readonly units?: number;
  /** LSTM layers; default 1. */
  readonly layers?: number;
  /** Size of a character's vector; default 64. */
  readonly embedding?: number;
  /** Share of units dropped between layers and before the output; default 0. */
  readonly dropout?: number;
}

export class CharLstm extends nn.Module {
  readonly embedding: nn.Embedding;
  readonly lstm: nn.Lstm;
  readonly dropout: nn.Dropout;
  readonly output: nn.Linear;

  constructor(options: CharLstmOptions) {
    super();
    checkOptions('charLstm', options, ['characters', 'units', 'layers', 'embedding', 'dropout']);
    const { characters, units = 256, layers = 1, embedding = 64, dropout = 0 } = options;
    this.embedding = nn.embedding(characters, embedding);
    this.lstm = nn.lstm(units, { layers, dropout, stateful: true, forgetBias: 1 });
    this.dropout = nn.dropout(dropout);
    this.output = nn.linear(characters);
  }

  override get kind(): string {
    return 'charLstm';
  }

  /** Characters as integers [N, T] → logits [N, T, K] of the ones that follow. Every call goes on from the state that the one before left. */
  forward(x: Tensor): Tensor {
    return this.output.apply(this.dropout.apply(this.lstm.apply(this.embedding.apply(x))));
  }

  /** Forgets what was read. */
  resetState(): void {
    this.lstm.resetState();
  }
}

export const charLstm = (options: CharLstmOptions): CharLstm => new CharLstm(options);

export interface WriteOptions {
  /** Characters to read first, at least one. */
  readonly prompt: readonly number[];
  /** How many to write. */
  readonly length: number;
  /** Divides the logits: below 1 the likely becomes likelier; default 1. */
  readonly temperature?: number;
}

/** Draws characters one after another from the model's probabilities, each read before the next is drawn. */
export async function writeText(model: CharLstm, { prompt, length, temperature = 1 }: WriteOptions): Promise<number[]> {
  checkNumber('writeText', 'temperature', temperature, { low: Number.MIN_VALUE });
  checkWhole('writeText', 'length', length);
  if (prompt.length === 0) fail('argument', 'writeText', 'the prompt is empty', 'Give at least one character to begin with.');
  const wasTraining = model.training;
  model.eval();
  model.resetState();
  const next = compile((x: Tensor) => random.categorical(model.apply(x).slice([0, 0], [1, 1]).div(temperature))); // [1, 1]
  const draw = async (character: number): Promise<number> => next(tensor([[character]], { dtype: 'int32' })).item();
  const written: number[] = [];
  let last = 0;
  for (const character of prompt) last = await draw(character);
  while (written.length < length) {
    written.push(last);
    last = await draw(last);
  }
  model.train(wasTraining);
  return written;
}
