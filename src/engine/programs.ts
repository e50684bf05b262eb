/** Compiled programs by structure: the least recently used are forgotten. */
import { type CompileRequest, compileGraph } from '../compiler/pipeline.ts';
import { debug } from '../core/debug.ts';
import type { Program } from '../ir/program.ts';
import type { CompiledDevice, Executable } from '../runtime/device.ts';
import { interpretedExecutable } from '../runtime/reference/index.ts';
import { compiledDevice } from './devices.ts';

export interface Loaded {
  readonly executable: Executable;
  /** Undefined on the reference device. */
  readonly program: Program | undefined;
}

const cache = new Map<string, Loaded & { readonly number: number }>();
const capacity = 256;
let made = 0;

export interface ProgramRequest {
  /** The structure of the graph. */
  readonly text: string;
  readonly graph: () => CompileRequest;
  /** For the debug output. */
  readonly why: string;
}

/** The compiler's program, its kernels called k0, k1, … in profiles and in the source. */
function programFor(request: CompileRequest, device: CompiledDevice): Program {
  const program = compileGraph(request, device.target);
  return { ...program, kernels: program.kernels.map((kernel, i) => ({ ...kernel, name: `k${i}` })) };
}

/** The program for a graph, from the cache or compiled now. */
export function loadProgram(request: ProgramRequest): Loaded {
  const found = compiled(request);
  return 'executable' in found ? found : found.keep(found.device.loadSync(found.program, request.text));
}

/** As loadProgram; the event loop is free while the device's compiler works. */
export async function loadProgramAsync(request: ProgramRequest): Promise<Loaded> {
  const found = compiled(request);
  return 'executable' in found ? found : found.keep(await found.device.load(found.program, request.text));
}

interface Unloaded {
  readonly device: CompiledDevice;
  readonly program: Program;
  readonly keep: (executable: Executable) => Loaded;
}

/** What is in the cache or needs no loading, else the program that the device is to load. */
function compiled({ text, graph, why }: ProgramRequest): Loaded | Unloaded {
  const device = compiledDevice();
  const key = `${device?.target.identity ?? 'reference'}:${text}`;
  const known = cache.get(key);
  if (known) {
    debug(1, () => `gradix: ${why}: program ${known.number}, compiled before`);
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const start = performance.now();
  const keep = (loaded: Loaded, how = 'ready'): Loaded => {
    cache.set(key, { ...loaded, number: ++made });
    if (cache.size > capacity) cache.delete(cache.keys().next().value as string);
    debug(1, () => `gradix: ${why}: program ${made}, ${how} in ${(performance.now() - start).toFixed(0)} ms (${describe(loaded)})`);
    return loaded;
  };
  if (!device) return keep({ executable: interpretedExecutable(graph()), program: undefined });
  const recalled = device.recall?.(text);
  if (recalled) return keep(recalled, 'recalled');
  const program = programFor(graph(), device);
  return { device, program, keep: (executable) => keep({ executable, program }) };
}

const describe = ({ program }: Loaded): string =>
  program
    ? `${program.kernels.length} kernels, ${program.inputs.length} inputs, ${program.outputs.length} outputs, arena ${program.arenaBytes} bytes`
    : 'interpreted';
