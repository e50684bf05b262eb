/** The nets that read digits, from softmax regression to convolutions. */
import { lenet, lenet5, mlp } from '../../models/index.ts';
import { randomShift, sequential } from '../../nn/index.ts';
import { adam, adamW, oneCycle, sgd } from '../../optim/index.ts';
import { classifier } from './classifier.ts';

const adamOneCycle = (learningRate: number, steps: number) => adamW({ learningRate, weightDecay: 0.01, schedule: oneCycle({ steps }) });

export const classifiers = [
  classifier({
    name: 'lenet',
    summary: 'three convolutions with batch normalisation, 180,880 parameters; SGD with momentum',
    model: () => lenet(),
    optimizer: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
    defaults: { epochs: 3, batchSize: 32, learningRate: 0.01 },
  }),
  classifier({
    name: 'lenet5',
    summary: 'LeNet-5 (1998) in its modern form, 61,706 parameters, digits shifted by up to 2 pixels; AdamW, one cycle',
    model: () => sequential(randomShift(2), lenet5()),
    optimizer: adamOneCycle,
    defaults: { epochs: 12, batchSize: 64, learningRate: 0.003 },
  }),
  classifier({
    name: 'mlp',
    summary: 'one hidden layer of 256 units, 203,530 parameters; Adam',
    model: () => mlp({ hidden: [256] }),
    optimizer: (learningRate) => adam({ learningRate }),
    defaults: { epochs: 5, batchSize: 64, learningRate: 0.001 },
  }),
  classifier({
    name: 'mlp-1024',
    summary: 'one hidden layer of 1,024 units, 814,090 parameters; AdamW, one cycle',
    model: () => mlp({ hidden: [1024] }),
    optimizer: adamOneCycle,
    defaults: { epochs: 10, batchSize: 128, learningRate: 0.002 },
  }),
  classifier({
    name: 'mlp-dropout',
    summary: 'mlp-1024 with dropout: 20 % of the pixels, 50 % of the hidden units',
    model: () => mlp({ hidden: [1024], dropout: 0.5, inputDropout: 0.2 }),
    optimizer: adamOneCycle,
    defaults: { epochs: 15, batchSize: 128, learningRate: 0.003 },
  }),
  classifier({
    name: 'softmax',
    summary: 'softmax regression, 7,850 parameters; plain SGD',
    model: () => mlp({ hidden: [] }),
    optimizer: (learningRate) => sgd({ learningRate }),
    defaults: { epochs: 25, batchSize: 64, learningRate: 0.1 },
  }),
];
