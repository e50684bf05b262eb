/** gradix report: writes what is known of a run as one HTML page. */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { readSafetensorsHeader, writeFileAtomic } from '../io/files.ts';
import { observe, type RunReport, runPage, type SavedTensor } from '../report/index.ts';
import { runFiles } from '../train/checkpoint.ts';
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { useMachine } from './machine.ts';
import { newOutput, type Output } from './output.ts';
import { findRecipe } from './recipes/index.ts';
import type { Recipe } from './recipes/recipe.ts';
import { type RunConfig, readConfig, version } from './run-folder.ts';
import { checkSaved, optionTexts, readHistories, repeatCommand, stageFolder } from './run-history.ts';

const options = {
  data: { type: 'text', value: 'DIR', help: 'folder with the data, or "digits" (default: what the run was trained on)' },
  out: { type: 'text', value: 'FILE', help: 'the page to write (default: report.html in the run)' },
  device: { type: 'text', value: 'NAME', choices: ['native', 'wasm', 'reference'], help: 'native (C, fast), wasm (WebAssembly) or reference (slow)' },
  threads: { type: 'whole', value: 'N', least: 1, help: 'processor threads (default: one per core)' },
  json: { type: 'flag', help: 'one JSON object on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;
const command = 'gradix report';

export async function report(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text(`${command} <run>: writes one HTML page about a run: curves, mistakes, filters, the net, how to repeat it.\n\n${optionsHelp(options)}`);
    return 0;
  }
  if (positional.length !== 1)
    throw new UsageError(
      command,
      positional.length === 0 ? 'which run?' : `one run at a time, got ${positional.join(' ')}`,
      'For example: gradix report runs/lenet-…',
    );
  const [folder] = positional;
  const config = await readConfig(folder, command);
  const recipe = findRecipe(command, config.recipe);
  await checkSaved(folder, command);
  const stages = await readHistories(folder, command);
  const data = await recipe.source(values.data ?? config.data);
  const device = useMachine(values);
  const tested = await testOf(recipe, config, folder, data);
  const page = runPage({
    ...{ recipe: config.recipe, summary: recipe.summary, folder, stages, ...tested },
    configuration: optionTexts(config),
    environment: environment(config, device, data),
    command: repeatCommand(config),
    made: `Made by gradix ${version} on ${new Date().toISOString().slice(0, 10)} from ${folder}.`,
  });
  const path = values.out ?? join(folder, 'report.html');
  await writeFileAtomic(path, page, command);
  output.text(`${path}: ${Math.ceil(Buffer.byteLength(page) / 1024).toLocaleString('en-US')} KiB; open it in a browser`);
  output.event('report', { run: folder, recipe: config.recipe, data, device, out: path, bytes: Buffer.byteLength(page), ...tested.figures });
  return 0;
}

/** Looks into image classifiers; lets other recipes test themselves, and keeps what they say. */
async function testOf(
  recipe: Recipe,
  config: RunConfig,
  folder: string,
  data: string,
): Promise<Pick<RunReport, 'figures' | 'words' | 'observation' | 'tensors'>> {
  const { output, lines } = listeningOutput();
  const job = { settings: config.options, data, folder, output };
  const subject = await recipe.subject?.(job);
  if (subject !== undefined) {
    const { model, test } = subject;
    const observation = await observe(model, test);
    const { accuracy, loss } = observation.judgement;
    return { figures: { testAccuracy: accuracy, testLoss: loss, testExamples: test.length }, words: '', observation, tensors: [] };
  }
  const figures = await recipe.test(job);
  return { figures, words: stripVTControlCharacters(lines.join('\n')), tensors: await tensorsOf(folder) };
}

/** Keeps the text. */
function listeningOutput(): { readonly output: Output; readonly lines: readonly string[] } {
  const lines: string[] = [];
  return { lines, output: { json: false, stream: process.stderr, text: (line = '') => void lines.push(line), event: () => undefined } };
}

/** What the nets of a run have in their files. */
async function tensorsOf(folder: string): Promise<SavedTensor[]> {
  const found: SavedTensor[] = [];
  for (const { name: stage } of await readHistories(folder, command)) {
    const { entries } = await readSafetensorsHeader(join(stageFolder(folder, stage), runFiles.model));
    for (const [name, { dtype, shape }] of entries) found.push({ name: stage === '' ? name : `${stage}: ${name}`, dtype, shape });
  }
  return found;
}

const environment = ({ versions, device: trainedOn, data: trainedWith }: RunConfig, device: string, data: string): [string, string][] => [
  ['trained with', `gradix ${versions.gradix}, node ${versions.node}, ${trainedOn} device`],
  ['tested with', `gradix ${version}, node ${process.versions.node}, ${device} device`],
  ...(data === trainedWith ? [] : [['tested on', data] as [string, string]]),
  ['machine of the test', `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} threads, ${process.platform} ${process.arch}`],
];
