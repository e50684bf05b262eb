/** gradix data: finds or fetches a named set and says what is in it. */
import { didYouMean, showShape } from '../core/errors.ts';
import { preview } from '../data/index.ts';
import { namedSets } from '../data/named/catalog.ts';
import { optionsHelp, parseArguments, UsageError } from './arguments.ts';
import { newOutput } from './output.ts';

const options = {
  root: { type: 'text', value: 'DIR', help: 'look here only (default: GRADIX_DATA, then the downloads)' },
  offline: { type: 'flag', help: 'do not download' },
  preview: { type: 'text', value: 'FILE.png', help: 'write a contact sheet of the first examples' },
  json: { type: 'flag', help: 'one JSON object on stdout' },
  help: { type: 'flag', help: 'this text' },
} as const;
const command = 'gradix data';

export async function data(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments(command, args, options);
  const output = newOutput(values.json === true);
  const width = Math.max(...Object.keys(namedSets).map((name) => name.length));
  const listing = Object.entries(namedSets).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  if (values.help || positional.length === 0) {
    output.text(`${command} <name>: finds a data set, or downloads it, and says what is in it.\n\n${listing.join('\n')}\n\n${optionsHelp(options)}`);
    return values.help ? 0 : 2;
  }
  if (positional.length > 1) throw new UsageError(command, 'one set at a time');
  const [name] = positional;
  if (!Object.hasOwn(namedSets, name)) {
    const names = Object.keys(namedSets);
    throw new UsageError(command, `there is no set "${name}"`, didYouMean(name, names) ?? `There are ${names.join(', ')}.`);
  }
  const where = { ...(values.root !== undefined && { root: values.root }), ...(values.offline && { download: false }) };
  const parts = await namedSets[name].load(where);
  for (const [part, { length, fields, classes }] of Object.entries(parts)) {
    const columns = fields.map((field) => `${field.name} ${field.dtype} ${showShape(field.shape)}`).join(', ');
    const named = classes === undefined ? '' : `; ${classes.length} classes: ${classes.join(', ')}`;
    output.text(`${name} ${part}: ${length.toLocaleString('en-US')} examples; ${columns}${named}`);
  }
  if (values.preview !== undefined) {
    await preview(Object.values(parts)[0], values.preview);
    output.text(`wrote ${values.preview}`);
  }
  output.event('data', {
    name,
    parts: Object.fromEntries(Object.entries(parts).map(([part, { length, fields, classes }]) => [part, { examples: length, fields, classes }])),
  });
  return 0;
}
