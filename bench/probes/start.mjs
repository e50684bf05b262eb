/** Time of importing gradix, and from there to the end of the first training step of the digit net (model, batch, compilation, step). */
const round = (value) => Number(value.toFixed(1));
const beginning = performance.now();
const { compile, nn, optim, random } = await import('gradix');
const imported = performance.now();
const { lenet3 } = await import('../networks.mjs');

const start = performance.now();
const model = lenet3();
const optimizer = optim.sgd({ learningRate: 0.01, momentum: 0.9 });
const step = compile((x, y) => {
  const loss = nn.crossEntropy(model.apply(x), y);
  optimizer.minimize(loss, model);
  return loss;
});
const loss = await step(random.normal([32, 28, 28, 1]), random.randint([32], { low: 0, high: 10 })).item();
const end = performance.now();
if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
console.log(JSON.stringify({ import_ms: round(imported - beginning), first_step_ms: round(end - start) }));
process.exit(0);
