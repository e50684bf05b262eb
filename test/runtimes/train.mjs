/**
 * Trains the digit net for a few steps from the built package, in whatever runs this file, and prints the losses as JSON: `… train.mjs wasm`. Plain JavaScript
 * of the language's standard, so that Node, Deno and Bun take it as it is.
 */
const [device] = (globalThis.Deno?.args ?? globalThis.process.argv.slice(2)).slice(-1);
const { compile, data, models, nn, optim, seed, setDevice } = await import('../../dist/node/index.js');

setDevice(device);
seed(1);
const model = models.lenet();
const optimizer = optim.sgd({ learningRate: 0.05, momentum: 0.9 });
const step = compile((images, labels) => {
  const loss = nn.crossEntropy(model.apply(images), labels);
  optimizer.minimize(loss, model);
  return loss;
});
const losses = [];
for await (const [images, labels] of data.loader(data.digits({ count: 640, seed: 1 }), { batchSize: 64 })) losses.push(await step(images, labels).item());
console.log(JSON.stringify({ device, losses }));
