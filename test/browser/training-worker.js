// Runs in a worker of a page, from the built package as it is: trains the digit net on generated digits.
const started = performance.now();
const { data, fit, models, optim } = await import('/dist/index.js');
const [digits, test] = [data.digits({ count: 960, seed: 1 }), data.digits({ count: 200, seed: 2 })];
const model = models.lenet();
let firstStep;
const { epochs } = await fit(model, digits, {
  epochs: 3,
  batchSize: 32,
  loss: 'crossEntropy',
  optimizer: optim.adam({ learningRate: 2e-3 }),
  metrics: ['accuracy'],
  validation: test,
  callbacks: [{ batchEnd: () => (firstStep ??= performance.now() - started) }],
});
postMessage({ epochs, firstStep, isolated: crossOriginIsolated });
