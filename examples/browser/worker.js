// The worker of index.html: training and answers, away from the page's main thread. A page that is closed and opened again goes on where it was.
import { data, fit, models, optim, predict, tensor, train } from '../../dist/browser/index.js';
import { expose } from '../../dist/browser/remote/index.js';

const model = models.lenet();
expose({
  async train(onProgress) {
    const { epochs } = await fit(model, data.digits({ count: 4000 }), {
      epochs: 2,
      loss: 'crossEntropy',
      optimizer: optim.adam({ learningRate: 2e-3 }),
      metrics: ['accuracy'],
      callbacks: [{ tick: ({ epoch, batch, batches }) => onProgress(epoch + 1, batch / batches) }, train.checkpoint('digits', { everyBatches: 25 })],
      resume: (await train.hasCheckpoint('digits')) ? await train.loadCheckpoint('digits') : undefined,
    });
    return epochs.at(-1).accuracy;
  },
  async classify(pixels) {
    const scores = await (await predict(model, tensor(pixels, { shape: [1, 28, 28, 1] }))).data();
    return scores.indexOf(Math.max(...scores));
  },
});
