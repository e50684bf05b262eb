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
  /** How the training examples are changed as they are read: one of the recipe's `augmentations`. */
  readonly augment?: string;
}

export type Defaults = Omit<Settings, 'seed' | 'augment'>;

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
  /** What holds where the user does not say; where it is a function, chosen for the data. */
  readonly defaults: Defaults | ((data: string) => Promise<Defaults>);
  /** What --augment may ask for; without it the recipe takes no --augment. */
  readonly augmentations?: readonly string[];
  /** Where the data comes from, given --data or nothing. */
  source(asked: string | undefined): Promise<string>;
  /** Trains, or goes on from what the folder holds, then tests. The figures become the last event, 'done'. Stages that Ctrl-C ends throw Interrupted. */
  train(job: Job): Promise<Figures>;
  /** What a report may look into, for recipes that classify pictures or spectrograms with one net; undefined where this run does not. */
  readonly subject?: (job: TestJob) => Promise<Subject | undefined>;
  /** Tests what `train` left in the folder. */
  test(job: TestJob): Promise<Figures>;
  /** Ranks the classes for every file, of tables for every row. */
  predict?(job: TestJob, files: readonly string[]): Promise<readonly Prediction[]>;
}

export interface Subject {
  /** Trained. */
  readonly model: Layer;
  readonly test: Dataset;
}

export interface Prediction {
  readonly file: string;
  /** Of a table, from 1. */
  readonly row?: number;
  /** All classes, the most probable first. */
  readonly ranked: readonly { readonly name: string; readonly probability: number }[];
}

/** The settings that hold where the user does not say. */
export const defaultsFor = async ({ defaults }: Recipe, data: string): Promise<Defaults> => (typeof defaults === 'function' ? defaults(data) : defaults);

export type Figures = Readonly<Record<string, unknown>>;

/** Thrown out of a recipe that was asked to stop, once its checkpoint is written. */
export class Interrupted extends Error {}
