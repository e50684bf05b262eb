/**
 * Recipes of several nets, each trained without a part of the data and tested on that part: k-fold cross-validation of small tables, and spoken digits of speakers
 * that a net has never heard.
 */
import type { Dataset } from '../../../data/index.ts';
import { evaluate } from '../../../train/index.ts';
import { type Output, percent } from '../../output.ts';
import type { Figures, Recipe } from '../recipe.ts';
import { loadStage } from '../stage.ts';
import { divided } from './parts.ts';
import { classifierNet, type Plan } from './plan.ts';
import { trainPlan } from './planned.ts';

export interface LeftOut {
  /** Of what is left out: theo, fold-3. */
  readonly name: string;
  readonly train: Dataset;
  readonly test: Dataset;
}

export interface LeavingOut extends Pick<Recipe, 'name' | 'summary' | 'defaults' | 'augmentations' | 'source'> {
  /** `seed` decides how folds are drawn. */
  readonly load: (data: string, seed: number) => Promise<{ readonly plan: Plan; readonly description: string; readonly parts: readonly LeftOut[] }>;
}

export const leavingOut = ({ load, ...recipe }: LeavingOut): Recipe => ({
  ...recipe,

  async train(job) {
    const { settings, data, output } = job;
    const { plan, description, parts } = await load(data, settings.seed);
    await job.begin(description);
    const results: Result[] = [];
    let [seconds, parameters] = [0, 0];
    for (const part of parts) {
      const trained = await trainPlan(job, plan, divided(part.train, { test: part.test }, settings.seed), { stage: part.name });
      results.push(await judged(trained.model, part));
      seconds += trained.figures.seconds;
      parameters = trained.parameters;
    }
    return { parameters, epochs: settings.epochs, seconds: Number(seconds.toFixed(3)), ...summed(results, output) };
  },

  async test(job) {
    const { plan, parts } = await load(job.data, job.settings.seed);
    const results: Result[] = [];
    for (const part of parts) results.push(await judged(await loadStage(job, classifierNet(plan), part.name), part));
    return summed(results, job.output);
  },
});

interface Result {
  readonly name: string;
  readonly examples: number;
  readonly accuracy: number;
  readonly loss: number;
}

async function judged(net: Parameters<typeof evaluate>[0], { name, test }: LeftOut): Promise<Result> {
  const { loss, accuracy } = await evaluate(net, test, { loss: 'crossEntropy', metrics: ['accuracy'] });
  return { name, examples: test.length, accuracy: Number(accuracy), loss: Number(loss) };
}

/** Every example counts once: it is in the part that one net has not seen. */
function summed(results: readonly Result[], output: Output): Figures {
  const examples = results.reduce((sum, result) => sum + result.examples, 0);
  const mean = (of: (result: Result) => number) => results.reduce((sum, result) => sum + of(result) * result.examples, 0) / examples;
  const figures = { examples, testLoss: mean(({ loss }) => loss), testAccuracy: mean(({ accuracy }) => accuracy) };
  output.text('\nwithout');
  for (const { name, accuracy, loss } of results) output.text(`  ${name.padEnd(10)} accuracy on it ${percent(accuracy)}   loss ${loss.toFixed(4)}`);
  output.text(`  all        accuracy ${percent(figures.testAccuracy)}   loss ${figures.testLoss.toFixed(4)} (${examples.toLocaleString('en-US')} examples)`);
  return { ...figures, ...Object.fromEntries(results.map(({ name, accuracy }) => [`${name}Accuracy`, accuracy])) };
}
