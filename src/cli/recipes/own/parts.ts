/** The examples of a run in three parts, how those to train on are changed, and single files as examples. */
import { fail } from '../../../core/errors.ts';
import { quietest } from '../../../data/audio/spectrogram.ts';
import { isFolder } from '../../../data/files.ts';
import type { FileSet } from '../../../data/formats/file-set.ts';
import { parseWav } from '../../../data/formats/wav.ts';
import { isImageName } from '../../../data/images/header.ts';
import { audioFolder, augment, type Dataset, imageFolder, type SkippedFile, type Statistics } from '../../../data/index.ts';
import type { Output } from '../../output.ts';
import { isSoundName, isTableName, oneFile, openOwn, operation } from './files.ts';
import { type Input, type Plan, type SoundInput, soundForm } from './plan.ts';
import { labelledRows, readRows } from './table.ts';

export interface Parts {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** How they came to be, in words. */
  readonly division: string;
}

type Known = Pick<Plan, 'input'> & Partial<Pick<Plan, 'classes'>>;

/** All parts. Without `classes` they are those of the examples to train on. */
export async function partsOf(data: string, known: Known, seed: number, output: Output): Promise<Parts> {
  const files = await openOwn(data);
  checkKind(files.kind, known.input, data);
  if (files.kind === 'table') return divided(await tableOf(data, known), {}, seed);
  const all = await labelled(files.parts.train, known, output);
  const same = { ...known, classes: known.classes ?? all.classes ?? [] };
  if (same.classes.length < 2)
    fail('data', operation, `${data} holds the class ${same.classes[0]} alone`, 'Two folders of examples or more are needed, one per class.');
  const { validation, test } = files.parts;
  return divided(
    all,
    { ...(validation && { validation: await labelled(validation, same, output) }), ...(test && { test: await labelled(test, same, output) }) },
    seed,
  );
}

/** The examples to test on: of the run's own data the part that was held back, of other data the test part, or everything. */
export async function testPart(data: string, plan: Plan, seed: number, output: Output): Promise<Dataset> {
  const files = await openOwn(data);
  checkKind(files.kind, plan.input, data);
  if (files.kind !== 'table' && files.parts.test) return labelled(files.parts.test, plan, output);
  if (data === plan.data) return (await partsOf(data, plan, seed, output)).test;
  return files.kind === 'table' ? tableOf(data, plan) : labelled(files.parts.train, plan, output);
}

function checkKind(found: Input['kind'], { kind }: Input, data: string): void {
  if (found !== kind) fail('data', operation, `${data} holds ${inWords[found]}, but the run learns from ${inWords[kind]}`);
}

export const inWords = { pictures: 'pictures', sounds: 'recordings', table: 'a table' } as const;

const tableOf = (path: string, { input, classes = [] }: Known): Promise<Dataset> =>
  input.kind === 'table' ? labelledRows(path, input, classes) : fail('internal', operation, `${path} is read as ${input.kind}`);

/** Files with their classes, as the net takes them; damaged pictures are left out and counted. */
async function labelled(files: FileSet, { input, classes }: Known, output: Output): Promise<Dataset> {
  const known = classes && { classes };
  if (input.kind === 'sounds') {
    await checkRate(files, input);
    return (await audioFolder(files, { ...soundForm, seconds: input.seconds, ...known })).cache();
  }
  if (input.kind === 'table') return fail('internal', operation, `${files.name} is read as a table`);
  const { height, width, channels, fit } = input;
  const onSkip = (skipped: readonly SkippedFile[]) =>
    output.text(`left out, as they cannot be decoded: ${skipped.length} pictures, the first ${skipped[0].path}`);
  return (await imageFolder(files, { size: [height, width], channels, fit, corrupt: 'skip', onSkip, ...known })).cache();
}

