/** A stage: one net trained by `fit` in a folder of its own, with checkpoints, progress and events. Most recipes have one; fine-tuning has two, a bag as many as nets. */
import { join } from 'node:path';
import type { Dataset } from '../../data/index.ts';
import { load, save } from '../../io/index.ts';
import type { Layer, Loss, LossName } from '../../nn/index.ts';
import type { Optimizer } from '../../optim/index.ts';
import { seed as setSeed } from '../../tensor/index.ts';
import { runFiles } from '../../train/checkpoint.ts';
import {
  type Callback,
  checkpoint,
  type EpochRecord,
  earlyStopping,
  fit,
  hasCheckpoint,
  loadCheckpoint,
  type Metric,
  type MetricName,
  progress,
} from '../../train/index.ts';
import { Interrupted, type Job, type Settings, type TestJob } from './recipe.ts';

export interface Stage<M extends Layer> extends Settings {
  /** Its folder within the run's, and its name in events; without one it has the run's folder to itself. */
  readonly name?: string;
  readonly model: () => M;
  readonly train: Dataset;
  readonly validation: Dataset;
  /** `steps`: how many the whole stage takes. */
  readonly optimizer: (learningRate: number, steps: number) => Optimizer;
  readonly loss: Loss | LossName;
  readonly metrics?: readonly (MetricName | Metric)[];
  /** The figure that says which epoch's weights are kept; default 'valAccuracy'. */
  readonly monitor?: string;
  /** Epochs without improvement before the stage ends; default: it does not. */
  readonly patience?: number;
  /** Default true. */
  readonly shuffle?: boolean;
  /** Callbacks of its own, for a model. */
  readonly callbacks?: (model: M) => readonly Callback[];
  /** What an example is called in events: `imagesPerSecond`; default 'images'. */
  readonly unit?: string;
}

export interface Trained<M> {
  /** With the weights of its best epoch. */
  readonly model: M;
  readonly parameters: number;
  readonly epochs: readonly EpochRecord[];
  readonly best: EpochRecord;
  /** Why it ended before its last epoch. */
  readonly because: string | undefined;
  /** Figures that belong into every 'done' event. */
  readonly figures: Readonly<Record<string, number>>;
}

/** The folder of a stage. */
export const stageFolder = (job: TestJob, name?: string): string => (name === undefined ? job.folder : join(job.folder, name));

/** A new model with the weights that a stage left. */
export const loadStage = async <M extends Layer>(job: TestJob, model: M, name?: string): Promise<M> =>
  load(model, join(stageFolder(job, name), runFiles.model));

/** Trains a stage, or goes on where its folder's checkpoint stands. */
export async function trainStage<M extends Layer>(job: Job, stage: Stage<M>): Promise<Trained<M>> {
  const { output } = job;
  const { epochs, batchSize, learningRate, seed, monitor = 'valAccuracy', patience = Number.POSITIVE_INFINITY } = stage;
  const folder = stageFolder(job, stage.name);
  const resumed = await hasCheckpoint(folder);
  setSeed(seed);
  const model = stage.model();
  const [{ shape, dtype }] = stage.train.fields;
  model.summary(shape, { dtype });
  const parameters = model.parameters().reduce((sum, variable) => sum + variable.size, 0);
  const dropLast = stage.train.length >= batchSize;
  const steps = epochs * (dropLast ? Math.floor(stage.train.length / batchSize) : 1);
  const name = { ...(stage.name !== undefined && { stage: stage.name }) };
  const started = { recipe: job.recipe.name, ...name, device: job.device, parameters, epochs, batchSize, learningRate, seed };
  const plan = `${parameters.toLocaleString('en-US')} parameters; ${epochs} epoch${epochs === 1 ? '' : 's'} in batches of ${batchSize}, learning rate ${learningRate}, seed ${seed}`;
  output.text(`${stage.name ?? 'net'}: ${plan}`);
  output.event('start', { ...started, trainExamples: stage.train.length, resumed, out: job.folder });

  const clock = performance.now();
  const rateName = `${stage.unit ?? 'images'}PerSecond`;
  let rate = 0;
  const events: Callback = {
    epochEnd(run) {
      const { epoch, loss, accuracy, valLoss, valAccuracy } = run.history[run.history.length - 1];
      rate = Math.round(run.seen / run.seconds);
      const figures = { trainLoss: loss, trainAccuracy: accuracy, valLoss, valAccuracy };
      output.event('epoch', { ...name, epoch, epochs, ...figures, seconds: secondsSince(clock), [rateName]: rate });
    },
  };
  const history = await fit(model, stage.train, {
    ...{ epochs, batchSize, seed, dropLast, loss: stage.loss, metrics: stage.metrics ?? [], validation: stage.validation },
    optimizer: stage.optimizer(learningRate, steps),
    shuffle: stage.shuffle ?? true,
    callbacks: [
      ...(stage.callbacks?.(model) ?? []),
      earlyStopping({ patience, restoreBest: true, monitor }),
      checkpoint(folder, { monitor }), // after all callbacks whose state it saves
      events,
      progress({ output: output.stream }),
    ],
    signal: job.signal,
    ...(resumed && { resume: await loadCheckpoint(folder) }),
  });
  if (history.stopReason === 'interrupted') throw new Interrupted();
  const file = join(folder, runFiles.model);
  await save(model, file);
  const higher = /accuracy$/i.test(monitor);
  const best = history.epochs.reduce((a, b) => ((higher ? Number(b[monitor]) > Number(a[monitor]) : Number(b[monitor]) < Number(a[monitor])) ? b : a));
  return {
    model,
    parameters,
    epochs: history.epochs,
    best,
    because: history.because,
    figures: { parameters, epochs: history.epochs.length, bestEpoch: best.epoch, seconds: secondsSince(clock), [rateName]: rate },
  };
}

const secondsSince = (clock: number): number => Number(((performance.now() - clock) / 1000).toFixed(3));
