/**
 * What is measured: each workload as a user of gradix would write it, with the definition that peers/torch_peer.py has under the same name.
 * `build` gives the function whose calls are timed, with `program`, the compiled function on the same inputs, to look inside; `rounds` is the default number of calls;
 * `flops` counts multiply and add as two, `images` those of a step.
 */
import { compile, gradients, nn, optim, random, stopGradient, variable, where, zeros } from 'gradix';
import * as networks from './networks.mjs';

const momentum = () => optim.sgd({ learningRate: 0.01, momentum: 0.9 });
const adam = () => optim.adam({ learningRate: 1e-3 });
const normal = (shape) => realised(random.normal(shape));
const labels = (shape, classes) => realised(random.randint(shape, { low: 0, high: classes }));

function realised(t) {
  t.dataSync();
  return t;
}

/** `call` with a way to look inside the compiled function that it runs. */
const withProgram = (call, compiled, inputs) =>
  Object.assign(call, { program: { explain: () => compiled.explain(...inputs), profile: () => compiled.profile(...inputs) } });

function trainingStep(model, optimizer, lossOf, inputs) {
  const step = compile((...xs) => {
    const loss = lossOf(...xs);
    optimizer.minimize(loss, model);
    return loss;
  });
  return withProgram(() => step(...inputs).itemSync(), step, inputs);
}

function classifier(model, shape, classes, optimizer) {
  const x = normal(shape);
  model.eval().apply(x); // Layers learn their input sizes and draw their parameters, which is no part of compiling.
  model.train();
  return trainingStep(model, optimizer, (images, y) => nn.crossEntropy(model.apply(images), y), [x, labels([shape[0]], classes)]);
}

/** Runs a compiled function and waits until its results are there, without copying them out. */
const running = (fn, inputs) => {
  const compiled = compile(fn);
  const call = async () => {
    for (const result of [compiled(...inputs)].flat()) await result.realize();
  };
  return withProgram(call, compiled, inputs);
};

const gemm = (m, n, k) => running((a, b) => a.matmul(b), [normal([m, k]), normal([k, n])]);

function convolution(backward) {
  const layer = nn.conv2d(64, 3, { padding: 1 });
  const [x, dy] = [normal([32, 56, 56, 64]), normal([32, 56, 56, 64])];
  if (!backward) return inference(layer, x);
  layer.apply(x); // learns its input size
  // The result is given back, too: nothing else needs it, and the forward pass would not be computed.
  const both = (input, dOut) => {
    const output = layer.apply(input);
    return [output, ...gradients(output.mul(dOut).sum(), [input, ...layer.parameters()])];
  };
  return running(both, [x, dy]);
}

function inference(model, x) {
  model.eval();
  return running((input) => model.apply(input), [x]);
}

function lstm() {
  const model = networks.lstm({ hidden: 256, classes: 128 });
  return trainingStep(model, adam(), (x, y) => nn.crossEntropy(model.apply(x).reshape([-1, 128]), y), [normal([32, 64, 128]), labels([32 * 64], 128)]);
}

/** A restricted Boltzmann machine, contrastive divergence with one Gibbs step. */
function rbm() {
  const [weight, visibleBias, hiddenBias] = [variable(normal([784, 500]).mul(0.01)), variable(zeros([784])), variable(zeros([500]))];
  const data = realised(random.uniform([100, 784]).greater(0.5).cast('float32'));
  const sample = (p) => random.uniform(p.shape).less(p).cast('float32');
  const step = compile((v0) => {
    const h0 = v0.matmul(weight).add(hiddenBias).sigmoid();
    const v1 = sample(sample(h0).matmul(weight.transpose()).add(visibleBias).sigmoid());
    const h1 = v1.matmul(weight).add(hiddenBias).sigmoid();
    const dWeight = v0.transpose().matmul(h0).sub(v1.transpose().matmul(h1));
    weight.assign(weight.add(dWeight.mul(0.001)));
    visibleBias.assign(visibleBias.add(v0.sub(v1).sum({ axis: 0 }).mul(0.001)));
    hiddenBias.assign(hiddenBias.add(h0.sub(h1).sum({ axis: 0 }).mul(0.001)));
    return h1.mean();
  });
  return withProgram(() => step(data).itemSync(), step, [data]);
}

/** A deep Q-network of the size used for MinAtar. */
const qNetwork = () => nn.sequential(nn.conv2d(16, 3), nn.relu(), nn.flatten(), nn.linear(128), nn.relu(), nn.linear(6));

