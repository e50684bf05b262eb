/** gradix search: trains a recipe many times with different options, several at a time, and reports which were best. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../io/files.ts';
import { figureText, searchPage } from '../report/index.ts';
import { sqlite } from '../search/database-node.ts';
import { choice, createStudy, grid, logUniform, type Space, type Study, type StudyTrial } from '../search/index.ts';
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { newOutput, type Output } from './output.ts';
import { findRecipe } from './recipes/index.ts';
import { type Defaults, defaultsFor } from './recipes/recipe.ts';
import { newRunFolder, version } from './run-folder.ts';
import { hasSearch, readSearch, readSpace, type SearchConfig, searchFiles, writeSearch } from './search-folder.ts';
import { searchReport, trialsTable, valuesText } from './search-report.ts';
import { killTrials, runTrial, trialFolder } from './search-trial.ts';

const samplers = ['tpe', 'random', 'grid'] as const;
const options = {
  trials: { type: 'whole', value: 'N', least: 1, help: 'how many trials in all (default 20)' },
  parallel: { type: 'whole', value: 'K', least: 1, help: 'trials at the same time (default 1)' },
  sampler: { type: 'text', value: 'NAME', choices: samplers, help: 'how values are chosen (default tpe)' },
  space: { type: 'text', value: 'FILE', help: 'JSON that says what to vary (default: learning rate and batch size around those of the recipe)' },
  points: { type: 'whole', value: 'N', least: 2, help: 'grid: values per range of real numbers (default 5)' },
  metric: { type: 'text', value: 'NAME', help: 'figure to optimise (default valAccuracy of classifiers, else valLoss)' },
  data: { type: 'text', value: 'DIR', help: 'folder with the data, as for gradix train' },
  epochs: { type: 'whole', value: 'N', least: 1, help: 'epochs of every trial (default: the recipe’s)' },
  seed: { type: 'whole', value: 'N', least: 0, help: 'start of all random numbers, of the search and of every trial (default 0)' },
  device: { type: 'text', value: 'NAME', choices: ['native', 'wasm', 'reference'], help: 'native (C, fast), wasm (WebAssembly) or reference (slow)' },
  threads: { type: 'whole', value: 'N', least: 1, help: 'processor threads of a trial (default: all, shared out)' },
  out: { type: 'text', value: 'DIR', help: 'folder for the search (default: a new one in runs/)' },
  resume: { type: 'text', value: 'DIR', help: 'go on with a search, or help one that another process is at' },
  json: { type: 'flag', help: 'one JSON object per line on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;
const command = 'gradix search';
/** Seconds; this process only watches the trials, so it is never too busy to renew them. */
const lease = 15;

type Values = ReturnType<typeof parseArguments<typeof options>>['values'];

export async function search(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text(`${command} <recipe>: trains a recipe with different options and reports which are best.\n\n${optionsHelp(options)}`);
    return 0;
  }
  if (positional.length > 1) throw new UsageError(command, `one recipe at a time, got ${positional.join(' ')}`);
  const { config, folder } = values.resume === undefined ? await newSearch(positional[0], values) : await resumedSearch(positional[0], values.resume, values);
  await sqlite(command); // said before anything is written
  await writeSearch(folder, config);
  const { space, direction, seed } = config;
  const sampler = config.sampler === 'grid' ? grid({ points: config.points }) : config.sampler;
  const study = await createStudy({ space, sampler, direction, seed, lease, storage: join(folder, searchFiles.study) });
  try {
    return await runSearch(study, config, folder, values, output);
  } finally {
    study.close();
  }
}

