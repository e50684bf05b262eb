/**
 * char-lstm: an LSTM that reads Shakespeare character by character and writes on (tinyshakespeare). Trained by truncated back-propagation through time: the text
 * as parallel streams, the state carried from window to window. The last tenth is the test, beside it n-grams that have read the same text.
 */
import { type CharLstm, charLstm, ngram, writeText } from '../../models/index.ts';
import * as nn from '../../nn/index.ts';
import { adam, cosineDecay } from '../../optim/index.ts';
import { seed as setSeed, type Tensor, tensor, zeros } from '../../tensor/index.ts';
import { type Callback, evaluate } from '../../train/index.ts';
import type { Output } from '../output.ts';
import type { Recipe } from './recipe.ts';
import { loadStage, trainStage } from './stage.ts';
import { loadText, streamsOf, type Text, textSource, unjudged, windowsOf } from './text-data.ts';

const steps = 64;
/** A text in windows that judge it, of at least 250 characters each and few enough for one batch of evaluate. */
const judged = (codes: Int32Array) => windowsOf(codes, { count: Math.max(1, Math.min(200, Math.floor(codes.length / 250))), before: 100 });
const loss = (logits: Tensor, targets: Tensor): Tensor => nn.crossEntropy(logits, targets, { ignoreIndex: unjudged });
const model = (characters: number) => charLstm({ characters, units: 256, dropout: 0.2 });

export const charLstmRecipe: Recipe = {
  name: 'char-lstm',
  summary: 'an LSTM of 256 units that reads and writes Shakespeare, one character at a time; Adam, cosine decay',
  defaults: { epochs: 6, batchSize: 32, learningRate: 0.003 },
  source: textSource,

  async train(job) {
    const { settings, output } = job;
    const text = await loadText(job.data);
    const { train, validation } = cut(text);
    const [k, count] = [text.characters.length, (n: number) => n.toLocaleString('en-US')];
    await job.begin(`${job.data}: ${count(text.codes.length)} characters, ${k} different; the last tenth to test, a twentieth of the rest to validate`);
    const trained = await trainStage(job, {
      ...settings,
      model: () => model(k),
      train: streamsOf(train, { streams: settings.batchSize, steps }),
      validation: judged(validation),
      optimizer: (learningRate, all) => adam({ learningRate, clipNorm: 1, schedule: cosineDecay({ steps: all, end: 0.05 }) }),
      ...{ loss, monitor: 'valLoss', shuffle: false, unit: 'windows' },
      callbacks: (net) => [carriedState(net, settings.batchSize)],
    });
    const { best, figures } = trained;
    return { ...figures, trainLoss: best.loss, valLoss: best.valLoss, ...(await judge(trained.model, text, settings.seed, output)) };
  },

  async test({ data, settings, output, folder }) {
    const text = await loadText(data);
    const net = await loadStage({ data, settings, output, folder }, model(text.characters.length));
    return judge(net, text, settings.seed, output);
  },
};

/** The last tenth to test; of the rest every twentieth piece to choose the epoch (so that every play is read in training), the other pieces to train. */
function cut({ codes }: Text) {
  const known = codes.subarray(0, Math.floor(0.9 * codes.length));
  const size = Math.max(100, Math.floor(known.length / 500));
  const pieces = (held: boolean): Int32Array => known.filter((_, i) => (Math.floor(i / size) % 20 === 10) === held);
  return { train: pieces(false), validation: pieces(true), known, test: codes.subarray(known.length) };
}

/** Begins every epoch and every validation with an empty state, and keeps the state in checkpoints made within an epoch. */
function carriedState(net: CharLstm, streams: number): Callback {
  const variables = () =>
    (net.lstm.keptStates.get(streams) ?? []).flatMap((layer, i) => Object.entries(layer).map(([name, v]) => [`${i}.${name}`, v] as const));
  return {
    name: 'carriedState',
    epochStart(run) {
      if (run.batch === 0) net.resetState();
    },
    validationStart: () => net.resetState(),
    state: () => ({
      values: null,
      tensors: Object.fromEntries(variables().map(([name, v]) => [name, { dtype: v.dtype, shape: v.shape, data: v.dataSync() }])),
    }),
    restore({ tensors }) {
      const { training } = net;
      net.eval().apply(zeros([streams, 1], { dtype: 'int32' })); // makes the variables; in evaluation mode, for dropout would draw random numbers
      net.train(training);
      for (const [name, v] of variables()) if (name in tensors) v.assign(tensor(tensors[name].data, { shape: tensors[name].shape }));
    },
  };
}

/** Nats per character on the last tenth, beside those of n-grams, and what the net writes at three temperatures. */
async function judge(net: CharLstm, text: Text, seed: number, output: Output): Promise<Record<string, unknown>> {
  const { characters } = text;
  const { test, known } = cut(text);
  net.resetState();
  const { loss: testLoss } = await evaluate(net, judged(test), { loss });
  const yardstick = (order: number) => ngram(known, { order, symbols: characters.length }).loss(text.codes, known.length);
  const [uniform, unigram, fiveGram] = [0, 1, 5].map(yardstick);
  const row = (name: string, nats: number) => output.text(`  ${name.padEnd(22)}${nats.toFixed(3)}`);
  output.text('\nnats per character on the last tenth');
  row('uniform', uniform);
  row('unigram', unigram);
  row('5-gram (Witten–Bell)', fiveGram);
  row('this net', Number(testLoss));
  setSeed(seed);
  const samples: Record<string, string> = {};
  for (const temperature of [0.5, 0.8, 1]) {
    const written = await writeText(net, { prompt: [characters.indexOf('\n')], length: 300, temperature });
    samples[temperature] = written.map((code) => characters[code]).join('');
    output.text(`\n── temperature ${temperature}\n${samples[temperature].trim()}`);
  }
  return { testLoss, uniform, unigram, fiveGram, samples };
}
