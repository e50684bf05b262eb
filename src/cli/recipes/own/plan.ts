/**
 * What a classifier of one's own data is: its input, classes and net. It is written beside the net when a run begins, so that the run can be resumed, tested
 * and asked about files without the data it was trained on. (How inputs are standardised is in the net itself.)
 */
import { join } from 'node:path';
import { fail } from '../../../core/errors.ts';
import type { Statistics } from '../../../data/index.ts';
import { fileExists, readText, writeFileAtomic } from '../../../io/files.ts';
import * as nn from '../../../nn/index.ts';
import type { TestJob } from '../recipe.ts';

export interface PictureInput {
  readonly kind: 'pictures';
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** How pictures of other sizes get this one. */
  readonly fit: 'stretch' | 'cover';
}

export interface SoundInput {
  readonly kind: 'sounds';
  /** Of every example; shorter recordings are followed by silence. */
  readonly seconds: number;
  readonly sampleRate: number;
}

export type SavedColumn =
  | { readonly name: string; readonly kind: 'number' }
  | { readonly name: string; readonly kind: 'category'; readonly categories: readonly string[] };

export interface TableInput {
  readonly kind: 'table';
  /** Whether the first line names the columns. */
  readonly header: boolean;
  /** The columns that are looked at, in their order. */
  readonly columns: readonly SavedColumn[];
  /** The column of the classes. */
  readonly target: string;
}

export type Input = PictureInput | SoundInput | TableInput;

export interface Net {
  /** Channels of 3 × 3 convolutions, stage by stage; between two stages the picture is halved. None for tables. */
  readonly convolutions: readonly (readonly number[])[];
  /** Units of dense layers before the last. */
  readonly hidden: readonly number[];
  readonly dropout: number;
}

export interface Plan {
  /** What the run was trained on: elsewhere all examples are test examples. */
  readonly data: string;
  readonly input: Input;
  readonly classes: readonly string[];
  readonly net: Net;
}

const planFile = 'classifier.json';

export const writePlan = (folder: string, plan: Plan): Promise<void> =>
  writeFileAtomic(join(folder, planFile), `${JSON.stringify(plan, undefined, 2)}\n`, 'train');

export const hasPlan = (folder: string): Promise<boolean> => fileExists(join(folder, planFile));

/** Errors: a folder without a plan, a damaged file. */
export async function readPlan({ folder }: Pick<TestJob, 'folder'>): Promise<Plan> {
  const path = join(folder, planFile);
  const text = await readText(path, 'classifier');
  try {
    const plan = JSON.parse(text) as Plan;
    if (Array.isArray(plan.classes) && typeof plan.input?.kind === 'string' && Array.isArray(plan.net?.convolutions)) return plan;
  } catch {
    // falls through to the error below
  }
  return fail('file', 'classifier', `${path} is damaged`, 'It should be the JSON that gradix train wrote.');
}

/** Mel features of a recording: frames of 25 ms, 10 ms apart, 40 bands. */
export const soundForm = { features: 'mel', frame: 25, hop: 10, bands: 40 } as const;

/**
 * The net of a plan: [N, …input] → logits [N, classes]. Pictures: convolutions with batch normalisation, halved between, then the mean over all places (Lin et al.
 * 2014), which does not mind where in the picture something is. Recordings: the mean over time alone, for a low tone is not a high one. Tables: dense layers.
 */
export function classifierNet({ input, classes, net: { convolutions, hidden, dropout } }: Plan, figures?: Statistics): nn.Layer {
  const stages = convolutions.flatMap((stage, i) => [
    ...(i > 0 ? [nn.maxPool2d(2)] : []),
    ...stage.flatMap((channels) => [nn.conv2d(channels, 3, { padding: 1, bias: false }), nn.batchNorm(), nn.relu()]),
  ]);
  const bands = Math.floor(soundForm.bands / 2 ** (convolutions.length - 1));
  const mean = { pictures: () => [nn.globalAvgPool()], sounds: () => [nn.adaptiveAvgPool2d([1, bands]), nn.flatten()], table: () => [nn.flatten()] };
  const dense = hidden.flatMap((units) => [nn.linear(units), nn.relu()]);
  const last = [...(dropout > 0 ? [nn.dropout(dropout)] : []), nn.linear(classes.length)];
  return nn.sequential(nn.standardize(figures), ...stages, ...mean[input.kind](), ...dense, ...last);
}