async function newSearch(name: string | undefined, values: Values): Promise<{ readonly config: SearchConfig; readonly folder: string }> {
  if (name === undefined) throw new UsageError(command, 'which recipe?', 'For example: gradix search lenet. See gradix recipes.');
  const recipe = findRecipe(command, name);
  const { metric = recipe.subject ? 'valAccuracy' : 'valLoss', seed = 0, trials = 20, points = 5 } = values;
  const sampler = samplers.find((one) => one === values.sampler) ?? 'tpe';
  if (values.points !== undefined && sampler !== 'grid') throw new UsageError(command, '--points is an option of --sampler grid');
  if (/test/i.test(metric))
    throw new UsageError(command, `${metric} cannot be searched for`, 'What is chosen by the test set is no longer tested by it. Use a validation figure.');
  const data = await recipe.source(values.data);
  const defaults = await defaultsFor(recipe, data);
  const space = values.space === undefined ? around(defaults) : await readSpace(values.space);
  if (values.epochs !== undefined && 'epochs' in space) throw new UsageError(command, '--epochs is given, but the space varies the epochs');
  const folder = values.out ?? newRunFolder(`search-${name}`);
  if (await hasSearch(folder)) throw new UsageError(command, `${folder} holds a search already`, `Go on with it: ${command} --resume ${folder}`);
  const settings = { epochs: values.epochs ?? defaults.epochs, seed };
  const fixed = Object.fromEntries(Object.entries(settings).filter(([option]) => !(option in space)));
  const direction = /accuracy$/i.test(metric) ? 'maximize' : 'minimize';
  return { folder, config: { recipe: name, data, space, sampler, points, metric, direction, seed, trials, fixed } };
}

/** A decade of learning rates and a factor of four of batch sizes, with the recipe's own in the middle. */
function around(defaults: Defaults): Space {
  const rate = (factor: number): number => Number((defaults.learningRate * factor).toPrecision(2));
  const batch = (factor: number): number => Math.max(1, Math.round(defaults.batchSize * factor));
  return { learningRate: logUniform(rate(10 ** -0.5), rate(10 ** 0.5)), batchSize: choice([...new Set([batch(0.5), batch(1), batch(2)])]) };
}

/** The saved search's own options hold, except that it may get more trials. */
async function resumedSearch(name: string | undefined, folder: string, values: Values): Promise<{ readonly config: SearchConfig; readonly folder: string }> {
  const config = await readSearch(folder);
  if (name !== undefined && name !== config.recipe) throw new UsageError(command, `${folder} is a search of ${config.recipe}, not of ${name}`);
  for (const option of ['sampler', 'space', 'points', 'metric', 'data', 'epochs', 'seed', 'out'] as const)
    if (values[option] !== undefined) throw new UsageError(command, `a resumed search keeps its own options`, `Leave --${option} out.`);
  return { folder, config: { ...config, trials: values.trials ?? config.trials } };
}

async function runSearch(study: Study<Space>, config: SearchConfig, folder: string, values: Values, output: Output): Promise<number> {
  const { recipe, data, metric, fixed, trials } = config;
  const parallel = values.parallel ?? 1;
  const threads = values.threads ?? Math.max(1, Math.floor(availableParallelism() / parallel));
  const plan = { recipe, data, folder, metric, fixed, device: values.device, threads };
  const known = study.trials.filter(({ state }) => state !== 'running').length;
  output.text(`gradix ${version}: search of ${recipe} for ${study.direction === 'maximize' ? 'the highest' : 'the lowest'} ${metric} by ${config.sampler}`);
  output.text(`${trials} trials, ${parallel} at a time${known > 0 ? `, ${known} done before` : ''}, in ${folder}`);
  output.event('start', { recipe, metric, sampler: config.sampler, trials, parallel, done: known, out: folder });
  const stop = interruption(output);
  const hopeless = new AbortController();
  const status = statusLine(output);
  const told = new Set(study.trials.filter(({ state }) => state !== 'running').map(({ number }) => number));
  const tell = (): void => {
    for (const trial of study.trials) {
      if (trial.state === 'running' || told.has(trial.number)) continue;
      told.add(trial.number);
      status.over(trial.number);
      output.text(trialLine(trial, study.best, metric));
      output.event('trial', { ...trial, seconds: trial.seconds ?? null });
    }
    const reason = lostHope(study);
    if (reason !== undefined) hopeless.abort(reason);
  };
  try {
    await study.optimize(
      async (chosen, trial) => {
        tell();
        return runTrial(plan, chosen, trial, status.show).catch((error: unknown) => {
          if (error instanceof UsageError) hopeless.abort(error);
          throw error;
        });
      },
      { trials, parallel, signal: AbortSignal.any([stop.signal, hopeless.signal]), onError: 'continue' },
    );
    tell();
    hopeless.signal.throwIfAborted();
  } finally {
    status.erase();
    stop.dispose();
  }
  return finish(study, config, folder, stop.signal.aborted, output);
}

