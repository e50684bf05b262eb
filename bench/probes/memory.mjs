/** Growth of the resident memory in a long loop that never disposes anything: `steps` trains a compiled MLP, `lazy` evaluates uncompiled expressions. */
import { compile, nn, optim, random, tensor } from 'gradix';
import { mlp } from '../networks.mjs';

const turns = 20_000;
const settled = 1_000;

function trainingLoop() {
  const model = mlp();
  const optimizer = optim.adam({ learningRate: 1e-3 });
  const step = compile((x, y) => {
    const loss = nn.crossEntropy(model.apply(x), y);
    optimizer.minimize(loss, model);
    return loss;
  });
  const x = random.normal([64, 784]);
  const y = random.randint([64], { low: 0, high: 10 });
  return () => step(x, y).item();
}

function lazyLoop() {
  const x = tensor(
    Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i)),
    { shape: [32, 32] },
  );
  return (i) => x.mul(i).matmul(x.transpose()).relu().add(x).softmax().square().sum().item();
}

const loop = process.argv[2] === 'steps' ? trainingLoop() : lazyLoop();
const megabytes = () => Number((process.memoryUsage.rss() / 2 ** 20).toFixed(1));
let after = 0;
for (let i = 1; i <= turns; i++) {
  const value = await loop(i);
  if (!Number.isFinite(value)) throw new Error(`turn ${i} gave ${value}`);
  if (i === settled) after = megabytes();
}
const end = megabytes();
console.log(JSON.stringify({ turns, rss_after_1000_mb: after, rss_end_mb: end, growth_mb: Number((end - after).toFixed(1)) }));
process.exit(0);
