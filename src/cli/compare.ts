/** gradix compare: several runs side by side. */
import { writeFileAtomic } from '../io/files.ts';
import { comparisonData, comparisonPage, comparisonText } from '../report/index.ts';
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { newOutput } from './output.ts';
import { readConfig, version } from './run-folder.ts';
import { optionTexts, readHistories } from './run-history.ts';

const options = {
  out: { type: 'text', value: 'FILE', help: 'also write an HTML page with the curves overlaid' },
  json: { type: 'flag', help: 'one JSON object on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;
const command = 'gradix compare';

export async function compare(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text(`${command} <run> <run> …: what runs were started with and how they came out, side by side. * marks what differs.\n\n${optionsHelp(options)}`);
    return 0;
  }
  if (positional.length < 2)
    throw new UsageError(command, `needs two runs or more, got ${positional.length}`, 'For example: gradix compare runs/lenet-… runs/mlp-…');
  const runs = await Promise.all(
    positional.map(async (name) => ({ name, options: optionTexts(await readConfig(name, command)), stages: await readHistories(name, command) })),
  );
  output.text(comparisonText(runs));
  if (values.out !== undefined) {
    const made = `Made by gradix ${version} on ${new Date().toISOString().slice(0, 10)}.`;
    await writeFileAtomic(values.out, comparisonPage(runs, made), command);
    output.text(`\n${values.out}: open it in a browser`);
  }
  output.event('compare', { ...comparisonData(runs), ...(values.out !== undefined && { out: values.out }) });
  return 0;
}
