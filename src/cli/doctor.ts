/** gradix doctor: what this machine offers and what will be used. */
import { cpus } from 'node:os';
import { hasMnist } from '../data/index.ts';
import { compiledDevice, currentDevice } from '../engine/devices.ts';
import { openCache } from '../runtime/native/cache.ts';
import { findCompiler } from '../runtime/native/compiler.ts';
import { processors, threadCount } from '../runtime/native/machine.ts';
import '../tensor/index.ts';
import { parseArguments, UsageError } from './arguments.ts';
import { newOutput } from './output.ts';
import { version } from './run-folder.ts';

const options = { json: { type: 'flag', help: 'one JSON object on stdout' }, help: { type: 'flag', help: 'this text' } } as const;

export async function doctor(args: readonly string[]): Promise<number> {
  const { positional, values } = parseArguments('gradix doctor', args, options);
  const output = newOutput(values.json === true);
  if (values.help) {
    output.text('gradix doctor: what this machine offers and what will be used.  --json for one JSON object.');
    return 0;
  }
  if (positional.length > 0) throw new UsageError('gradix doctor', `takes no arguments, got ${positional.join(' ')}`);
  const facts = await examine();
  for (const [name, value] of Object.entries(facts)) output.text(`${name.padEnd(12)} ${value}`);
  output.event('doctor', facts);
  return 0;
}

async function examine(): Promise<Record<string, string>> {
  const { list, cores } = processors();
  const cache = openCache();
  const compiler = findCompiler(cache.directory);
  const usable = !('unavailable' in compiler);
  // A device that is asked for and cannot be had is an error elsewhere; here its reason is in the list.
  const target = usable || !process.env.GRADIX_DEVICE ? compiledDevice()?.target : undefined;
  const data = process.env.GRADIX_DATA;
  return {
    gradix: version,
    node: `${process.versions.node} (${process.platform} ${process.arch})`,
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${list.length} usable, ${cores} cores`,
    compiler: usable
      ? `${compiler.command.join(' ')}${/__VERSION__ "(.*)"/.exec(compiler.macros.join('\n'))?.[1]?.replace(/^/, ', version ') ?? ''}`
      : `none: ${compiler.unavailable}. Install gcc or clang for speed`,
    vectors: target ? `${target.lanes} float32 lanes${target.fma ? ', fused multiply-add' : ''}${target.masks ? ', masks' : ''}` : 'not used',
    caches: target ? `L1 ${target.l1Bytes / 1024} KiB, L2 ${target.l2Bytes / 1024} KiB` : 'not used',
    threads: `${threadCount(cores)}${process.env.GRADIX_THREADS ? ' (GRADIX_THREADS)' : ''}`,
    kernels: cache.warning ?? cache.directory,
    device: `${currentDevice()}${process.env.GRADIX_DEVICE ? ' (GRADIX_DEVICE)' : ''}`,
    data: data === undefined ? 'GRADIX_DATA is not set; digits are generated' : `${data}${(await hasMnist(data)) ? ' (has MNIST)' : ' (no MNIST found there)'}`,
  };
}
