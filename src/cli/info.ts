/** gradix info: what is in a safetensors file or a run. */
import { stat } from 'node:fs/promises';
import { showShape } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { fileError, readSafetensorsHeader } from '../io/files.ts';
import { terminalCurve } from '../report/index.ts';
import { runFiles } from '../train/checkpoint.ts';
import { figuresText } from '../train/progress.ts';
import { parseArguments, UsageError } from './arguments.ts';
import { newOutput, type Output } from './output.ts';
import { readConfig } from './run-folder.ts';
import { readHistory, stageFolder, stagesOf } from './run-history.ts';

const options = { json: { type: 'flag', help: 'one JSON object per line on stdout' }, help: { type: 'flag', help: 'this text' } } as const;
const command = 'gradix info';

export async function info(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text('gradix info <file.safetensors|run>: what is in it.  --json for JSON, one object per net.');
    return 0;
  }
  if (positional.length !== 1) throw new UsageError(command, 'which file or run?', 'For example: gradix info model.safetensors');
  const [path] = positional;
  const facts = await stat(path).catch((error) => fileError(command, path, error));
  if (facts.isDirectory()) await runInfo(path, output);
  else await fileInfo(path, output);
  return 0;
}

async function runInfo(folder: string, output: Output): Promise<void> {
  const config = await readConfig(folder, command);
  const { recipe, options: given, data, device, versions } = config;
  output.text(`${recipe} on ${data}, ${device} (gradix ${versions.gradix}, node ${versions.node})`);
  output.text(`epochs ${given.epochs}, batch size ${given.batchSize}, learning rate ${given.learningRate}, seed ${given.seed}`);
  for (const stage of await stagesOf(folder)) {
    const place = stageFolder(folder, stage);
    const records = await readHistory(place, command);
    if (stage !== '') output.text(`\n${stage}`);
    for (const { epoch, seconds, ...figures } of records as readonly Record<string, number>[])
      output.text(`epoch ${epoch}  ${figuresText(figures)}${seconds === undefined ? '' : `  ${seconds} s`}`);
    output.text();
    // A curve of one or two epochs says less than their lines.
    const losses = records.map(({ loss }) => Number(loss));
    if (losses.length > 2) output.text(`${terminalCurve({ title: 'loss', values: losses }).join('\n')}\n`);
    await fileInfo(`${place}/${runFiles.model}`, output, { ...(stage !== '' && { stage }), config, history: records });
  }
}

async function fileInfo(path: string, output: Output, more: object = {}): Promise<void> {
  const { entries, metadata } = await readSafetensorsHeader(path);
  const rows = [...entries].map(([name, { dtype, shape }]) => ({ name, dtype, shape, size: sizeOf(shape) }));
  const width = Math.max(4, ...rows.map(({ name }) => name.length));
  output.text(`${path}: ${rows.length} tensors, ${rows.reduce((sum, { size }) => sum + size, 0).toLocaleString('en-US')} values`);
  for (const { name, dtype, shape } of rows) output.text(`  ${name.padEnd(width)}  ${dtype.padEnd(4)}  ${showShape(shape)}`);
  for (const [key, value] of Object.entries(metadata))
    output.text(`  ${key}: ${value.length > 60 ? `${value.slice(0, 60)} … (${value.length} characters)` : value}`);
  output.event('info', { path, ...more, tensors: rows.map(({ name, dtype, shape }) => ({ name, dtype, shape })), metadata });
}
