#!/usr/bin/env node
/** The gradix command: finds the sub-command and turns errors into messages and exit codes (0 done, 1 failed, 2 wrong usage, 130 interrupted). */
import { didYouMean, GradixError } from '../core/errors.ts';
import { UsageError } from './arguments.ts';

interface Command {
  readonly help: string;
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** Modules are loaded when their command runs, so that mistakes are answered at once and options can set up the engine first. */
const commands: Readonly<Record<string, Command>> = {
  train: { help: 'train <recipe>      train a net: lenet, char-lstm, … (see recipes)', run: async (args) => (await import('./train.ts')).train(args) },
  eval: { help: 'eval <run>          test a saved run', run: async (args) => (await import('./evaluate.ts')).evaluate(args) },
  predict: {
    help: 'predict <run> FILE … what a run makes of pictures, recordings or tables',
    run: async (args) => (await import('./predict.ts')).predict(args),
  },
  report: { help: 'report <run>        one HTML page about a run', run: async (args) => (await import('./report.ts')).report(args) },
  compare: { help: 'compare <run> …     runs side by side', run: async (args) => (await import('./compare.ts')).compare(args) },
  search: { help: 'search <recipe>     try many options of a recipe, report the best', run: async (args) => (await import('./search.ts')).search(args) },
  recipes: { help: 'recipes             what can be trained', run: async () => listRecipes() },
  info: { help: 'info <file|run>     what is in a safetensors file or a run', run: async (args) => (await import('./info.ts')).info(args) },
  data: { help: 'data <name>         find or download a data set: mnist, cifar10, iris, …', run: async (args) => (await import('./data.ts')).data(args) },
  doctor: { help: 'doctor              what this machine offers, and what will be used', run: async (args) => (await import('./doctor.ts')).doctor(args) },
};

const usage = (): string =>
  `gradix: deep learning for TypeScript\n\n${Object.values(commands)
    .map(({ help }) => `  gradix ${help}`)
    .join('\n')}\n\nEvery command has --help.`;

async function listRecipes(): Promise<number> {
  const { recipes } = await import('./recipes/index.ts');
  const width = Math.max(...recipes.map(({ name }) => name.length));
  for (const { name, summary, defaults } of recipes) {
    const settings =
      typeof defaults === 'function'
        ? 'input, net, epochs and batches chosen for the data'
        : `${defaults.epochs} epochs, batches of ${defaults.batchSize}, learning rate ${defaults.learningRate}`;
    console.log(`${name.padEnd(width)}  ${summary}\n${' '.repeat(width)}  ${settings}`);
  }
  return 0;
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(usage());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    console.log((await import('./run-folder.ts')).version);
    return 0;
  }
  if (!Object.hasOwn(commands, name))
    throw new UsageError(
      'gradix',
      `there is no command "${name}"`,
      didYouMean(name, Object.keys(commands)) ?? `There are ${Object.keys(commands).join(', ')}.`,
    );
  return commands[name].run(rest);
}

const args = process.argv.slice(2);

function report(error: unknown): number {
  const text = error instanceof GradixError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\n`);
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ event: 'error', message: error instanceof Error ? error.message : String(error) })}\n`);
  return error instanceof UsageError ? 2 : 1;
}

// A search that is killed takes its trials with it: whoever takes them over must be alone in their folders.
process.on('disconnect', () => process.exit(1));
process.channel?.unref();
// A reader that has seen enough (head, less) closes the pipe: no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// Not process.exit: what was written must reach a pipe first.
process.exitCode = await main(args).catch(report);
