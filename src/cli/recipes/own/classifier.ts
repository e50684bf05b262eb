/** classifier: a net for one's own pictures, recordings or table, with input, net and settings chosen by a look at them. */
import { resolve } from 'node:path';
import { UsageError } from '../../arguments.ts';
import type { Recipe } from '../recipe.ts';
import { look } from './look.ts';
import { inWords, partsOf, testPart } from './parts.ts';
import { hasPlan, type Plan, readPlan, writePlan } from './plan.ts';
import { loadPlanned, outcome, predictFiles, testNet, testWords, trainPlan } from './planned.ts';
import { named } from './words.ts';

export const ownClassifier: Recipe = {
  name: 'classifier',
  summary: 'your own pictures, recordings or table: a folder with one folder per class, a .tar or .zip of it, or a CSV file',
  defaults: async (data) => (await look(data)).settings,
  augmentations: ['auto', 'none'],
  async source(asked) {
    if (asked !== undefined) return resolve(asked);
    throw new UsageError('gradix train classifier', 'which data?', 'For example: --data flowers.zip, with one folder per class.');
  },

  async train(job) {
    const { data, settings, output, folder } = job;
    const begun = (await hasPlan(folder)) ? await readPlan(job) : undefined;
    const looked = await look(data);
    const chosen = begun ?? looked;
    const parts = await partsOf(data, chosen, settings.seed, output);
    const plan: Plan = { data, input: chosen.input, net: chosen.net, classes: chosen.classes ?? parts.train.classes ?? [] };
    await job.begin(`${inWords[plan.input.kind]} of ${plan.classes.length} classes (${named(plan.classes)}) from ${data}`);
    if (begun === undefined) await writePlan(folder, plan);
    const trained = await trainPlan(job, plan, parts, { reasons: looked.reasons });
    return outcome(job, trained, await testNet(trained.model, parts.test, output));
  },

  async test(job) {
    const plan = await readPlan(job);
    const test = await testPart(job.data, plan, job.settings.seed, job.output);
    return testWords(await testNet(await loadPlanned(job, plan), test, job.output), job.output);
  },

  async subject(job) {
    const plan = await readPlan(job);
    if (plan.input.kind === 'table') return undefined; // a report draws its examples
    return { model: await loadPlanned(job, plan), test: await testPart(job.data, plan, job.settings.seed, job.output) };
  },

  predict: predictFiles,
};
