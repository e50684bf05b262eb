/**
 * TensorFlow.js as a peer of gradix: `node tfjs_peer.mjs wasm` or `cpu`, its two backends that run everywhere. Networks are built of its own layers; the step
 * is optimizer.minimize, as its documentation shows. In Node its WebAssembly backend has one thread.
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { answerRequests } from '../protocol.mjs';

const [backend] = process.argv.slice(2);
// Its advice to use another backend goes to the channel of the answers.
console.log = console.warn = console.info = console.error;
if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
await tf.ready();

const labelsOf = (count, classes) =>
  tf.tidy(() =>
    tf
      .oneHot(
        tf.tensor1d(
          Array.from({ length: count }, (_, i) => (i * 7) % classes),
          'int32',
        ),
        classes,
      )
      .toFloat(),
  );

const { layers } = tf;
const block = (filters, inputShape) => [
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', ...(inputShape && { inputShape }) }),
  layers.batchNormalization(),
  layers.reLU(),
];
const pool = () => layers.maxPooling2d({ poolSize: 2, strides: 2 });

const lenet3 = () =>
  tf.sequential({
    layers: [
      ...block(16, [28, 28, 1]),
      pool(),
      ...block(32),
      pool(),
      ...block(64),
      layers.flatten(),
      layers.dense({ units: 50, activation: 'relu' }),
      layers.dense({ units: 10 }),
    ],
  });

const mlp = () => tf.sequential({ layers: [layers.dense({ units: 256, activation: 'relu', inputShape: [784] }), layers.dense({ units: 10 })] });

function classifier(model, shape, classes, optimizer) {
  const [x, y] = [tf.randomNormal(shape), labelsOf(shape[0], classes)];
  return async () => {
    const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true })), true);
    const [value] = await loss.data();
    loss.dispose();
    if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
  };
}

function gemm(size) {
  const [a, b] = [tf.randomNormal([size, size]), tf.randomNormal([size, size])];
  return () => tf.matMul(a, b).dispose(); // both backends compute at once
}

await answerRequests(
  { ready: `TensorFlow.js ${backend}`, threads: 1 },
  {
    'gemm-1024': () => gemm(1024),
    'mlp-784-256-10-b64-adam': () => classifier(mlp(), [64, 784], 10, tf.train.adam(1e-3)),
    'lenet3-b32-train': () => classifier(lenet3(), [32, 28, 28, 1], 10, tf.train.momentum(0.01, 0.9)),
  },
);
