/** Looks at one's own data and chooses input, net and settings for it, with the reasons. */

import { fail, GradixError } from '../../../core/errors.ts';
import type { FileSet } from '../../../data/formats/file-set.ts';
import { parseWav } from '../../../data/formats/wav.ts';
import { imageHeader, isImageName } from '../../../data/images/header.ts';
import type { Defaults } from '../recipe.ts';
import { isSoundName, openOwn, operation } from './files.ts';
import type { Input, Net, PictureInput, SoundInput } from './plan.ts';
import { lookAtTable } from './table.ts';

/** What was found and chosen, each choice with its reason. */
export interface Look {
  readonly input: Input;
  /** Of tables, where they are known at once. */
  readonly classes?: readonly string[];
  readonly net: Net;
  readonly settings: Defaults;
  /** By what is chosen: input, net, training. */
  readonly reasons: Readonly<Record<'input' | 'net' | 'training', string>>;
}

/** Files that are opened to learn sizes and lengths, evenly from all. */
const sampled = 200;
/** Sides that pictures of different sizes are brought to. Larger ones take long to train on processors. */
const sides = [128, 96, 64, 48, 32];
const longestSound = 5;
/** From so many examples on nets have twice as many channels. */
const wide = 5000;

export async function look(path: string): Promise<Look> {
  const files = await openOwn(path);
  if (files.kind === 'table') {
    const { rows, input, classes, notes } = await lookAtTable(path);
    return { input, classes, ...choices(rows, tableNet(rows), [`${input.columns.length} columns, to tell ${input.target}`, ...notes].join('; ')) };
  }
  const wanted = files.kind === 'pictures' ? isImageName : isSoundName;
  const examples = Object.values(files.parts).reduce((sum, { entries }) => sum + entries.filter((entry) => wanted(entry.path)).length, 0);
  const { input, reason } = files.kind === 'pictures' ? await lookAtPictures(files.parts.train) : await lookAtSounds(files.parts.train);
  return { input, ...choices(examples, folderNet(input, examples), reason) };
}

export function choices(examples: number, { net, reason }: Chosen, input: string): Pick<Look, 'net' | 'settings' | 'reasons'> {
  const settings = settingsFor(examples, net);
  const { epochs, batchSize } = settings;
  const count = examples.toLocaleString('en-US');
  return {
    net,
    settings,
    reasons: {
      input,
      net: reason,
      training: `for ${count} examples ${epochs} epochs in batches of ${batchSize}: the fewer, the more often, and in smaller batches`,
    },
  };
}

interface Chosen {
  readonly net: Net;
  readonly reason: string;
}

/** Enough steps to converge with one cycle of the learning rate; few examples are seen more often. */
function settingsFor(examples: number, { convolutions }: Net): Defaults {
  const epochs = Math.round(Math.min(convolutions.length > 0 ? 40 : 100, Math.max(10, 360_000 / examples)));
  return { epochs, batchSize: examples >= 2000 ? 64 : examples >= 500 ? 32 : 16, learningRate: 0.003 };
}

async function sample<T>(files: FileSet, wanted: (path: string) => boolean, read: (bytes: Uint8Array, name: string) => T): Promise<T[]> {
  const paths = files.entries.map(({ path }) => path).filter(wanted);
  const count = Math.min(sampled, paths.length);
  const found: T[] = [];
  for (let i = 0; i < count; i++) {
    const path = paths[Math.floor((i * paths.length) / count)];
    try {
      found.push(read(await files.read(path), `${files.name}/${path}`));
    } catch (error) {
      // Damaged files are counted when the set is read.
      if (!(error instanceof GradixError) || error.code !== 'data') throw error;
    }
  }
  return found.length > 0
    ? found
    : fail('data', operation, `none of ${count} files of ${files.name} can be understood`, 'They are damaged or of another format than their names say.');
}

const quantile = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];

/** One size for all pictures: theirs where all have the same, small one, else a square that most of them fill. */
export async function lookAtPictures(files: FileSet): Promise<{ readonly input: PictureInput; readonly reason: string }> {
  const headers = await sample(files, isImageName, imageHeader);
  const [{ height, width }] = headers;
  const channels = headers.some((header) => header.channels === 3) ? 3 : 1;
  const paint = channels === 3 ? 'in colour' : 'in grey';
  const same = headers.every((header) => header.height === height && header.width === width);
  if (same && Math.max(height, width) <= sides[0])
    return { input: { kind: 'pictures', height, width, channels, fit: 'stretch' }, reason: `${height} × ${width} pixels ${paint}, as all are` };
  const typical = quantile(
    headers.map((header) => Math.min(header.height, header.width)),
    0.5,
  );
  const side = sides.find((candidate) => candidate <= typical) ?? sides[sides.length - 1];
  const found = same ? `${height} × ${width}` : `shorter sides of ${typical} in the middle`;
  return {
    input: { kind: 'pictures', height: side, width: side, channels, fit: 'cover' },
    reason: `${side} × ${side} pixels ${paint} (found: ${found}), cut evenly: at most ${sides[0]}, so that training takes minutes`,
  };
}

/** One length for all recordings: nineteen of twenty fit. */
export async function lookAtSounds(files: FileSet): Promise<{ readonly input: SoundInput; readonly reason: string }> {
  const sounds = await sample(files, isSoundName, (bytes, name) => {
    const { sampleRate, channels, samples } = parseWav(bytes, name);
    return { sampleRate, seconds: samples.length / channels / sampleRate };
  });
  const [{ sampleRate }] = sounds;
  const longEnough = quantile(
    sounds.map(({ seconds }) => seconds),
    0.95,
  );
  const seconds = Math.min(longestSound, Math.max(0.2, Math.ceil(10 * longEnough) / 10));
  return {
    input: { kind: 'sounds', seconds, sampleRate },
    reason: `mel spectrograms of ${seconds} s at ${sampleRate} Hz: ${longEnough <= seconds ? '19 of 20 recordings are no longer' : 'longer ones are cut'}`,
  };
}

/** Halved until about eight places are left along the shorter side, with twice as many channels after every halving; many examples are worth a wider, deeper net. */
export function folderNet(input: PictureInput | SoundInput, examples: number): Chosen {
  const side = input.kind === 'pictures' ? Math.min(input.height, input.width) : 40;
  const halvings = Math.max(0, Math.min(4, Math.ceil(Math.log2(side / 10))));
  const many = examples >= wide;
  const convolutions = Array.from({ length: halvings + 1 }, (_, i) => {
    const channels = Math.min(256, (many ? 32 : 16) * 2 ** i);
    return many && i > 0 ? [channels, channels] : [channels];
  });
  const size = many ? `wide and deep for ${wide.toLocaleString('en-US')} examples or more` : `small for fewer than ${wide.toLocaleString('en-US')} examples`;
  const stages = convolutions.map((stage) => stage.join(' and '));
  return {
    net: { convolutions, hidden: [], dropout: 0.2 },
    reason: `convolutions of ${stages.join(', ')} channels, halved between, then the mean over ${input.kind === 'pictures' ? 'all places' : 'time'}: ${size}`,
  };
}

function tableNet(rows: number): Chosen {
  const hidden = rows >= 2000 ? [128, 64] : [32];
  return {
    net: { convolutions: [], hidden, dropout: 0 },
    reason: `dense layers of ${hidden.join(', ')} units: ${rows >= 2000 ? '2,000 rows or more' : 'few rows'}`,
  };
}
