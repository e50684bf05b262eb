// Runs in a worker of a page, or in a thread of Node: a small run with everything that has a state, to be broken off and gone on with.
import { data, nn, optim, seed, setDevice, train } from 'gradix';
import { expose } from 'gradix/remote';

const uniform = (i) => ((Math.sin(i * 12.9898) * 43758.5453) % 1) - 0.5;
const points = Array.from({ length: 240 }, (_, i) => Array.from({ length: 6 }, (_, j) => 4 * uniform(6 * i + j)));
const labels = points.map(([a, b, c]) => (a * b > 0 ? 1 : 0) + (c > 0.5 ? 1 : 0));
const [training, held] = data.fromArrays(points, labels).split([200, 40], { seed: 2, stratify: true });

/** From here on the number-th checkpoint that is written is never finished: half of its bytes are there. */
function holdUp(number) {
  let count = 0;
  const { createWritable } = FileSystemFileHandle.prototype;
  FileSystemFileHandle.prototype.createWritable = async function (options) {
    const stream = await createWritable.call(this, options);
    if (this.name !== 'checkpoint.safetensors' || ++count !== number) return stream;
    const { write } = stream;
    stream.write = async ({ data }) => {
      await write.call(stream, data.slice(0, data.size >> 1));
      postMessage('held up');
      return new Promise(() => {});
    };
    return stream;
  };
}

const base64 = (bytes) => btoa(Array.from(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), (byte) => String.fromCharCode(byte)).join(''));

expose({
  /** Begins a run in a folder, or goes on with it, to the end: its figures, and its final weights as text. */
  async train({ folder, from, epochs = 6, device, log = false, onStep = () => {}, held: unfinished }) {
    if (device) setDevice(device);
    if (unfinished) holdUp(unfinished);
    seed(5);
    // A bias before the normalisation has no effect: its gradient is rounding, which adam makes large.
    const model = nn.sequential(nn.linear(12, { bias: false }), nn.batchNorm(), nn.relu(), nn.dropout(0.2), nn.linear(3));
    const place = from ? new URL(from) : folder;
    const { epochs: history } = await train.fit(model, training, {
      epochs,
      batchSize: 8,
      seed: 9,
      loss: 'crossEntropy',
      metrics: ['accuracy'],
      optimizer: optim.adam({ learningRate: 0.01, schedule: optim.cosineDecay({ steps: 1000 }), clipNorm: 1 }),
      validation: held,
      callbacks: [
        train.earlyStopping({ patience: 1000, restoreBest: true }),
        train.averageWeights({ decay: 0.9 }),
        train.checkpoint(folder, { everyBatches: 7, keep: 3 }),
        ...(log ? [train.csvLogger(`${folder}/batches.csv`, { everyBatches: 5 })] : []),
        // Slow enough on any machine to be caught in the middle.
        {
          batchEnd: async ({ epoch, batch }) => {
            onStep({ epoch, batch });
            await new Promise((resolve) => setTimeout(resolve, 3));
          },
        },
      ],
      resume: from || (await train.hasCheckpoint(folder)) ? await train.loadCheckpoint(place) : undefined,
    });
    const weights = {};
    for (const [name, value] of Object.entries(model.stateDict())) weights[name] = base64(await value.data());
    return { history, weights };
  },
  /** The files of a folder of this page, by name. */
  async files(folder) {
    let place = await navigator.storage.getDirectory();
    for (const name of folder.split('/')) place = await place.getDirectoryHandle(name);
    const found = {};
    for await (const [name, file] of place.entries())
      if (file.kind === 'file') found[name] = base64(new Uint8Array(await (await file.getFile()).arrayBuffer()));
    return found;
  },
});
