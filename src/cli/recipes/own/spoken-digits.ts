/** spoken-digits: the Free Spoken Digit Dataset through mel spectrograms and convolutions, by its official split; and a net per speaker that never heard that one. */
import { resolve } from 'node:path';
import { type FsddOptions, fsdd, fsddSpeakers, type TrainAndTest } from '../../../data/index.ts';
import type { Recipe } from '../recipe.ts';
import { leavingOut } from './left-out.ts';
import { folderNet } from './look.ts';
import { divided } from './parts.ts';
import { type Plan, type SoundInput, soundForm, writePlan } from './plan.ts';
import { loadPlanned, outcome, predictFiles, testNet, testWords, trainPlan } from './planned.ts';

const input: SoundInput = { kind: 'sounds', seconds: 0.8, sampleRate: 8000 };
const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
const planFor = (data: string): Plan => ({ data, input, classes, net: folderNet(input, 3000).net });
const defaults = { epochs: 40, batchSize: 32, learningRate: 0.003 };

/** The folder that --data or GRADIX_DATA names, or the set's name where it is to be found or fetched by itself. */
const source: Recipe['source'] = async (asked) => {
  const folder = asked ?? process.env.GRADIX_DATA;
  return folder === undefined || folder === '' || folder === 'fsdd' ? 'fsdd' : resolve(folder);
};

async function recordings(data: string, more: Pick<FsddOptions, 'leaveOut'> = {}): Promise<TrainAndTest> {
  const { train, test } = await fsdd({ ...(data !== 'fsdd' && { root: data }), ...soundForm, seconds: input.seconds, ...more });
  return { train: train.cache(), test: test.cache() };
}

export const spokenDigits: Recipe = {
  name: 'spoken-digits',
  summary: 'spoken digits (FSDD, official split) by mel spectrograms of 0.8 s and three convolutions; AdamW, one cycle',
  defaults,
  augmentations: ['auto', 'none'],
  source,
  async train(job) {
    const { data, settings, output, folder } = job;
    const { train, test } = await recordings(data);
    await job.begin('spoken digits of six speakers; the recordings 0 to 4 of every digit and speaker to test');
    const plan = planFor(data);
    await writePlan(folder, plan);
    const trained = await trainPlan(job, plan, divided(train, { test }, settings.seed), { reasons: {} });
    return outcome(job, trained, await testNet(trained.model, test, output));
  },
  async test(job) {
    const { test } = await recordings(job.data);
    return testWords(await testNet(await loadPlanned(job, planFor(job.data)), test, job.output), job.output);
  },
  subject: async (job) => ({ model: await loadPlanned(job, planFor(job.data)), test: (await recordings(job.data)).test }),
  predict: predictFiles,
};

export const spokenDigitsBySpeaker = leavingOut({
  name: 'spoken-digits-by-speaker',
  summary: 'spoken-digits six times, each without one speaker, on whom it is tested',
  defaults: { ...defaults, epochs: 20 },
  augmentations: ['auto', 'none'],
  source,
  async load(data) {
    const parts = [];
    for (const name of fsddSpeakers) parts.push({ name, ...(await recordings(data, { leaveOut: name })) });
    return { plan: planFor(data), description: 'spoken digits of six speakers; each speaker left out once', parts };
  },
});
