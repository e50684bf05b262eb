/** gradix predict: what a trained run makes of files. */
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { useMachine } from './machine.ts';
import { newOutput, percent } from './output.ts';
import { findRecipe, recipes } from './recipes/index.ts';
import { readConfig } from './run-folder.ts';
import { checkSaved } from './run-history.ts';

const options = {
  top: { type: 'whole', value: 'N', least: 1, help: 'classes to show (default 5)' },
  device: { type: 'text', value: 'NAME', choices: ['native', 'wasm', 'reference'], help: 'native (C, fast), wasm (WebAssembly) or reference (slow)' },
  threads: { type: 'whole', value: 'N', least: 1, help: 'processor threads (default: one per core)' },
  json: { type: 'flag', help: 'one JSON object per line on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;

const command = 'gradix predict';
const example = 'For example: gradix predict runs/classifier-… rose.jpg';

export async function predict(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text(`${command} <run> FILE …: the most probable classes of pictures, WAV recordings or the rows of CSV files.\n\n${optionsHelp(options)}`);
    return 0;
  }
  const [folder, ...files] = positional;
  if (folder === undefined) throw new UsageError(command, 'which run?', example);
  if (files.length === 0) throw new UsageError(command, 'which files?', example);
  const config = await readConfig(folder, command);
  const recipe = findRecipe(command, config.recipe);
  if (recipe.predict === undefined) {
    const able = recipes.filter((other) => other.predict !== undefined).map(({ name }) => name);
    throw new UsageError(command, `${folder} is a run of ${recipe.name}, which cannot be asked about files`, `Runs of ${able.join(' and ')} can.`);
  }
  await checkSaved(folder, command);
  const device = useMachine(values);
  const predictions = await recipe.predict({ settings: config.options, data: config.data, folder, output }, files);
  for (const { file, row, ranked } of predictions) {
    const top = ranked.slice(0, values.top ?? 5);
    if (row === undefined) output.text([file, ...top.map(({ name, probability }) => `  ${percent(probability).padStart(8)}  ${name}`)].join('\n'));
    else output.text(`${file} row ${row}: ${top.map(({ name, probability }) => `${name} ${percent(probability)}`).join(', ')}`);
    output.event('prediction', { file, ...(row !== undefined && { row }), classes: top.map(({ name, probability }) => ({ class: name, probability })) });
  }
  output.event('done', { run: folder, recipe: recipe.name, device, examples: predictions.length });
  return 0;
}
