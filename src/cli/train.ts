/** gradix train: trains a recipe, saves as it goes, shows what came out. */
import { didYouMean } from '../core/errors.ts';
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { useMachine } from './machine.ts';
import { newOutput, type Output } from './output.ts';
import { findRecipe } from './recipes/index.ts';
import { defaultsFor, Interrupted, type Job, type Recipe } from './recipes/recipe.ts';
import { hasRun, newRunFolder, type RunConfig, readConfig, version, writeConfig } from './run-folder.ts';

const options = {
  data: { type: 'text', value: 'DIR', help: 'folder with the data, or "digits" for generated digits (default: GRADIX_DATA, else digits)' },
  epochs: { type: 'whole', value: 'N', least: 1, help: 'passes over the training data' },
  batchSize: { type: 'whole', value: 'N', least: 1, help: 'examples per step' },
  learningRate: { type: 'number', value: 'X', above: 0, help: 'size of the steps' },
  seed: { type: 'whole', value: 'N', least: 0, help: 'start of all random numbers (default 0)' },
  augment: { type: 'text', value: 'NAME', help: 'change the training examples as they are read, where the recipe can: elastic, none, …' },
  device: { type: 'text', value: 'NAME', choices: ['native', 'wasm', 'reference'], help: 'native (C, fast), wasm (WebAssembly) or reference (slow)' },
  threads: { type: 'whole', value: 'N', least: 1, help: 'processor threads (default: one per core)' },
  out: { type: 'text', value: 'DIR', help: 'folder for the run (default: a new one in runs/)' },
  resume: { type: 'text', value: 'DIR', help: 'go on with an interrupted run' },
  json: { type: 'flag', help: 'one JSON object per line on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;

const command = 'gradix train';

export const trainHelp = (): string => `gradix train <recipe>: trains a net.\n\n${optionsHelp(options)}`;

interface Plan extends Pick<Job, 'recipe' | 'folder'> {
  readonly config: Omit<RunConfig, 'device'>;
}

export async function train(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text(trainHelp());
    return 0;
  }
  if (positional.length > 1) throw new UsageError(command, `one recipe at a time, got ${positional.join(' ')}`);
  const plan = values.resume === undefined ? await newPlan(positional[0], values) : await resumedPlan(positional[0], values.resume, values);
  return runPlan(plan, useMachine(values), output);
}

type Values = ReturnType<typeof parseArguments<typeof options>>['values'];

async function newPlan(name: string | undefined, values: Values): Promise<Plan> {
  if (name === undefined) throw new UsageError(command, 'which recipe?', 'For example: gradix train lenet. See gradix recipes.');
  const recipe = findRecipe(command, name);
  const folder = values.out ?? newRunFolder(name);
  if (await hasRun(folder))
    throw new UsageError(command, `${folder} holds a run already`, `Choose another --out, or go on with it: gradix train ${name} --resume ${folder}`);
  checkAugment(recipe, values.augment);
  const data = await recipe.source(values.data);
  const defaults = await defaultsFor(recipe, data);
  const { epochs = defaults.epochs, batchSize = defaults.batchSize, learningRate = defaults.learningRate, seed = 0, augment } = values;
  const config = {
    recipe: name,
    options: { epochs, batchSize, learningRate, seed, ...(augment !== undefined && { augment }) },
    data,
    versions: { gradix: version, node: process.versions.node },
  };
  return { recipe, config, folder };
}

function checkAugment({ name, augmentations = [] }: Recipe, asked: string | undefined): void {
  if (asked === undefined || augmentations.includes(asked)) return;
  const known = augmentations.length === 0 ? 'Leave the option out.' : (didYouMean(asked, augmentations) ?? `It has ${augmentations.join(', ')}.`);
  throw new UsageError(command, augmentations.length === 0 ? `${name} takes no --augment` : `${name} has no augmentation "${asked}"`, known);
}

/** The saved run's own options hold, except that it may get more epochs. */
async function resumedPlan(name: string | undefined, folder: string, values: Values): Promise<Plan> {
  const config = await readConfig(folder, command);
  if (name !== undefined && name !== config.recipe) throw new UsageError(command, `${folder} is a run of ${config.recipe}, not of ${name}`);
  for (const key of ['batchSize', 'learningRate', 'seed', 'augment', 'out'] as const) {
    const before = key === 'out' ? undefined : config.options[key];
    if (values[key] !== undefined && values[key] !== before)
      throw new UsageError(
        command,
        `a resumed run keeps its own options${before === undefined ? ' and folder' : `: it was started with ${key} ${before}`}`,
        `Leave the option out.`,
      );
  }
  const recipe = findRecipe(command, config.recipe);
  const data = values.data === undefined ? config.data : await recipe.source(values.data);
  return { recipe, config: { ...config, data, options: { ...config.options, epochs: values.epochs ?? config.options.epochs } }, folder };
}

async function runPlan({ recipe, config, folder }: Plan, device: string, output: Output): Promise<number> {
  const interruption = onInterrupt(output);
  try {
    const job: Job = {
      ...{ recipe, settings: config.options, data: config.data, folder, device, output, signal: interruption.signal },
      async begin(data) {
        await writeConfig(folder, { ...config, device });
        output.text(`gradix ${version}: ${recipe.name} on ${device}\ndata: ${data}`);
      },
    };
    output.event('done', { recipe: recipe.name, device, ...(await recipe.train(job)), out: folder });
    return 0;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    output.text(`Interrupted. Saved in ${folder}; go on with: gradix train ${recipe.name} --resume ${folder}`);
    output.event('interrupted', { recipe: recipe.name, out: folder });
    return 130;
  } finally {
    interruption.dispose();
  }
}

/** The first Ctrl-C asks the run to save and end, the second ends the process. */
function onInterrupt(output: Output): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const listener = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    output.text('\nSaving a checkpoint … (press Ctrl-C again to end at once)');
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, listener);
  return {
    signal: controller.signal,
    dispose() {
      for (const signal of signals) process.removeListener(signal, listener);
    },
  };
}
