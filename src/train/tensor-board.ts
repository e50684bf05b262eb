/** tensorBoard: writes a run as event files that TensorBoard shows: figures, histograms of the weights, images, the graph of the layers. */
import { fail, showShape } from '../core/errors.ts';
import { encodePng } from '../data/images/png.ts';
import { type LogFile, listFolder, makeFolder, openLog } from '../io/files.ts';
import { checkOptions, checkWhole } from '../nn/options.ts';
import type { Tensor } from '../tensor/index.ts';
import type { Callback, Figures, Run } from './callback.ts';
import { eventRecord, firstRecord, graphDefinition, histogramValue, imageValue, scalarValue } from './events.ts';
import { modelGraph } from './model-graph.ts';

export interface TensorBoardOptions {
  /** Histograms of all trainable parameters every so many epochs; default 1, 0: never. */
  readonly histogramEvery?: number;
  /** Also the figures within epochs, every so many batches. */
  readonly everyBatches?: number;
  /** The graph of the layers; default true. */
  readonly graph?: boolean;
  /** Images to show after each epoch, by name: [height, width, channels] or several [n, height, width, channels] (the first 8 are shown), 1, 3 or 4 channels, values 0 … 1. */
  readonly images?: (run: Run) => Readonly<Record<string, Tensor>> | Promise<Readonly<Record<string, Tensor>>>;
}

const shownImages = 8;
const fileName = (number: number): string => `events.out.tfevents.${String(number).padStart(10, '0')}.gradix`;

/** Adds a file to `directory`, which is made when it does not exist. A resumed run goes on in its file, after what belonged to the checkpoint. Tags: train/loss, validation/loss, batch/loss, weights/0.weight, …; the step is the epoch, for batch/… the batch. */
export function tensorBoard(directory: string, options: TensorBoardOptions = {}): Callback {
  checkOptions('tensorBoard', options, ['histogramEvery', 'everyBatches', 'graph', 'images']);
  const histogramEvery = checkWhole('tensorBoard', 'histogramEvery', options.histogramEvery ?? 1, 0);
  const { everyBatches, graph = true, images } = options;
  if (everyBatches !== undefined) checkWhole('tensorBoard', 'everyBatches', everyBatches);
  let saved: { readonly file: string; readonly length: number } | undefined;
  let file = '';
  let log: LogFile | undefined;

  const write = async (step: number, values: readonly Uint8Array[]) => {
    if (values.length > 0) await log?.append(eventRecord(step, { values }));
  };

  return {
    name: 'tensorBoard',
    async start(run) {
      await makeFolder(directory, 'tensorBoard');
      const names = await listFolder(directory, 'tensorBoard');
      const resumed = saved && names.includes(saved.file) ? saved : undefined;
      let number = 0;
      while (names.includes(fileName(number))) number++;
      file = resumed?.file ?? fileName(number);
      log = await openLog(`${directory}/${file}`, 'tensorBoard', resumed?.length);
      if (resumed) return;
      await log.append(firstRecord());
      if (graph) await log.append(eventRecord(0, { graph: graphDefinition(modelGraph(run)) }));
    },
    ...(everyBatches !== undefined && {
      batchInterval: everyBatches,
      batchEnd: (run: Run) =>
        write(
          run.epoch * run.batches + run.batch,
          scalars(run.figures, () => 'batch'),
        ),
    }),
    async epochEnd(run) {
      const { epoch, ...figures } = run.history[run.history.length - 1];
      await write(
        epoch,
        scalars(figures, (name) => (/^val[A-Z]/.test(name) ? 'validation' : 'train')),
      );
      if (histogramEvery > 0 && epoch % histogramEvery === 0) await write(epoch, await histograms(run));
      if (images) await write(epoch, await pictures(await images(run)));
    },
    state: () => ({ values: { file, length: log?.length ?? 0 } }),
    restore({ values }) {
      saved = values as { readonly file: string; readonly length: number };
    },
  };
}

/** `valLoss` becomes validation/loss. */
function scalars(figures: Figures, folderOf: (name: string) => string): Uint8Array[] {
  return Object.entries(figures).flatMap(([name, value]) => {
    if (typeof value !== 'number') return [];
    const folder = folderOf(name);
    const short = folder === 'validation' ? `${name[3].toLowerCase()}${name.slice(4)}` : name;
    return [scalarValue(`${folder}/${short}`, value)];
  });
}

async function histograms({ model }: Run): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  for (const [name, parameter] of Object.entries(model.trainableParameters())) values.push(histogramValue(`weights/${name}`, await parameter.data()));
  return values;
}

async function pictures(tensors: Readonly<Record<string, Tensor>>): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  for (const [name, image] of Object.entries(tensors)) {
    const [height, width, channels] = image.shape.slice(-3);
    if ((image.rank !== 3 && image.rank !== 4) || ![1, 3, 4].includes(channels))
      fail(
        'shape',
        'tensorBoard',
        `the image ${name} is ${showShape(image.shape)}`,
        'Expected [height, width, channels] or [n, height, width, channels] with 1, 3 or 4 channels.',
      );
    const pixels = Uint8Array.from(await image.data(), (value) => Math.round(255 * Math.max(0, Math.min(1, value))));
    const size = height * width * channels;
    const count = image.rank === 3 ? 1 : Math.min(shownImages, image.shape[0]);
    for (let i = 0; i < count; i++) {
      const png = await encodePng({ height, width, channels, data: pixels.subarray(i * size, (i + 1) * size) });
      values.push(imageValue(image.rank === 3 ? `images/${name}` : `images/${name}/${i}`, png, [height, width, channels]));
    }
  }
  return values;
}
