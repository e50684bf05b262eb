/** gradix/models: ready-made nets, untrained. */
export { CharLstm, type CharLstmOptions, charLstm, type WriteOptions, writeText } from './char-lstm.ts';
export { lenet } from './lenet.ts';
export { lenet5 } from './lenet5.ts';
export { type MlpOptions, mlp } from './mlp.ts';
export { type Ngram, ngram } from './ngram.ts';
export { SequenceToSequence, type SequenceToSequenceOptions, sequenceToSequence } from './sequence-to-sequence.ts';