/** Why to give up when the first trials fail: the others would fail for the same reason. */
function lostHope({ trials }: Study<Space>): UsageError | undefined {
  const ended = trials.filter(({ state }) => state !== 'running');
  if (ended.length < 3 || ended.some(({ state }) => state !== 'failed')) return undefined;
  return new UsageError(command, `all ${ended.length} trials have failed, the last one so: ${ended.at(-1)?.error}`, 'Mend that, then begin a new search.');
}

async function finish(study: Study<Space>, config: SearchConfig, folder: string, interrupted: boolean, output: Output): Promise<number> {
  const { best } = study;
  const report = join(folder, searchFiles.report);
  if (best !== undefined) {
    await writeFileAtomic(report, searchPage(searchReport(study, config, folder)), command);
    output.text(`\n${trialsTable(study, config.metric)}`);
    output.text(`\nbest: trial ${best.number}, ${config.metric} ${figureText(config.metric, Number(best.value))}, ${valuesText(best.values)}`);
    output.text(`its run: ${trialFolder(folder, best.number)}\nreport: ${report}`);
  }
  const counts = Object.fromEntries(
    (['completed', 'pruned', 'failed', 'running'] as const).map((state) => [state, study.trials.filter((trial) => trial.state === state).length]),
  );
  output.event(interrupted ? 'interrupted' : 'done', {
    ...{ recipe: config.recipe, metric: config.metric, ...counts, out: folder },
    ...(best && { best: { number: best.number, value: best.value, values: best.values, run: trialFolder(folder, best.number) }, report }),
  });
  if (interrupted) output.text(`Interrupted. Go on with: ${command} --resume ${folder}`);
  return interrupted ? 130 : best === undefined ? 1 : 0;
}

function trialLine(
  { number, state, value, values, error, reports, seconds = 0 }: StudyTrial<Space>,
  best: StudyTrial<Space> | undefined,
  metric: string,
): string {
  const epochs = `${reports.length} epoch${reports.length === 1 ? '' : 's'}`;
  const outcome = state === 'completed' ? `${metric} ${figureText(metric, Number(value))}` : state === 'pruned' ? `pruned after ${epochs}` : `failed: ${error}`;
  return `trial ${String(number).padStart(3)}  ${outcome}  ${valuesText(values)}  ${seconds.toFixed(1)} s${best?.number === number ? '  (best so far)' : ''}`;
}

/** On a terminal, a line that says which trials run and how far they are. */
function statusLine({ stream }: Output) {
  const running = new Map<number, string>();
  const erase = (): void => void (stream.isTTY && stream.write('\r\x1b[K'));
  return {
    show(number: number, epoch: number, epochs: number): void {
      running.set(number, `${number} (epoch ${epoch}/${epochs})`);
      if (!stream.isTTY) return;
      erase();
      stream.write(`running: ${[...running.values()].join(', ')}`.slice(0, (stream.columns || 80) - 1));
    },
    over(number: number): void {
      running.delete(number);
      erase();
    },
    erase,
  };
}

/** The first Ctrl-C asks the trials to save and end, the second ends them. */
function interruption(output: Output): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const listener = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    output.text('\nSaving checkpoints … (press Ctrl-C again to end at once)');
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, listener);
  process.on('exit', killTrials);
  return {
    signal: controller.signal,
    dispose() {
      for (const signal of signals) process.removeListener(signal, listener);
      process.removeListener('exit', killTrials);
    },
  };
}
