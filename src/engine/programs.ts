/** Compiled programs by structure: the least recently used are forgotten. */
import { debug } from '../core/debug.ts';
import type { Node } from '../graph/node.ts';
import type { Target } from '../ir/ir.ts';
import type { Program } from '../ir/program.ts';
import type { Executable } from '../runtime/device.ts';
import { interpretedExecutable } from '../runtime/reference/index.ts';
import { compiledDevice } from './devices.ts';
import { digest } from './fingerprint.ts';

// TEMPORARY until compiler/pipeline.ts lands: a static import.
const pipeline = '../compiler/pipeline.ts';
const compileGraph: (request: Request, target: Target) => Program = await import(/* @vite-ignore */ pipeline).then((module) => module.compileGraph, () => undefined);

export interface Loaded {
  readonly executable: Executable;
  /** Undefined on the reference device. */
  readonly program: Program | undefined;
}

export interface Request {
  readonly outputs: readonly Node[];
  readonly inputs: readonly Node[];
  readonly aliases: readonly (number | undefined)[];
}

const cache = new Map<string, Loaded>();
const capacity = 256;

/** The program for a graph with this fingerprint, from the cache or compiled now. `why` is for the debug output. */
export function loadProgram(text: string, request: () => Request, why: string): Loaded {
  const device = compiledDevice();
  const key = `${device?.target.identity ?? 'reference'}:${digest(text)}`;
  const known = cache.get(key);
  if (known) {
    debug(2, () => `gradix: ${why}: program ${key} from the cache`);
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const start = performance.now();
  const loaded = device ? compiled(request()) : { executable: interpretedExecutable(request()), program: undefined };
  cache.set(key, loaded);
  if (cache.size > capacity) cache.delete(cache.keys().next().value as string);
  debug(1, () => describe(why, key, loaded, performance.now() - start));
  return loaded;

  function compiled(graph: Request): Loaded {
    if (!device) throw new Error('no device');
    const program = compileGraph(graph, device.target);
    return { executable: device.loadSync(program), program };
  }
}

function describe(why: string, key: string, { program }: Loaded, milliseconds: number): string {
  const size = program ? `${program.kernels.length} kernels, ${program.inputs.length} inputs, ${program.outputs.length} outputs, arena ${program.arenaBytes} bytes` : 'interpreted';
  return `gradix: ${why}: compiled ${key} in ${milliseconds.toFixed(0)} ms (${size})`;
}
