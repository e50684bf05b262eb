/**
 * jax-js as a peer of gradix on its WebAssembly device. Each workload is what its documentation leads an ordinary user to: jit over the whole training step,
 * valueAndGrad, its own convolution and windows. In Node it has one thread (it starts workers in browsers only).
 * Passing an array gives it away; `.ref` keeps it.
 */
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import { answerRequests } from '../protocol.mjs';

await init('wasm');
defaultDevice('wasm');

let seed = 0;
const normal = (shape, scale = 1) => random.normal(random.key(++seed), shape).mul(scale);
const labelsOf = (count, classes) =>
  nn.oneHot(
    np.array(
      Array.from({ length: count }, (_, i) => (i * 7) % classes),
      { dtype: np.int32 },
    ),
    classes,
  );

const dense = (inputs, outputs) => ({ w: normal([inputs, outputs], Math.sqrt(2 / inputs)), b: np.zeros([outputs]) });
const convolution = (inputs, outputs) => ({
  w: normal([outputs, inputs, 3, 3], Math.sqrt(2 / (9 * inputs))),
  b: np.zeros([outputs]),
  scale: np.ones([outputs]),
  shift: np.zeros([outputs]),
});

const applyDense = (x, { w, b }) => np.matmul(x, w).add(b);

/** Convolution, normalisation over the batch, ReLU: [N, C, H, W]. */
function applyConvolution(x, { w, b, scale, shift }) {
  const perChannel = (v) => v.reshape([1, v.shape[0], 1, 1]);
  const y = lax
    .conv(
      x,
      w,
      [1, 1],
      [
        [1, 1],
        [1, 1],
      ],
    )
    .add(perChannel(b));
  const centred = y.ref.sub(np.mean(y, [0, 2, 3], { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
  return nn.relu(
    centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(perChannel(scale))
      .add(perChannel(shift)),
  );
}

const maxPool = (x) => lax.reduceWindow(x, np.max, [2, 2], [2, 2]);
const crossEntropy = (logits, wanted) => np.mean(np.sum(nn.logSoftmax(logits, -1).mul(wanted), -1)).neg();

const lenet3 = {
  parameters: () => ({ c1: convolution(1, 16), c2: convolution(16, 32), c3: convolution(32, 64), d1: dense(64 * 49, 50), d2: dense(50, 10) }),
  apply: ({ c1, c2, c3, d1, d2 }, x) => {
    const features = applyConvolution(maxPool(applyConvolution(maxPool(applyConvolution(x, c1)), c2)), c3);
    return applyDense(nn.relu(applyDense(features.reshape([x.shape[0], -1]), d1)), d2);
  },
};

const mlp = {
  parameters: () => ({ d1: dense(784, 256), d2: dense(256, 10) }),
  apply: ({ d1, d2 }, x) => applyDense(nn.relu(applyDense(x, d1)), d2),
};

/** Update rules over the leaves of trees: the new parameters and the new state. */
const momentum = {
  state: (parameters) => ({ velocity: tree.map((p) => np.zeros(p.shape), tree.ref(parameters)) }),
  update: (parameters, gradients, { velocity }) => {
    const next = tree.map((v, g) => v.mul(0.9).add(g), velocity, gradients);
    return [tree.map((p, v) => p.sub(v.mul(0.01)), parameters, tree.ref(next)), { velocity: next }];
  },
};
const adam = {
  state: (parameters) => ({
    first: tree.map((p) => np.zeros(p.shape), tree.ref(parameters)),
    second: tree.map((p) => np.zeros(p.shape), tree.ref(parameters)),
    step: np.array(0),
  }),
  update: (parameters, gradients, state) => {
    const step = state.step.add(1);
    const first = tree.map((m, g) => m.mul(0.9).add(g.mul(0.1)), state.first, tree.ref(gradients));
    const second = tree.map((v, g) => v.mul(0.999).add(np.square(g).mul(0.001)), state.second, gradients);
    const [c1, c2] = [0.9, 0.999].map((beta) =>
      np
        .exp(step.ref.mul(Math.log(beta)))
        .neg()
        .add(1),
    );
    const change = (p, m, v) =>
      p.sub(
        m
          .div(c1.ref)
          .mul(1e-3)
          .div(np.sqrt(v.div(c2.ref)).add(1e-8)),
      );
    const next = tree.map(change, parameters, tree.ref(first), tree.ref(second));
    c1.dispose();
    c2.dispose();
    return [next, { first, second, step }];
  },
};

function classifier(net, shape, classes, optimizer) {
  const [x, y] = [normal(shape), labelsOf(shape[0], classes)];
  const step = jit((parameters, state, images, wanted) => {
    const [loss, gradients] = valueAndGrad((p) => crossEntropy(net.apply(p, images), wanted))(tree.ref(parameters));
    const [next, nextState] = optimizer.update(parameters, gradients, state);
    return [next, nextState, loss];
  });
  let parameters = net.parameters();
  let state = optimizer.state(parameters);
  return async () => {
    let loss;
    [parameters, state, loss] = step(parameters, state, x.ref, y.ref);
    const value = await loss.jsAsync();
    await blockUntilReady(tree.ref(parameters));
    if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
  };
}

function gemm(size) {
  const [a, b] = [normal([size, size]), normal([size, size])];
  const multiply = jit((x, y) => np.matmul(x, y));
  return async () => {
    const c = await multiply(a.ref, b.ref).blockUntilReady();
    c.dispose();
  };
}

await answerRequests(
  { ready: 'jax-js', threads: 1 },
  {
    'gemm-1024': () => gemm(1024),
    'mlp-784-256-10-b64-adam': () => classifier(mlp, [64, 784], 10, adam),
    'lenet3-b32-train': () => classifier(lenet3, [32, 1, 28, 28], 10, momentum),
  },
);