async function checkRate(files: FileSet, { sampleRate }: SoundInput): Promise<void> {
  const first = files.entries.find(({ path }) => isSoundName(path));
  if (first === undefined) return;
  const name = `${files.name}/${first.path}`;
  const found = parseWav(await files.read(first.path), name).sampleRate;
  if (found !== sampleRate) fail('data', operation, `${name} has ${found} samples per second, not ${sampleRate} as in training`, 'Resample the recordings.');
}

const fewest = 10;

/** What has no files of its own is drawn from the examples to train on, evenly from every class. */
export function divided(all: Dataset, given: Partial<Pick<Parts, 'validation' | 'test'>>, seed: number): Parts {
  const drawn = (['validation', 'test'] as const).filter((name) => given[name] === undefined);
  if (all.length < fewest) fail('data', operation, `there are ${all.length} examples to train on`, `${fewest} or more are needed, better some hundreds.`);
  const share = all.length < 1000 ? 0.15 : 0.1;
  const [train, ...held] = all.split([1 - share * drawn.length, ...drawn.map(() => share)], { seed, stratify: true });
  const parts = { ...given, ...Object.fromEntries(drawn.map((name, i) => [name, held[i]])) } as Pick<Parts, 'validation' | 'test'>;
  const count = (part: Dataset) => part.length.toLocaleString('en-US');
  const how = drawn.length === 0 ? 'each from its own folder' : `${drawn.join(' and ')} drawn evenly from every class`;
  return { train, ...parts, division: `${count(train)} to train, ${count(parts.validation)} to validate, ${count(parts.test)} to test; ${how}` };
}

/** The examples to train on, changed anew in every epoch, and how in words. `figures`: of these examples. */
export function augmented(train: Dataset, input: Input, seed: number, { mean }: Statistics): { readonly dataset: Dataset; readonly words: string } {
  const fill = mean.reduce((sum, value) => sum + value, 0) / mean.length;
  switch (input.kind) {
    case 'pictures': {
      const { height, width, channels } = input;
      const padding = Math.max(1, Math.round(Math.min(height, width) / 8));
      const moved = augment.crop({ size: [height, width], padding, fill });
      const mirrored = channels === 3; // Grey pictures are often writing, which must not be mirrored.
      const words = `moved by up to ${padding} pixels${mirrored ? ', half of them mirrored' : '; not mirrored, as grey pictures may be writing'}`;
      return { dataset: train.augment(mirrored ? [moved, augment.flip()] : [moved], { seed }), words };
    }
    case 'sounds': {
      const moved = augment.shift({ pixels: 4, fill: Math.log(quietest) });
      const masked = augment.specAugment({ timeMasks: 1, timeWidth: 10, frequencyMasks: 1, frequencyWidth: 6, fill });
      return { dataset: train.augment([moved, masked], { seed }), words: 'moved by up to 4 frames and bands, some frames and bands masked (SpecAugment)' };
    }
    case 'table':
      return { dataset: train, words: 'not at all: tables are not' };
  }
}

/** A file to be asked about: one example, of a table one per row. Errors: not there, of another kind than the run learned from, damaged. */
export async function exampleOf(path: string, { input, classes }: Plan): Promise<Dataset> {
  if (await isFolder(path, 'predict')) fail('data', 'predict', `${path} is a folder`, 'Name its files.');
  const kinds = { pictures: isImageName, sounds: isSoundName, table: isTableName };
  if (!kinds[input.kind](path)) {
    const endings = { pictures: '.jpg, .png, .pgm or .ppm', sounds: '.wav', table: '.csv or .tsv' }[input.kind];
    fail('data', 'predict', `${path} is not called ${endings}`, `This run learned from ${inWords[input.kind]}.`);
  }
  if (input.kind === 'table') return readRows(path, input, classes);
  const one = { label: () => classes[0], classes: classes.slice(0, 1) }; // the label is not looked at
  if (input.kind === 'pictures') {
    const { height, width, channels, fit } = input;
    return imageFolder(oneFile(path), { size: [height, width], channels, fit, ...one });
  }
  await checkRate(oneFile(path), input);
  return audioFolder(oneFile(path), { ...soundForm, seconds: input.seconds, ...one });
}
