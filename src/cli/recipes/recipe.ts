/** What the command line knows of a recipe, and what a recipe is given when it runs. */
import type { Dataset } from '../../data/index.ts';
import type { Layer } from '../../nn/index.ts';
import type { Output } from '../output.ts';

/** The options of a run that decide its result. */
export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
}

/** A run of a recipe. */
export interface Job {
  readonly recipe: Recipe;
  readonly settings: Settings;
  /** What the recipe's `source` gave: a folder, or the name of generated data. */
  readonly data: string;
  readonly folder: string;
  readonly device: string;
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** To be called once the data is there, with a description of it: makes the folder, notes in it what was started, greets the user. */
  begin(data: string): Promise<void>;
}

/** A test of a finished run. */
export type TestJob = Pick<Job, 'data' | 'folder' | 'output' | 'settings'>;

export interface Recipe {
  readonly name: string;
  /** One line for `gradix recipes`. */
  readonly summary: string;
  readonly defaults: Omit<Settings, 'seed'>;
  /** Where the data comes from, given --data or nothing. */
  source(asked: string | undefined): Promise<string>;
  /** Trains, or goes on from what the folder holds, then tests. The figures become the last event, 'done'. Stages that Ctrl-C ends throw Interrupted. */
  train(job: Job): Promise<Figures>;
  /** What a report may look into, for recipes that classify images with one net: the net that `train` trained (untrained), and the test set. */
  readonly subject?: { readonly model: () => Layer; readonly test: (data: string) => Promise<Dataset> };
  /** Tests what `train` left in the folder. */
  test(job: TestJob): Promise<Figures>;
}

export type Figures = Readonly<Record<string, unknown>>;

/** Thrown out of a recipe that was asked to stop, once its checkpoint is written. */
export class Interrupted extends Error {}
