// The worker of index.html: training and answers, away from the page's main thread.
import { data, fit, models, optim, tensor } from '../../dist/index.js';

const model = models.lenet();
const history = await fit(model, data.digits({ count: 4000 }), {
  epochs: 2,
  loss: 'crossEntropy',
  optimizer: optim.adam({ learningRate: 2e-3 }),
  metrics: ['accuracy'],
  callbacks: [{ tick: ({ epoch, seen }) => postMessage({ status: `epoch ${epoch + 1}: ${seen} images seen` }) }],
});
postMessage({ status: `trained: ${(100 * history.epochs.at(-1).accuracy).toFixed(1)} % right. Draw.` });
model.eval();
addEventListener('message', async ({ data: pixels }) => {
  const logits = await model.forward(tensor(pixels).reshape([1, 28, 28, 1])).data();
  postMessage({ digit: logits.indexOf(Math.max(...logits)) });
});
