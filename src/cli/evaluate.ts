/** gradix eval: tests a saved run. */
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { useMachine } from './machine.ts';
import { newOutput } from './output.ts';
import { findRecipe } from './recipes/index.ts';
import { readConfig } from './run-folder.ts';

const options = {
  data: { type: 'text', value: 'DIR', help: 'folder with the data, or "digits" (default: what the run was trained on)' },
  device: { type: 'text', value: 'NAME', choices: ['native', 'wasm', 'reference'], help: 'native (C, fast), wasm (WebAssembly) or reference (slow)' },
  threads: { type: 'whole', value: 'N', least: 1, help: 'processor threads (default: one per core)' },
  json: { type: 'flag', help: 'one JSON object per line on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;

const command = 'gradix eval';

export async function evaluate(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text(`gradix eval <run>: tests a saved run.\n\n${optionsHelp(options)}`);
    return 0;
  }
  if (positional.length !== 1)
    throw new UsageError(
      command,
      positional.length === 0 ? 'which run?' : `one run at a time, got ${positional.join(' ')}`,
      'For example: gradix eval runs/lenet-…',
    );
  const device = useMachine(values);
  const [folder] = positional;
  const config = await readConfig(folder, command);
  const recipe = findRecipe(command, config.recipe);
  const data = await recipe.source(values.data ?? config.data);
  const figures = await recipe.test({ settings: config.options, data, folder, output });
  output.event('done', { run: folder, recipe: recipe.name, device, data, ...figures });
  return 0;
}
