/** gradix train: trains a recipe, saves as it goes, shows what came out. */
import { resolve } from 'node:path';
import type { Dataset } from '../data/index.ts';
import { load, save } from '../io/index.ts';
import type { Sequential } from '../nn/index.ts';
import { seed as setSeed } from '../tensor/index.ts';
import { runFiles } from '../train/checkpoint.ts';
import {
  type Callback,
  checkpoint,
  confusionMatrix,
  earlyStopping,
  evaluate,
  fit,
  type History,
  hasCheckpoint,
  loadCheckpoint,
  predict,
  progress,
} from '../train/index.ts';
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { type DigitData, digitData, resolveSource } from './digit-data.ts';
import { confusionTable, pictures } from './draw.ts';
import { useMachine } from './machine.ts';
import { hasColour, newOutput, type Output, percent } from './output.ts';
import { findRecipe, type Recipe } from './recipes.ts';
import { newRunFolder, type RunConfig, readConfig, version, writeConfig } from './run-folder.ts';

const options = {
  data: { type: 'text', value: 'DIR', help: 'folder with MNIST, or "digits" for generated digits (default: GRADIX_DATA, else digits)' },
  epochs: { type: 'whole', value: 'N', least: 1, help: 'passes over the training data' },
  batchSize: { type: 'whole', value: 'N', least: 1, help: 'examples per step' },
  learningRate: { type: 'number', value: 'X', above: 0, help: 'size of the steps' },
  seed: { type: 'whole', value: 'N', least: 0, help: 'start of all random numbers (default 0)' },
  device: { type: 'text', value: 'NAME', choices: ['native', 'reference'], help: 'native (C, fast) or reference (slow)' },
  threads: { type: 'whole', value: 'N', least: 1, help: 'processor threads (default: one per core)' },
  out: { type: 'text', value: 'DIR', help: 'folder for the run (default: a new one in runs/)' },
  resume: { type: 'text', value: 'DIR', help: 'go on with an interrupted run' },
  json: { type: 'flag', help: 'one JSON object per line on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;

const command = 'gradix train';

export const trainHelp = (): string => `gradix train <recipe>: trains a net.\n\n${optionsHelp(options)}`;

interface Plan {
  readonly recipe: Recipe;
  readonly config: Omit<RunConfig, 'device'>;
  readonly folder: string;
  readonly resume: boolean;
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
  if (await hasCheckpoint(folder))
    throw new UsageError(command, `${folder} holds a run already`, `Choose another --out, or go on with it: gradix train ${name} --resume ${folder}`);
  const source = await resolveSource(values.data);
  const { epochs = recipe.epochs, batchSize = recipe.batchSize, learningRate = recipe.learningRate, seed = 0 } = values;
  const config = {
    recipe: name,
    options: { epochs, batchSize, learningRate, seed },
    data: source === 'digits' ? source : resolve(source),
    versions: { gradix: version, node: process.versions.node },
  };
  return { recipe, config, folder, resume: false };
}

/** The saved run's own options hold, except that it may get more epochs. */
async function resumedPlan(name: string | undefined, folder: string, values: Values): Promise<Plan> {
  const config = await readConfig(folder, command);
  if (name !== undefined && name !== config.recipe) throw new UsageError(command, `${folder} is a run of ${config.recipe}, not of ${name}`);
  for (const key of ['batchSize', 'learningRate', 'seed', 'out'] as const) {
    const before = key === 'out' ? undefined : config.options[key];
    if (values[key] !== undefined && values[key] !== before)
      throw new UsageError(
        command,
        `a resumed run keeps its own options${before === undefined ? ' and folder' : `: it was started with ${key} ${before}`}`,
        `Leave the option out.`,
      );
  }
  const data = values.data === undefined ? config.data : values.data === 'digits' ? values.data : resolve(values.data);
  return {
    recipe: findRecipe(command, config.recipe),
    config: { ...config, data, options: { ...config.options, epochs: values.epochs ?? config.options.epochs } },
    folder,
    resume: true,
  };
}

async function runPlan({ recipe, config, folder, resume }: Plan, device: string, output: Output): Promise<number> {
  const { epochs, batchSize, learningRate, seed } = config.options;
  const data = await digitData(config.data, seed);
  setSeed(seed);
  const model = recipe.model();
  const optimizer = recipe.optimizer(learningRate);
  const shape = data.train.fields[0].shape;
  model.summary(shape);
  const parameters = model.parameters().reduce((sum, variable) => sum + variable.size, 0);
  const saving = checkpoint(folder, { monitor: 'valAccuracy' });
  output.text(`gradix ${version}: ${recipe.name}, ${parameters.toLocaleString('en-US')} parameters, on ${device}`);
  output.text(`data: ${data.description}`);
  output.event('start', {
    recipe: recipe.name,
    device,
    parameters,
    epochs,
    batchSize,
    learningRate,
    seed,
    trainExamples: data.train.length,
    resumed: resume,
    out: folder,
  });

  const clock = performance.now();
  let speed = 0;
  const events: Callback = {
    start: () => writeConfig(folder, { ...config, device }),
    epochEnd(run) {
      const { epoch, loss, accuracy, valLoss, valAccuracy } = run.history[run.history.length - 1];
      speed = run.seen / run.seconds;
      output.event('epoch', {
        epoch,
        epochs,
        trainLoss: loss,
        trainAccuracy: accuracy,
        valLoss,
        valAccuracy,
        seconds: seconds(clock),
        imagesPerSecond: Math.round(speed),
      });
    },
  };
  const interruption = onInterrupt(output);
  try {
    const history = await fit(model, data.train, {
      epochs,
      batchSize,
      loss: 'crossEntropy',
      optimizer,
      metrics: ['accuracy'],
      validation: data.validation,
      callbacks: [
        saving,
        events,
        progress({ output: output.stream }),
        earlyStopping({ patience: Number.POSITIVE_INFINITY, restoreBest: true, monitor: 'valAccuracy' }),
      ],
      seed,
      dropLast: data.train.length >= batchSize,
      signal: interruption.signal,
      ...(resume && { resume: await loadCheckpoint(folder) }),
    });
    if (history.stopReason === 'interrupted') return interrupted(recipe, folder, output);
    await finish({ recipe, model, data, history, folder, output, done: { device, parameters, seconds: seconds(clock), imagesPerSecond: Math.round(speed) } });
    return 0;
  } finally {
    interruption.dispose();
  }
}

const seconds = (since: number): number => Number(((performance.now() - since) / 1000).toFixed(3));

function interrupted(recipe: Recipe, folder: string, output: Output): number {
  output.text(`Interrupted. Saved in ${folder}; go on with: gradix train ${recipe.name} --resume ${folder}`);
  output.event('interrupted', { recipe: recipe.name, out: folder });
  return 130;
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

interface Finished {
  readonly recipe: Recipe;
  readonly model: Sequential;
  readonly data: DigitData;
  readonly history: History;
  readonly folder: string;
  readonly output: Output;
  readonly done: Readonly<Record<string, unknown>>;
}

/** Saves the final model (the best epoch's), tests it and shows the outcome. */
async function finish({ recipe, model, data, history, folder, output, done }: Finished): Promise<void> {
  const finalModel = `${folder}/${runFiles.model}`;
  await save(model, finalModel);
  await load(model, finalModel);
  const tested = await evaluate(model, data.test, { loss: 'crossEntropy', metrics: ['accuracy', confusionMatrix()] });
  const best = history.epochs.reduce((a, b) => (Number(b.valAccuracy) > Number(a.valAccuracy) ? b : a));
  if (!output.json) await showOutcome(model, data.test, tested.confusionMatrix as readonly (readonly number[])[], output);
  output.text(
    `test accuracy ${percent(Number(tested.accuracy))} (${data.test.length.toLocaleString('en-US')} digits), weights of epoch ${best.epoch} of ${history.epochs.length}`,
  );
  output.text(`saved in ${folder}; test it again: gradix eval ${folder}`);
  output.event('done', {
    recipe: recipe.name,
    ...done,
    epochs: history.epochs.length,
    trainLoss: best.loss,
    valLoss: best.valLoss,
    valAccuracy: best.valAccuracy,
    testLoss: tested.loss,
    testAccuracy: tested.accuracy,
    bestEpoch: best.epoch,
    out: folder,
  });
}

/** A few digits with their predictions, mistakes among them, and the confusion matrix. */
export async function showOutcome(model: Sequential, test: Dataset, matrix: readonly (readonly number[])[], output: Output): Promise<void> {
  const shown = test.take(1000);
  const scores = await (await predict(model, shown)).softmax().data();
  const [images, labels] = await shown.read(Int32Array.from({ length: shown.length }, (_, i) => i));
  const classes = test.classes ?? matrix.map((_, i) => String(i));
  const size = test.fields[0].shape[0];
  const judged = Array.from({ length: shown.length }, (_, i) => {
    const row = scores.subarray(i * classes.length, (i + 1) * classes.length);
    const guess = row.indexOf(Math.max(...row));
    return { i, guess, share: row[guess], right: guess === labels[i] };
  });
  const wrong = judged.filter(({ right }) => !right).slice(0, 5);
  const right = judged.filter((one) => one.right).slice(0, 10 - wrong.length);
  const list = [...right, ...wrong].map(({ i, guess, share, right: fits }) => ({
    image: images.subarray(i * size * size, (i + 1) * size * size),
    caption: fits ? `${classes[guess]}  ${Math.floor(100 * share)} %` : `${classes[guess]}? it is ${classes[labels[i]]}`,
  }));
  const columns = Math.min(output.stream.columns || 80, 120);
  output.text(`\n${pictures(list, { size, columns, colour: hasColour(output.stream) })}`);
  output.text(`${confusionTable(matrix, classes, hasColour(output.stream))}\n`);
}