/** One update, with a frozen target network. */
function dqn() {
  const [online, target] = [qNetwork(), qNetwork()];
  const [state, following] = [realised(random.uniform([32, 10, 10, 4])), realised(random.uniform([32, 10, 10, 4]))];
  const [action, reward, ended] = [labels([32], 6), realised(random.uniform([32])), realised(zeros([32]))];
  const optimizer = optim.rmsProp({ learningRate: 2.5e-4, decay: 0.95, epsilon: 0.01, centered: true });
  const huber = (error) => where(error.abs().less(1), error.square().mul(0.5), error.abs().sub(0.5)).mean();
  const loss = (s, a, r, s2, d) => {
    const goal = stopGradient(
      r.add(
        d
          .neg()
          .add(1)
          .mul(0.99)
          .mul(target.apply(s2).max({ axis: 1 })),
      ),
    );
    const value = online.apply(s).mul(a.oneHot(6)).sum({ axis: 1 });
    return huber(value.sub(goal));
  };
  return trainingStep(online, optimizer, loss, [state, action, reward, following, ended]);
}

const convolutionFlops = 2 * 32 * 64 * 64 * 9 * 56 * 56;

/** The first six are the ones that count most and the default. */
export const workloads = {
  'gemm-1024': { rounds: 180, flops: 2 * 1024 ** 3, build: () => gemm(1024, 1024, 1024) },
  'mlp-784-256-10-b64-adam': { rounds: 99, build: () => classifier(networks.mlp(), [64, 784], 10, adam()) },
  'lenet5-b64-train': { rounds: 60, images: 64, build: () => classifier(networks.lenet5(), [64, 28, 28, 1], 10, momentum()) },
  'lenet3-b32-train': { rounds: 60, images: 32, build: () => classifier(networks.lenet3(), [32, 28, 28, 1], 10, momentum()) },
  'lenet3-b128-train': { rounds: 30, images: 128, build: () => classifier(networks.lenet3(), [128, 28, 28, 1], 10, momentum()) },
  'lstm-128-256-b32-t64-train': { rounds: 15, build: lstm },
  'gemm-128x4096x9216': { rounds: 15, flops: 2 * 128 * 4096 * 9216, build: () => gemm(128, 4096, 9216) },
  'conv3x3-64-56-b32-forward': { rounds: 15, flops: convolutionFlops, build: () => convolution(false) },
  'conv3x3-64-56-b32-forward-backward': { rounds: 15, flops: 3 * convolutionFlops, build: () => convolution(true) },
  'resnet20-cifar-b64-train': { rounds: 15, build: () => classifier(networks.resnet20(), [64, 32, 32, 3], 10, momentum()) },
  'rbm-784-500-b100-cd1': { rounds: 60, build: rbm },
  'dqn-minatar-b32-train': { rounds: 99, build: dqn },
  'alexnet-b32-train': { rounds: 6, build: () => classifier(new networks.AlexNet(), [32, 227, 227, 3], 1000, momentum()) },
  'alexnet-b1-infer': { rounds: 15, build: () => inference(new networks.AlexNet(), normal([1, 227, 227, 3])) },
  'alexnet-b32-infer': { rounds: 6, build: () => inference(new networks.AlexNet(), normal([32, 227, 227, 3])) },
};

export const workloadNames = Object.keys(workloads);

/** Runs a compiled function and reads its result. */
const reading = (fn, inputs) => {
  const compiled = compile(fn);
  return withProgram(() => compiled(...inputs).dataSync(), compiled, inputs);
};

/** Programs in which the work is next to nothing: what a call costs. */
export const tiny = {
  'tiny-add': { rounds: 6000, build: () => reading((a, b) => a.add(b), [normal([4]), normal([4])]) },
  'tiny-points-mlp': {
    rounds: 6000,
    build() {
      const network = nn.sequential(nn.linear(16), nn.tanh(), nn.linear(16), nn.tanh(), nn.linear(1));
      return reading((point) => network.apply(point), [normal([1, 2])]);
    },
  },
  'tiny-dqn-action': {
    rounds: 6000,
    build() {
      const network = qNetwork();
      return reading((state) => network.apply(state).argMax({ axis: 1 }), [realised(random.uniform([1, 10, 10, 4]))]);
    },
  },
};

export const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Names of training steps at a batch size. */
export const scaled = {
  'lenet3-train': (batch) => `lenet3-b${batch}-train`,
  'mlp-784-256-10-adam': (batch) => `mlp-784-256-10-b${batch}-adam`,
};

const atBatchSizes = batchSizes.flatMap((batch) => [
  [scaled['lenet3-train'](batch), { build: () => classifier(networks.lenet3(), [batch, 28, 28, 1], 10, momentum()) }],
  [scaled['mlp-784-256-10-adam'](batch), { build: () => classifier(networks.mlp(), [batch, 784], 10, adam()) }],
]);

/** Every workload that a worker can be asked for. */
export const known = { ...Object.fromEntries(atBatchSizes), ...tiny, ...workloads };
