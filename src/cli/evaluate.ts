/** gradix eval: a saved run's accuracy on test data. */
import { load } from '../io/index.ts';
import { runFiles } from '../train/checkpoint.ts';
import { confusionMatrix, evaluate as evaluateModel } from '../train/index.ts';
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { resolveSource, testDigits } from './digit-data.ts';
import { confusionTable } from './draw.ts';
import { useMachine } from './machine.ts';
import { hasColour, newOutput, percent } from './output.ts';
import { findRecipe } from './recipes.ts';
import { readConfig } from './run-folder.ts';

const options = {
  data: { type: 'text', value: 'DIR', help: 'folder with MNIST, or "digits" (default: what the run was trained on)' },
  device: { type: 'text', value: 'NAME', choices: ['native', 'reference'], help: 'native (C, fast) or reference (slow)' },
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
  const source = await resolveSource(values.data ?? config.data);
  const test = await testDigits(source);
  const model = await load(recipe.model(), `${folder}/${runFiles.model}`);
  const { loss, accuracy, confusionMatrix: matrix } = await evaluateModel(model, test, { loss: 'crossEntropy', metrics: ['accuracy', confusionMatrix()] });
  output.text(confusionTable(matrix as readonly (readonly number[])[], test.classes ?? [], hasColour(output.stream)));
  output.text(
    `\n${recipe.name} on ${source === 'digits' ? 'generated digits' : source}: accuracy ${percent(Number(accuracy))}, loss ${Number(loss).toPrecision(4)} (${test.length.toLocaleString('en-US')} digits)`,
  );
  output.event('done', { run: folder, recipe: recipe.name, device, data: source, examples: test.length, testLoss: loss, testAccuracy: accuracy });
  return 0;
}
